/** The way of a picture to a model that is compiled for WebGL, which lies outside of tfjs. */
import type * as tf from "@tensorflow/tfjs-core";
import type { Frame } from "./frame.js";
import type { Picture } from "./source.js";

/** Makes a picture a tensor; `null` if it cannot. */
export type TakePicture = (
  picture: Picture,
  frame: Frame,
  options: { mean: readonly number[]; std: readonly number[]; antialias: boolean },
) => tf.Tensor4D | null;

let take: TakePicture | null = null;

/** Pictures go this way from now on; `null`: they become tensors of tfjs' backend again. */
export function setTakePicture(way: TakePicture | null): void {
  take = way;
}

export const takePicture = (...args: Parameters<TakePicture>): tf.Tensor4D | null =>
  take?.(...args) ?? null;
