import * as tf from "@tensorflow/tfjs-core";

/** Runs something on an input that lacks the batch dimension, as on a batch of one. */
export function withBatch(x: tf.Tensor, run: (batched: tf.Tensor) => tf.Tensor): tf.Tensor {
  return tf.squeeze(run(tf.expandDims(x, 0)), [0]);
}

/** `(N, L, E)` as `(L, N, E)`, and the other way round. */
export function swapBatch(x: tf.Tensor): tf.Tensor {
  const [n, l, e] = x.shape as [number, number, number];
  // Numbers move only where there are several of both.
  return n === 1 || l === 1 ? tf.reshape(x, [l, n, e]) : tf.transpose(x, [1, 0, 2]);
}
