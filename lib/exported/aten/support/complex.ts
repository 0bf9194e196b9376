import * as tf from "@tensorflow/tfjs-core";
import { toFloat } from "./dtype.js";

/**
 * A complex tensor, as its two parts: tfjs' complex64 has hardly any ops, and none on wasm. It exists
 * between two ops of a program only; see `packed`.
 */
export interface Complex {
  re: tf.Tensor;
  im: tf.Tensor;
}

/** A complex number of Python. */
export interface ComplexNumber {
  real: number;
  imag: number;
}

const isRecord = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !(value instanceof tf.Tensor);

export const isComplex = (value: unknown): value is Complex =>
  isRecord(value) && "re" in value && "im" in value;

export const isComplexNumber = (value: unknown): value is ComplexNumber =>
  isRecord(value) && "real" in value && "imag" in value;

export const complexOf = (x: tf.Tensor | Complex): Complex =>
  isComplex(x) ? x : { re: toFloat(x), im: tf.zerosLike(toFloat(x)) };

export const both = (z: Complex, run: (x: tf.Tensor) => tf.Tensor): Complex => ({
  re: run(z.re),
  im: run(z.im),
});

/** `(…, 2)` as real and imaginary part. */
export function pairToComplex(x: tf.Tensor): Complex {
  const [re, im] = tf.unstack(x, -1) as [tf.Tensor, tf.Tensor];
  return { re, im };
}

/** What a complex tensor is outside of a program: one of floats, with a last dimension of 2. */
export const packed = <T>(value: T | Complex): T | tf.Tensor =>
  isComplex(value) ? tf.stack([value.re, value.im], -1) : value;

/** A tensor that comes into a program: complex ones as their two parts. */
export function unpacked(value: unknown, dtype: string | undefined): unknown {
  if (!(value instanceof tf.Tensor) || !dtype?.startsWith("complex")) return value;
  return value.dtype === "complex64"
    ? { re: tf.real(value), im: tf.imag(value) }
    : pairToComplex(value as tf.Tensor);
}
