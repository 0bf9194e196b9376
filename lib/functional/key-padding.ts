import * as tf from "@tensorflow/tfjs-core";
import { select } from "./select.js";

/** Whether every row of a mask (`true`: ignored) has its ignored places at the end. */
export function isLeftAligned(keyPaddingMask: tf.Tensor): boolean {
  // Read back: what a transformer's encoder gives for ignored places depends on it.
  const values = keyPaddingMask.dataSync();
  const width = keyPaddingMask.shape[1]!;
  const isIgnored = (value: number): boolean =>
    keyPaddingMask.dtype === "bool" ? value !== 0 : value === -Infinity;
  return values.every(
    (value, i) => i % width === 0 || isIgnored(value) || !isIgnored(values[i - 1]!),
  );
}

/** `(N, S, E)` with 0 at the places that a mask `(N, S)` ignores. */
export function zeroIgnored(x: tf.Tensor, keyPaddingMask: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const isIgnored =
      keyPaddingMask.dtype === "bool" ? keyPaddingMask : tf.equal(keyPaddingMask, -Infinity);
    const wide = tf.tile(tf.expandDims(isIgnored, 2), [1, 1, x.shape[2]!]);
    return select(tf.cast(wide, "bool"), tf.zerosLike(x), x);
  });
}
