import * as tf from "@tensorflow/tfjs-core";
import { asBody } from "./op.js";

/** Runs something on an input that lacks the batch dimension, as on a batch of one. */
export function withBatch(x: tf.Tensor, run: (batched: tf.Tensor) => tf.Tensor): tf.Tensor {
  return tf.squeeze(run(tf.expandDims(x, 0)), [0]);
}

/** `(N, L, E)` as `(L, N, E)`, and the other way round. */
export function swapBatch(x: tf.Tensor): tf.Tensor {
  const [n, l, e] = x.shape as [number, number, number];
  // Numbers move only where there are several of both.
  return n === 1 || l === 1 ? tf.reshape(x, [l, n, e]) : asBody(() => tf.transpose(x, [1, 0, 2]));
}

/** One sequence or state as a batch of one, at an axis; a batch as it is. */
export function asBatch(x: tf.Tensor, isBatched: boolean, axis: number): tf.Tensor {
  return isBatched ? x : tf.expandDims(x, axis);
}

/** What {@link asBatch} made of one sequence, as one again. */
export function fromBatch(x: tf.Tensor, isBatched: boolean, axis: number): tf.Tensor {
  return isBatched ? x : tf.squeeze(x, [axis]);
}

/** The states `(layers, N, H)` of a batch in another order; `null` for this one. */
export function reorderStates(state: tf.Tensor, order: readonly number[] | null): tf.Tensor {
  return order === null ? state : tf.gather(state, [...order], 1);
}

/** The state before anything was read. */
export const noState = (shape: number[]): tf.Tensor => tf.zeros(shape);
