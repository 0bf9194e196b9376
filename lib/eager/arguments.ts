/** Reads the arguments of ops. Anything that is not certainly right is left to the op's body. */
import * as tf from "@tensorflow/tfjs-core";
import { stridesOf } from "../kernels/cpu/index.js";

export { product } from "../kernels/cpu/index.js";

export type Options = Readonly<Record<string, unknown>>;

/** Whether a value is a float32 tensor that has storage. */
export function isFloats(value: unknown): value is tf.Tensor {
  return (
    value instanceof tf.Tensor && !value.isDisposed && value.dtype === "float32" && value.size > 0
  );
}

/** An op's options if all of them are known, else `null`. */
export function options(given: unknown, known: string): Options | null {
  if (given === undefined) return {};
  if (typeof given !== "object" || given === null || Array.isArray(given)) return null;
  const names = known.split(" ");
  return Object.keys(given).every((name) => names.includes(name)) ? (given as Options) : null;
}

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/**
 * The strides, row-major, of a tensor that is broadcast to a shape: 0 where it repeats; `null` if
 * it does not broadcast.
 */
export function stridesOver(from: readonly number[], shape: readonly number[]): number[] | null {
  const missing = shape.length - from.length;
  const fits = from.every((size, i) => size === 1 || size === shape[missing + i]);
  if (missing < 0 || !fits) return null;
  const strides = stridesOf(from);
  return shape.map((_, i) => (i < missing || from[i - missing] === 1 ? 0 : strides[i - missing]!));
}

/** The common shape of two tensors that broadcast; `stridesOver` tells whether they do. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const at = (shape: readonly number[], i: number): number => shape[shape.length - rank + i] ?? 1;
  return Array.from({ length: rank }, (_, i) => (at(a, i) === 1 ? at(b, i) : at(a, i)));
}
