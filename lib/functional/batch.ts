import * as tf from "@tensorflow/tfjs-core";
import { asBody } from "./op.js";

/** Adds a batch dimension to an input, runs something on it, and removes the dimension again. */
export function withBatch(x: tf.Tensor, run: (batched: tf.Tensor) => tf.Tensor): tf.Tensor {
  return tf.squeeze(run(tf.expandDims(x, 0)), [0]);
}

/** `(N, L, E)` → `(L, N, E)`, or the inverse. */
export function swapBatch(x: tf.Tensor): tf.Tensor {
  const [n, l, e] = x.shape as [number, number, number];
  // If either is 1, a reshape suffices.
  return n === 1 || l === 1 ? tf.reshape(x, [l, n, e]) : asBody(() => tf.transpose(x, [1, 0, 2]));
}

/** Adds a batch dimension at an axis, unless there is one. */
export function asBatch(x: tf.Tensor, isBatched: boolean, axis: number): tf.Tensor {
  return isBatched ? x : tf.expandDims(x, axis);
}

/** The inverse of {@link asBatch}. */
export function fromBatch(x: tf.Tensor, isBatched: boolean, axis: number): tf.Tensor {
  return isBatched ? x : tf.squeeze(x, [axis]);
}

/** The states `(layers, N, H)` with the batch in another order; `null` keeps the order. */
export function reorderStates(state: tf.Tensor, order: readonly number[] | null): tf.Tensor {
  return order === null ? state : tf.gather(state, [...order], 1);
}

/** The initial state: zeros. */
export const noState = (shape: number[]): tf.Tensor => tf.zeros(shape);
