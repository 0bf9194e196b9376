/** How pictures get directly to a model that is compiled for WebGL, which runs outside of tfjs. */
import type * as tf from "@tensorflow/tfjs-core";
import type { Frame } from "./frame.js";
import type { Picture } from "./source.js";

/** Makes a tensor of a picture; `null` if it cannot. */
export type TakePicture = (
  picture: Picture,
  frame: Frame,
  options: { mean: readonly number[]; std: readonly number[]; antialias: boolean },
) => tf.Tensor4D | null;

let take: TakePicture | null = null;

/** Sets the function that makes tensors of pictures; `null`: tensors of tfjs' backend again. */
export function setTakePicture(way: TakePicture | null): void {
  take = way;
}

export const takePicture = (...args: Parameters<TakePicture>): tf.Tensor4D | null =>
  take?.(...args) ?? null;
