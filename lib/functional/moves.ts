import * as tf from "@tensorflow/tfjs-core";

/**
 * Splits a dimension into equal parts. (tfjs has no gradient for a split into one part, so that is
 * the tensor itself.)
 */
export const split = (x: tf.Tensor, count: number, dim: number): tf.Tensor[] =>
  count === 1 ? [x] : tf.split(x, count, dim);
