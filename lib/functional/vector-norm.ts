import * as tf from "@tensorflow/tfjs-core";
import { power, sum } from "./numeric.js";

/**
 * `(Σ|x|ᵖ)^(1/p)` along some axes. p may also be 0 (the number of nonzero elements), ±∞ or
 * negative.
 */
export function vectorNorm(
  x: tf.Tensor,
  p: number,
  axes: number | number[],
  keepdim: boolean,
): tf.Tensor {
  if (p === 2) return tf.sqrt(sum(tf.square(x), axes, keepdim));
  const size = tf.abs(x);
  if (p === 1) return sum(size, axes, keepdim);
  if (p === Infinity) return tf.max(size, axes, keepdim);
  if (p === -Infinity) return tf.min(size, axes, keepdim);
  if (p === 0) return sum(tf.cast(tf.notEqual(x, 0), "float32"), axes, keepdim);
  return power(sum(power(size, p), axes, keepdim), 1 / p);
}
