/** Batches without what they are filled up with, which PyTorch keeps as nested tensors. */
import * as tf from "@tensorflow/tfjs-core";

/**
 * `(N, T, E)` → the same with 0 where a key padding mask `(N, T)` ignores, by `true` or -∞; as it is if in
 * one row something follows what is ignored.
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
