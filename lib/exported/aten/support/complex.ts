import * as tf from "@tensorflow/tfjs-core";
import { toFloat } from "./dtype.js";

/**
 * A complex tensor as its two parts, because tfjs' complex64 has hardly any ops, and none on wasm.
 * It exists only between the ops of a program; see `packed`.
 */
export interface Complex {
  re: tf.Tensor;
  im: tf.Tensor;
}

/** A Python complex number. */
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

/** Splits `(…, 2)` into real and imaginary part. */
export function pairToComplex(x: tf.Tensor): Complex {
  const [re, im] = tf.unstack(x, -1) as [tf.Tensor, tf.Tensor];
  return { re, im };
}

/** The form of a complex tensor outside of a program: floats with a last dimension of 2. */
export const packed = <T>(value: T | Complex): T | tf.Tensor =>
  isComplex(value) ? tf.stack([value.re, value.im], -1) : value;

/** The inverse for a tensor that enters a program: complex ones become their two parts. */
export function unpacked(value: unknown, dtype: string | undefined): unknown {
  if (!(value instanceof tf.Tensor) || !dtype?.startsWith("complex")) return value;
  return value.dtype === "complex64"
    ? { re: tf.real(value), im: tf.imag(value) }
    : pairToComplex(value as tf.Tensor);
}
