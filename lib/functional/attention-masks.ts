import * as tf from "@tensorflow/tfjs-core";
import { atLeast } from "./numeric.js";
import { select } from "./select.js";

/** Far below all scores, but above -1e20, which webgl's `max` takes for the smallest number. */
const FLOOR = -1e19;

/**
 * The mask to add to the scores. A bool mask becomes 0 and -∞. In a float mask, numbers such as
 * float32's lowest become -1e19, so that a row full of them counts as evenly masked.
 */
export function additiveMask(mask: tf.Tensor): tf.Tensor {
  const hidden = tf.fill(mask.shape, -Infinity);
  if (mask.dtype === "bool") return select(mask, tf.zeros(mask.shape), hidden);
  return select(tf.equal(mask, -Infinity), hidden, atLeast(mask, FLOOR));
}

/** `(L, S)`, true on and below the diagonal: the positions that each query may see. */
export function isPast(l: number, s: number): tf.Tensor2D {
  const rows = tf.reshape(tf.range(0, l, 1, "int32"), [l, 1]);
  return tf.lessEqual(tf.range(0, s, 1, "int32"), rows);
}

/** `(L, S)`, 0 on and below the diagonal and -∞ above. */
export const causalMask = (l: number, s: number): tf.Tensor2D =>
  additiveMask(isPast(l, s)) as tf.Tensor2D;

/** The causal mask of a sequence; the caller disposes it. */
export function generateSquareSubsequentMask(size: number): tf.Tensor2D {
  return tf.tidy(() => causalMask(size, size));
}
