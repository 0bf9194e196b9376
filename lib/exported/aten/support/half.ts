import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../../functional/op.js";

/** How many of float32's 24 bits a half keeps, and which numbers are exact. */
interface Half {
  /** The number of bits that are dropped. */
  dropped: number;
  /** Below this, all steps between numbers are equal: 2^-24 for float16. */
  least: number;
  /** From here on, numbers become infinite. */
  limit: number;
}

const HALVES: Readonly<Record<string, Half>> = {
  float16: { dropped: 13, least: 2 ** -14, limit: 65520 },
  bfloat16: { dropped: 16, least: 0, limit: Infinity },
};

export const isHalf = (dtype: string | undefined): boolean =>
  dtype !== undefined && Object.hasOwn(HALVES, dtype);

/**
 * Rounds float32 to a half, to nearest, ties to even, as PyTorch casts. By tfjs ops, so that
 * nothing is read back from a GPU. It is a separate op because in one program with others a GPU's
 * compiler might cancel the differences.
 *
 * Source: T. J. Dekker, A floating-point technique for extending the available precision (1971).
 */
export const roundToHalf = op(
  "to_half",
  (x: tf.Tensor, { dtype }: { dtype: string }): tf.Tensor => {
    const { dropped, least, limit } = HALVES[dtype]!;
    const size = tf.abs(x);
    // If the product would overflow, the number is scaled down first.
    const big = tf.greater(size, 2 ** 100);
    const near = split(tf.where(big, tf.mul(x, 2 ** -20), x), dropped);
    const rounded = tf.where(big, tf.mul(near, 2 ** 20), near);
    // Adding a number whose steps have the wanted size rounds to these steps.
    const step = 3 * 2 ** -2;
    const small = tf.sub(tf.add(x, step), step);
    const all = least > 0 ? tf.where(tf.less(size, least), small, rounded) : rounded;
    return tf.where(tf.less(size, limit), all, tf.mul(x, Infinity));
  },
);

/** Rounds off the last bits. */
function split(x: tf.Tensor, bits: number): tf.Tensor {
  const wide = tf.mul(x, 2 ** bits + 1);
  return tf.sub(wide, tf.sub(wide, x));
}
