import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../arguments.js";

/** Pixels in memory: `ImageData`, or what a decoder gives, row by row; RGBA or RGB of 0 to 255. */
export interface Pixels {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

/** What a picture can come from. */
export type ImageSource =
  HTMLImageElement | HTMLVideoElement | HTMLCanvasElement | OffscreenCanvas | ImageBitmap | Pixels;

type Canvas = HTMLCanvasElement | OffscreenCanvas;

/** The classes of browsers; in Node there are none of them. */
const isA = <T>(value: unknown, name: string): value is T => {
  const known = (globalThis as Record<string, unknown>)[name];
  return typeof known === "function" && value instanceof known;
};

/** The picture as `(H, W, 3)`, numbers from 0 to 255. */
export function readPixels(source: ImageSource): tf.Tensor3D {
  if (isA<HTMLCanvasElement>(source, "HTMLCanvasElement") || isA<OffscreenCanvas>(source, "OffscreenCanvas")) return fromCanvas(source); // prettier-ignore
  if (isA<HTMLImageElement>(source, "HTMLImageElement")) {
    return draw(source, source.naturalWidth, source.naturalHeight, "the <img> has not loaded");
  }
  if (isA<HTMLVideoElement>(source, "HTMLVideoElement")) {
    const isReady = source.readyState >= source.HAVE_CURRENT_DATA;
    return draw(source, isReady ? source.videoWidth : 0, source.videoHeight, "the <video> has no frame yet"); // prettier-ignore
  }
  if (isA<ImageBitmap>(source, "ImageBitmap")) {
    return draw(source, source.width, source.height, "the ImageBitmap is closed");
  }
  return fromMemory(source);
}

function fromMemory(source: Pixels): tf.Tensor3D {
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
  const rgb = new Float32Array(3 * pixels);
  for (let i = 0; i < pixels; i += 1) {
    for (let c = 0; c < 3; c += 1) rgb[3 * i + c] = data[channels * i + c]!;
  }
  return tf.tensor3d(rgb, [height, width, 3]);
}

/** tfjs' webgl backend makes a canvas a texture; elsewhere its pixels are read. */
function fromCanvas(canvas: Canvas): tf.Tensor3D {
  if (canvas.width === 0 || canvas.height === 0) {
    throw new RangeError(`image: the canvas is empty: ${canvas.width} × ${canvas.height}`);
  }
  return tf.browser.fromPixels(canvas as HTMLCanvasElement, 3);
}

let shared: Canvas | null = null;

/** In the source's own size: tfjs would take that in which an image is shown on the page. */
function draw(
  source: HTMLImageElement | HTMLVideoElement | ImageBitmap,
  width: number,
  height: number,
  reason: string,
): tf.Tensor3D {
  if (width === 0 || height === 0) throw new Error(`image: ${reason}`);
  shared ??= typeof document === "undefined" ? new OffscreenCanvas(1, 1) : document.createElement("canvas"); // prettier-ignore
  Object.assign(shared, { width, height }); // empties it, too
  const options = { willReadFrequently: tf.getBackend() !== "webgl" };
  const context = shared.getContext("2d", options) as CanvasRenderingContext2D;
  context.drawImage(source, 0, 0);
  return fromCanvas(shared);
}
