import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../../functional/op.js";

/** What a half keeps of float32's 24 bits, and which numbers it holds as they are. */
interface Half {
  /** Bits that are dropped. */
  dropped: number;
  /** Below, the steps between numbers are all alike: 2^-24 for float16. */
  least: number;
  /** From here on, infinite. */
  limit: number;
}

const HALVES: Readonly<Record<string, Half>> = {
  float16: { dropped: 13, least: 2 ** -14, limit: 65520 },
  bfloat16: { dropped: 16, least: 0, limit: Infinity },
};

export const isHalf = (dtype: string | undefined): boolean =>
  dtype !== undefined && Object.hasOwn(HALVES, dtype);

/**
 * Float32 rounded to what a half holds, to the nearest, ties to even, as PyTorch casts. In tfjs' own
 * ops, so that nothing is read back from a GPU. An op of its own: in one program, a GPU's compiler finds
 * that the differences cancel out.
 *
 * Source: T. J. Dekker, A floating-point technique for extending the available precision (1971).
 */
export const roundToHalf = op(
  "to_half",
  (x: tf.Tensor, { dtype }: { dtype: string }): tf.Tensor => {
    const { dropped, least, limit } = HALVES[dtype]!;
    const size = tf.abs(x);
    // Where its product would overflow, the number is made smaller first.
    const big = tf.greater(size, 2 ** 100);
    const near = split(tf.where(big, tf.mul(x, 2 ** -20), x), dropped);
    const rounded = tf.where(big, tf.mul(near, 2 ** 20), near);
    // Adding what has the steps that are wanted rounds to them.
    const step = 3 * 2 ** -2;
    const small = tf.sub(tf.add(x, step), step);
    const all = least > 0 ? tf.where(tf.less(size, least), small, rounded) : rounded;
    return tf.where(tf.less(size, limit), all, tf.mul(x, Infinity));
  },
);

/** Without the last bits, rounded. */
function split(x: tf.Tensor, bits: number): tf.Tensor {
  const wide = tf.mul(x, 2 ** bits + 1);
  return tf.sub(wide, tf.sub(wide, x));
}
