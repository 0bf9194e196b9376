import * as tf from "@tensorflow/tfjs-core";
import { describe, expandSize, readOptions } from "../arguments.js";
import { interpolate } from "../functional/index.js";
import { type ImageSource, readPixels } from "./source.js";

export type { ImageSource, Pixels } from "./source.js";

export interface ImageOptions {
  /** A number: what the shorter side becomes; `[height, width]`: just that. Default: as it is. */
  size?: number | readonly number[] | null;
  /** What is cut from the middle then, black where the picture is smaller. Default: all of it. */
  crop?: number | readonly number[] | null;
  /** Subtracted from each of red, green and blue, of 0 to 1. Default: 0. */
  mean?: readonly number[] | null;
  /** What each of them is divided by. Default: 1. */
  std?: readonly number[] | null;
  /** Smooth when making smaller. Default: `true`. */
  antialias?: boolean;
}

const IMAGE: Required<ImageOptions> = {
  size: null,
  crop: null,
  mean: null,
  std: null,
  antialias: true,
};

/**
 * A picture as the tensor that a vision model takes.
 *
 * ```ts
 * const x = nn.image(document.querySelector("img")!, {
 *   size: 256, crop: 224, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225],
 * });
 * ```
 *
 * torchvision's `ToTensor`, `Resize(size)`, `CenterCrop(crop)` and `Normalize(mean, std)`, bilinear:
 * as on tensors of floats. (On PIL images and bytes, torchvision rounds after resizing to whole
 * 255ths.) On the webgl backend a picture of the page becomes a texture without passing through JavaScript.
 *
 * @param source an `<img>`, `<video>`, `<canvas>`, `OffscreenCanvas`, `ImageBitmap`, `ImageData` or
 *   `{ data, width, height }`; or a list of them that come out in one size. Alpha is left aside.
 * @returns `(1, 3, H, W)`, or `(N, 3, H, W)` of a list.
 * @throws if a source has not loaded, or sizes, mean or std make no sense.
 * @see https://docs.pytorch.org/vision/stable/transforms.html
 */
export function image(
  source: ImageSource | readonly ImageSource[],
  options?: ImageOptions,
): tf.Tensor4D {
  const read = readOptions<Required<ImageOptions>>("image", IMAGE, options);
  const { mean, std } = read;
  checkChannels("mean", mean);
  checkChannels("std", std);
  if (std?.some((one) => one === 0)) throw new RangeError("image: std must not be 0");
  return tf.tidy(() => {
    const list = Array.isArray(source) ? (source as ImageSource[]) : [source as ImageSource];
    if (list.length === 0) throw new RangeError("image: expected at least one source, got none");
    const pictures = list.map((one) => fit(one, read));
    const sizes = new Set(pictures.map(({ shape }) => `${shape[2]} × ${shape[3]}`));
    if (sizes.size > 1) {
      throw new RangeError(
        `image: pictures of a list must come out in one size, got ${[...sizes].join(", ")}; ` +
          "size: [height, width] or crop makes them equal",
      );
    }
    let x = tf.div(pictures.length === 1 ? pictures[0]! : tf.concat(pictures, 0), 255);
    if (mean !== null) x = tf.sub(x, perChannel(mean));
    if (std !== null) x = tf.div(x, perChannel(std));
    return x as tf.Tensor4D;
  });
}

const perChannel = (values: readonly number[]): tf.Tensor => tf.tensor([...values], [1, 3, 1, 1]);

function checkChannels(name: string, values: readonly number[] | null): void {
  if (values === null || (Array.isArray(values) && values.length === 3 && values.every(Number.isFinite))) return; // prettier-ignore
  throw new TypeError(`image: ${name} must be a list of 3 numbers, got ${describe(values)}`);
}

function checkSizes(name: string, sizes: readonly number[]): void {
  if (sizes.every((one) => Number.isInteger(one) && one > 0)) return;
  throw new RangeError(`image: ${name} must be positive whole numbers, got ${sizes.join(", ")}`);
}

/** `(1, 3, H, W)`, still from 0 to 255. */
function fit(source: ImageSource, { size, crop, antialias }: Required<ImageOptions>): tf.Tensor4D {
  const pixels = tf.cast(readPixels(source), "float32");
  let x = tf.expandDims<tf.Tensor4D>(tf.transpose(pixels, [2, 0, 1]), 0);
  if (size !== null) {
    const wanted = resized(x.shape.slice(2), size);
    if (wanted.join() !== x.shape.slice(2).join()) {
      x = interpolate(x, { size: wanted, mode: "bilinear", antialias }) as tf.Tensor4D;
    }
  }
  return crop === null ? x : centre(x, expandSize("image: crop", crop, 2));
}

/** Of a number, the longer side follows, rounded down as torchvision does. */
function resized(from: readonly number[], size: number | readonly number[]): number[] {
  const sizes = expandSize("image: size", size, 2);
  checkSizes("size", sizes);
  if (typeof size !== "number") return sizes;
  const shorter = Math.min(...from);
  return from.map((one) => (one === shorter ? size : Math.floor((size * one) / shorter)));
}

/** Python's `round`: a half goes to the even neighbour. */
function roundToEven(value: number): number {
  const down = Math.floor(value);
  return value - down === 0.5 ? down + (down % 2) : Math.round(value);
}

function centre(x: tf.Tensor4D, crop: readonly number[]): tf.Tensor4D {
  checkSizes("crop", crop);
  const rims = crop.map((size, i): [number, number] => {
    const missing = Math.max(0, size - x.shape[i + 2]!);
    return [missing >> 1, (missing + 1) >> 1];
  });
  const isSmaller = rims.flat().some((rim) => rim > 0);
  const padded = isSmaller ? tf.pad(x, [[0, 0], [0, 0], rims[0]!, rims[1]!]) : x;
  const begin = crop.map((size, i) => roundToEven((padded.shape[i + 2]! - size) / 2));
  return tf.slice(padded, [0, 0, ...begin], [1, 3, ...crop]);
}
