import * as tf from "@tensorflow/tfjs-core";
import { describe, readOptions } from "../arguments.js";
import { interpolate } from "../functional/index.js";
import { type Frame, frameOf } from "./frame.js";
import { takePicture } from "./gpu.js";
import { type ImageSource, look, type Picture, readPixels } from "./source.js";

export type { ImageSource, Pixels } from "./source.js";

export interface ImageOptions {
  /**
   * A number: the length of the shorter side; `[height, width]`: exactly that. Default: not
   * resized.
   */
  size?: number | readonly number[] | null;
  /** The size of a centre crop after that; black where the picture is smaller. Default: no crop. */
  crop?: number | readonly number[] | null;
  /** Subtracted from red, green and blue, which are from 0 to 1. Default: 0. */
  mean?: readonly number[] | null;
  /** The divisors of red, green and blue after that. Default: 1. */
  std?: readonly number[] | null;
  /** Smooth when scaling down. Default: `true`. */
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
 * Converts a picture to the tensor that a vision model takes.
 *
 * ```ts
 * const x = nn.image(document.querySelector("img")!, {
 *   size: 256, crop: 224, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225],
 * });
 * ```
 *
 * The same as torchvision's `ToTensor`, `Resize(size)`, `CenterCrop(crop)` and
 * `Normalize(mean, std)`, bilinear, for float tensors. (For PIL images and bytes, torchvision
 * rounds to whole 255ths after resizing.) On the webgl backend, a picture of the page becomes a
 * texture without passing through JavaScript, and goes into a compiled model without being read
 * back.
 *
 * @param source an `<img>`, `<video>`, `<canvas>`, `OffscreenCanvas`, `ImageBitmap`, `ImageData` or
 *   `{ data, width, height }`; or a list of them that result in one size. Alpha is ignored.
 * @returns `(1, 3, H, W)`, or `(N, 3, H, W)` of a list.
 * @throws if a source has not loaded, or if sizes, mean or std are invalid.
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
  const list = Array.isArray(source) ? (source as ImageSource[]) : [source as ImageSource];
  if (list.length === 0) throw new RangeError("image: expected at least one source, got none");
  const pictures = list.map((one) => framed(one, read));
  const sizes = new Set(pictures.map(({ frame }) => frame.kept.join(" × ")));
  if (sizes.size > 1) {
    throw new RangeError(
      `image: pictures of a list must come out in one size, got ${[...sizes].join(", ")}; ` +
        "size: [height, width] or crop makes them equal",
    );
  }
  const { picture, frame } = pictures[0]!;
  const numbers = { mean: mean ?? [0, 0, 0], std: std ?? [1, 1, 1], antialias: read.antialias };
  const taken = list.length === 1 ? takePicture(picture, frame, numbers) : null;
  if (taken !== null) return taken;
  return tf.tidy(() => {
    const fitted = pictures.map((one) => fit(one, read.antialias));
    let x = tf.div(fitted.length === 1 ? fitted[0]! : tf.concat(fitted, 0), 255);
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

interface Framed {
  picture: Picture;
  frame: Frame;
}

function framed(source: ImageSource, { size, crop }: Required<ImageOptions>): Framed {
  const picture = look(source);
  return { picture, frame: frameOf([picture.height, picture.width], size, crop) };
}

/** Resizes and crops to `(1, 3, H, W)`, with values from 0 to 255. */
function fit({ picture, frame }: Framed, antialias: boolean): tf.Tensor4D {
  const { resized, kept, begin } = frame;
  const pixels = tf.cast(readPixels(picture), "float32");
  let x = tf.expandDims<tf.Tensor4D>(tf.transpose(pixels, [2, 0, 1]), 0);
  if (resized.join() !== [picture.height, picture.width].join()) {
    x = interpolate(x, { size: resized, mode: "bilinear", antialias }) as tf.Tensor4D;
  }
  const before = begin.map((one) => Math.max(0, -one));
  const after = begin.map((one, i) => Math.max(0, one + kept[i]! - resized[i]!));
  if ([...before, ...after].some((rim) => rim > 0)) {
    x = tf.pad(x, [[0, 0], [0, 0], [before[0]!, after[0]!], [before[1]!, after[1]!]]); // prettier-ignore
  }
  if (kept.join() === x.shape.slice(2).join()) return x;
  const from = begin.map((one, i) => one + before[i]!);
  return tf.slice(x, [0, 0, ...from], [1, 3, ...kept]);
}
