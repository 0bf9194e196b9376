import * as tf from "@tensorflow/tfjs-core";
import { asFloat } from "./check.js";

/**
 * A number as PyTorch would store it in such a tensor, or the nearest one. (On webgl, tfjs would
 * round a fill value.)
 */
export function inDtype({ dtype }: tf.Tensor, value: number): number {
  if (dtype === "bool") return Number(value !== 0);
  return dtype === "int32" ? Math.trunc(Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value))) : value;
}

/** A scalar with the tensor's dtype: tfjs makes a plain number a float, and then the result too. */
export function scalarLike(x: tf.Tensor, value: number): tf.Scalar {
  return tf.scalar(inDtype(x, value), x.dtype);
}

/** `max(x, low)`; NaN stays NaN. */
export function atLeast(x: tf.Tensor, low: number): tf.Tensor {
  // The order of arguments matters: on wasm maximum(0, NaN) is 0, but maximum(NaN, 0) is NaN.
  return tf.maximum(x, scalarLike(x, low));
}

/** `min(x, high)`; NaN stays NaN. */
export function atMost(x: tf.Tensor, high: number): tf.Tensor {
  return tf.minimum(x, scalarLike(x, high));
}

/**
 * `min(max(x, low), high)`. Not tf.clipByValue, which keeps ∞ on webgl and turns NaN into `low` on
 * wasm.
 */
export function clamp(x: tf.Tensor, low: number, high: number): tf.Tensor {
  return atMost(atLeast(x, low), high);
}

/**
 * The maximum along a dimension, which is kept. webgl's `max` ignores numbers below -1e20, so
 * numbers are scaled down.
 */
export function largest(x: tf.Tensor, dim: number): tf.Tensor {
  return tf.mul(tf.max(tf.mul(x, 2 ** -66), dim, true), 2 ** 66);
}

/**
 * `xᵖ` for `x ≥ 0`, as floats. On webgl tf.pow turns NaN into numbers, and `0ᵖ` into 0 for negative
 * p; on wasm it reads integers as floats, and writes past the memory of booleans.
 */
export function power(x: tf.Tensor, p: number): tf.Tensor {
  const flat = asFloat(tf.reshape(x, [-1])); // tf.where supports no rank above 4 on webgl
  const base = p < 0 ? tf.reciprocal(flat) : flat;
  return tf.reshape(tf.where(tf.isNaN(base), base, tf.pow(base, Math.abs(p))), x.shape);
}

/**
 * `Σx` along some axes; 0 for an empty sum, which tfjs leaves unwritten on wasm. Default: all axes.
 */
export function sum(x: tf.Tensor, axes?: number | number[], keepdim = false): tf.Tensor {
  if (x.size > 0) return tf.sum(x, axes, keepdim);
  const gone = tf.util.parseAxisParam(axes as number, x.shape);
  const kept = x.shape.map((n, i) => (gone.includes(i) ? 1 : n));
  const shape = keepdim ? kept : kept.filter((_, i) => !gone.includes(i));
  return tf.zeros(shape, x.dtype === "bool" ? "int32" : x.dtype);
}
