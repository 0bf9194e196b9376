/** Reading what an op was called with. Whatever is not surely right is left to the op's body. */
import * as tf from "@tensorflow/tfjs-core";

export type Options = Readonly<Record<string, unknown>>;

/** A float32 tensor with numbers in it. */
export function isFloats(value: unknown): value is tf.Tensor {
  return (
    value instanceof tf.Tensor && !value.isDisposed && value.dtype === "float32" && value.size > 0
  );
}

/** A vector of so many float32 numbers. */
export const isVector = (value: unknown, n: number): value is tf.Tensor =>
  isFloats(value) && value.rank === 1 && value.size === n;

/** An optional vector: itself, `null` for none, `undefined` for what is something else. */
export function vector(value: unknown, n: number): tf.Tensor | null | undefined {
  if (value === undefined || value === null) return null;
  return isVector(value, n) ? value : undefined;
}

/** An op's options if it knows all of them, else `null`. */
export function options(given: unknown, known: string): Options | null {
  if (given === undefined) return {};
  if (typeof given !== "object" || given === null || Array.isArray(given)) return null;
  const names = known.split(" ");
  return Object.keys(given).every((name) => names.includes(name)) ? (given as Options) : null;
}

const isSize = (value: unknown, least: number): value is number =>
  Number.isInteger(value) && (value as number) >= least;

/** One number for each dimension, none below `least`; `null` for anything else. */
export function sizes(
  value: unknown,
  dims: number,
  missing: number | readonly number[],
  least: number,
): number[] | null {
  if (value === undefined || value === null) return new Array<number[]>(dims).fill([missing].flat()).map((all, i) => all[i] ?? all[0]!); // prettier-ignore
  if (isSize(value, least)) return new Array<number>(dims).fill(value);
  if (!Array.isArray(value) || value.length !== dims) return null;
  return value.every((one) => isSize(one, least)) ? [...value] : null;
}

export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);
