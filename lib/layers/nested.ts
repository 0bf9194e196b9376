/** Padded batches as PyTorch's encoder computes them, with nested tensors. */
import * as tf from "@tensorflow/tfjs-core";

/**
 * `(N, T, E)` → the same with 0 where a key padding mask `(N, T)` (`true`, or -∞) ignores
 * positions. Unchanged if in some row a position follows an ignored one.
 */
export function padded(x: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  const t = mask.shape[1]!;
  let ignored = mask.dtype === "bool" ? mask : tf.equal(mask, -Infinity);
  if (t > 1) {
    const part = (begin: number): tf.Tensor => tf.slice(ignored, [0, begin], [-1, t - 1]);
    const misplaced = tf.sum(tf.greater(part(0), part(1)));
    ignored = tf.logicalAnd(ignored, tf.equal(misplaced, 0));
  }
  return tf.where(tf.expandDims(ignored, 2), tf.scalar(0), x);
}
