import * as tf from "@tensorflow/tfjs-core";
import { asFloat } from "./check.js";

/** A number as PyTorch stores it in such a tensor, or the nearest; on webgl tfjs would round what fills one. */
export function inDtype({ dtype }: tf.Tensor, value: number): number {
  if (dtype === "bool") return Number(value !== 0);
  return dtype === "int32" ? Math.trunc(Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value))) : value;
}

/** A number in the tensor's dtype: tfjs makes a bare number a float, and the result too. */
export function scalarLike(x: tf.Tensor, value: number): tf.Scalar {
  return tf.scalar(inDtype(x, value), x.dtype);
}

/** `max(x, low)`; NaN stays NaN. */
export function atLeast(x: tf.Tensor, low: number): tf.Tensor {
  // The order of the arguments matters: on wasm maximum(0, NaN) is 0, and maximum(NaN, 0) is NaN.
  return tf.maximum(x, scalarLike(x, low));
}

/** `min(x, high)`; NaN stays NaN. */
export function atMost(x: tf.Tensor, high: number): tf.Tensor {
  return tf.minimum(x, scalarLike(x, high));
}

/** `min(max(x, low), high)`. Not tf.clipByValue: on webgl it leaves ∞, on wasm NaN becomes low. */
export function clamp(x: tf.Tensor, low: number, high: number): tf.Tensor {
  return atMost(atLeast(x, low), high);
}

/**
 * The largest numbers along a dimension, which stays. webgl's `max` knows nothing below -1e20: scaled
 * down, all of float32 is above.
 */
export function largest(x: tf.Tensor, dim: number): tf.Tensor {
  return tf.mul(tf.max(tf.mul(x, 2 ** -66), dim, true), 2 ** 66);
}

/**
 * `xᵖ` for `x ≥ 0`, as floats. On webgl tf.pow makes numbers of NaN, and 0 of `0ᵖ` with a negative p;
 * on wasm it takes the bits of integers for floats, and writes behind the memory of booleans.
 */
export function power(x: tf.Tensor, p: number): tf.Tensor {
  const flat = asFloat(tf.reshape(x, [-1])); // where takes no rank 5 on webgl
  const base = p < 0 ? tf.reciprocal(flat) : flat;
  return tf.reshape(tf.where(tf.isNaN(base), base, tf.pow(base, Math.abs(p))), x.shape);
}

/** `Σx` along some axes; of nothing 0, as on wasm tfjs leaves such a sum unwritten. Default: all axes. */
export function sum(x: tf.Tensor, axes?: number | number[], keepdim = false): tf.Tensor {
  if (x.size > 0) return tf.sum(x, axes, keepdim);
  const gone = tf.util.parseAxisParam(axes as number, x.shape);
  const kept = x.shape.map((n, i) => (gone.includes(i) ? 1 : n));
  const shape = keepdim ? kept : kept.filter((_, i) => !gone.includes(i));
  return tf.zeros(shape, x.dtype === "bool" ? "int32" : x.dtype);
}
