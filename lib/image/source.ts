import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../arguments.js";

/**
 * Pixels in memory: `ImageData`, or the output of a decoder, row by row; RGBA or RGB from 0 to 255.
 */
export interface Pixels {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

/** What a picture can be made from. */
export type ImageSource =
  HTMLImageElement | HTMLVideoElement | HTMLCanvasElement | OffscreenCanvas | ImageBitmap | Pixels;

type Canvas = HTMLCanvasElement | OffscreenCanvas;

/** A source after inspection: an object of the page, or numbers in memory. */
export type Picture = { readonly width: number; readonly height: number } & (
  | { readonly kind: "canvas"; readonly source: Canvas }
  | { readonly kind: "video"; readonly source: HTMLVideoElement }
  | { readonly kind: "still"; readonly source: HTMLImageElement | ImageBitmap }
  | { readonly kind: "memory"; readonly data: ArrayLike<number>; readonly channels: 3 | 4 }
);

/** Whether a value is of a browser's class of that name, which may not exist (in Node). */
const isA = <T>(value: unknown, name: string): value is T => {
  const known = (globalThis as Record<string, unknown>)[name];
  return typeof known === "function" && value instanceof known;
};

/**
 * Determines what a source is, and its own size, which may differ from the size on the page.
 *
 * @throws if it is not a picture, or has not loaded.
 */
export function look(source: ImageSource): Picture {
  if (
    isA<HTMLCanvasElement>(source, "HTMLCanvasElement") ||
    isA<OffscreenCanvas>(source, "OffscreenCanvas")
  ) {
    // prettier-ignore
    const { width, height } = source;
    if (width > 0 && height > 0) return { kind: "canvas", source, width, height };
    throw new RangeError(`image: the canvas is empty: ${width} × ${height}`);
  }
  if (isA<HTMLImageElement>(source, "HTMLImageElement")) {
    const { naturalWidth, naturalHeight } = source;
    checkLoaded(naturalWidth * naturalHeight, "the <img> has not loaded");
    return { kind: "still", source, width: naturalWidth, height: naturalHeight };
  }
  if (isA<HTMLVideoElement>(source, "HTMLVideoElement")) {
    const { videoWidth, videoHeight } = source;
    const isReady = source.readyState >= source.HAVE_CURRENT_DATA;
    checkLoaded(isReady ? videoWidth * videoHeight : 0, "the <video> has no frame yet");
    return { kind: "video", source, width: videoWidth, height: videoHeight };
  }
  if (isA<ImageBitmap>(source, "ImageBitmap")) {
    const { width, height } = source;
    checkLoaded(width * height, "the ImageBitmap is closed");
    return { kind: "still", source, width, height };
  }
  return inMemory(source);
}

function checkLoaded(pixels: number, reason: string): void {
  if (pixels === 0) throw new Error(`image: ${reason}`);
}

function inMemory(source: Pixels): Picture {
  const { data, width, height } = (source ?? {}) as Partial<Pixels>;
  if (data?.length === undefined || width === undefined || height === undefined) {
    throw new TypeError(
      "image: expected an <img>, <video>, <canvas>, OffscreenCanvas, ImageBitmap, ImageData or " +
        `{ data, width, height }, got ${describe(source)}`,
    );
  }
  const pixels = width * height;
  const channels = data.length / pixels;
  if (pixels === 0 || (channels !== 3 && channels !== 4)) {
    throw new RangeError(
      `image: expected 3 or 4 numbers for each of ${width} × ${height} pixels, got ${data.length}`,
    );
  }
  return { kind: "memory", data, channels, width, height };
}

/** The picture as `(H, W, 3)`, with values from 0 to 255. */
export function readPixels(picture: Picture): tf.Tensor3D {
  if (picture.kind !== "memory") {
    // Only if it becomes a texture: reading from a canvas fails without a 2D context, or makes the
    // canvas slow.
    const asItIs = picture.kind === "canvas" && tf.getBackend() === "webgl";
    const canvas = asItIs ? picture.source : draw(picture);
    return tf.browser.fromPixels(canvas as HTMLCanvasElement, 3);
  }
  const { data, channels, width, height } = picture;
  const rgb = new Float32Array(3 * width * height);
  for (let i = 0; i < width * height; i += 1) {
    for (let c = 0; c < 3; c += 1) rgb[3 * i + c] = data[channels * i + c]!;
  }
  return tf.tensor3d(rgb, [height, width, 3]);
}

/**
 * A canvas for drawing, for each value of `willReadFrequently`: browsers keep such ones in memory,
 * others on the GPU.
 */
const shared = new Map<boolean, Canvas>();

/**
 * Draws the picture on a canvas of its own size (tfjs would use the size on the page), with black
 * for transparent parts.
 */
export function draw({ source, width, height }: Exclude<Picture, { kind: "memory" }>): Canvas {
  const willReadFrequently = tf.getBackend() !== "webgl";
  let canvas = shared.get(willReadFrequently);
  canvas ??= typeof document === "undefined" ? new OffscreenCanvas(1, 1) : document.createElement("canvas"); // prettier-ignore
  shared.set(willReadFrequently, canvas);
  Object.assign(canvas, { width, height }); // clears it, too
  const context = canvas.getContext("2d", { willReadFrequently }) as CanvasRenderingContext2D;
  context.drawImage(source, 0, 0);
  return canvas;
}
