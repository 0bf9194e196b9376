import * as tf from "@tensorflow/tfjs-core";
import { atLeast } from "./numeric.js";
import { select } from "./select.js";

/** Far below all scores, yet above what webgl's `max` takes for the least number, -1e20. */
const FLOOR = -1e19;

/**
 * A mask as one to add to the scores: of a bool one (`true`: takes part) 0 and -∞. Of a float one,
 * numbers such as float32's least, of which a whole row counts as evenly masked, become -1e19.
 */
export function additiveMask(mask: tf.Tensor): tf.Tensor {
  const hidden = tf.fill(mask.shape, -Infinity);
  if (mask.dtype === "bool") return select(mask, tf.zeros(mask.shape), hidden);
  return select(tf.equal(mask, -Infinity), hidden, atLeast(mask, FLOOR));
}

/** `(L, S)`, true on and below the diagonal. */
export function isPast(l: number, s: number): tf.Tensor2D {
  const rows = tf.reshape(tf.range(0, l, 1, "int32"), [l, 1]);
  return tf.lessEqual(tf.range(0, s, 1, "int32"), rows);
}

/** `(L, S)`, 0 on and below the diagonal and -∞ above. */
export const causalMask = (l: number, s: number): tf.Tensor2D =>
  additiveMask(isPast(l, s)) as tf.Tensor2D;

/** The causal mask of a sequence, as a tensor of the caller's own. */
export function generateSquareSubsequentMask(size: number): tf.Tensor2D {
  return tf.tidy(() => causalMask(size, size));
}
