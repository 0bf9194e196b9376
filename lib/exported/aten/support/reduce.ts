import * as tf from "@tensorflow/tfjs-core";
import { comparison, where } from "./arithmetic.js";
import { BOOL, INT, toDtype, toFloat, toKind } from "./dtype.js";
import { around, dimsOf, permuteAxes } from "./shape.js";

export type Dims = number | readonly number[] | null | undefined;

type RowReduction = (rows: tf.Tensor) => tf.Tensor;

/** The shape after a reduction. */
export function reducedShape(x: tf.Tensor, dims: readonly number[], keepdim: boolean): number[] {
  if (keepdim) return x.shape.map((size, i) => (dims.includes(i) ? 1 : size));
  return x.shape.filter((_, i) => !dims.includes(i));
}

/** The tensor as rows of elements that are reduced together; for any rank. */
export function asRows(x: tf.Tensor, dims: readonly number[]): tf.Tensor {
  const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const sorted = [...dims].sort((a, b) => a - b);
  const inner = sorted.reduce((size, dim) => size * x.shape[dim]!, 1);
  const outer = kept.reduce((size, dim) => size * x.shape[dim]!, 1);
  return tf.reshape(permuteAxes(x, [...kept, ...sorted]), [outer, inner]);
}

/** Reduces rows to one value each, and reshapes the result as PyTorch does. */
export function reduceRows(
  name: string,
  x: tf.Tensor,
  dim: Dims,
  keepdim: boolean,
  run: RowReduction,
): tf.Tensor {
  const dims = dimsOf(name, x, dim);
  return tf.reshape(run(asRows(x, dims)), reducedShape(x, dims, keepdim));
}

/** The sum of rows; 0 for empty ones. */
export const sumRows: RowReduction = (rows) =>
  rows.size === 0 ? tf.zeros([rows.shape[0]], rows.dtype) : tf.sum(rows, 1);

/**
 * The maximum of rows; NaN if there is one. webgl's `max` ignores numbers below -1e20, so for those
 * it is computed again with scaled numbers.
 */
export const maxRows: RowReduction = (rows) => {
  if (rows.dtype !== "float32") return toDtype(tf.max(toKind(rows, INT), 1), rows.dtype);
  const most = tf.max(rows, 1);
  const isNaN = (): tf.Tensor => tf.any(tf.isNaN(rows), 1);
  if (tf.getBackend() === "cpu") return most;
  if (tf.getBackend() !== "webgl") return where(isNaN(), NaN, most);
  const lower = tf.mul(tf.max(tf.mul(rows, 1e-20), 1), 1e20);
  return where(isNaN(), NaN, where(tf.greater(most, -1e20), most, lower));
};

export const minRows: RowReduction = (rows) => {
  if (rows.dtype === "bool") return toDtype(minRows(toKind(rows, INT)), "bool");
  return tf.neg(maxRows(tf.neg(rows)));
};

/** The index of the maximum of rows: the first of equal ones; NaN counts as the largest. */
export const argMaxRows: RowReduction = (rows) => {
  if (rows.dtype !== "float32") return tf.argMax(toKind(rows, INT), 1);
  const missing = tf.isNaN(rows);
  const usual = tf.argMax(where(missing, -Infinity, rows), 1);
  const isNaN = tf.any(missing, 1);
  return where(isNaN, tf.argMax(toKind(missing, INT), 1), usual);
};

export const argMinRows: RowReduction = (rows) =>
  argMaxRows(tf.neg(rows.dtype === "bool" ? toKind(rows, INT) : rows));

export const anyRows: RowReduction = (rows) => {
  if (rows.size === 0) return tf.zeros([rows.shape[0]], "bool");
  return tf.any(toKind(rows, BOOL), 1);
};

export const allRows: RowReduction = (rows) =>
  tf.logicalNot(anyRows(tf.logicalNot(toKind(rows, BOOL))));

/** The mean of rows; NaN for empty ones. */
export const meanRows: RowReduction = (rows) => {
  if (rows.size === 0) return tf.fill([rows.shape[0]], NaN);
  return tf.mean(toFloat(rows), 1);
};

/** The sum of squared deviations from the mean, divided by n - correction. */
export function varianceRows(
  rows: tf.Tensor,
  correction: number,
): { mean: tf.Tensor; variance: tf.Tensor } {
  const n = rows.shape[1]!;
  if (rows.size === 0) {
    const none = tf.fill([rows.shape[0]], NaN);
    return { mean: none, variance: none };
  }
  const rough = tf.mean(rows, 1, true);
  const near = tf.sub(rows, rough);
  // The float32 mean of large numbers has an error, which the mean of the deviations corrects.
  const rest = tf.mean(near, 1, true);
  const squares = tf.sum(tf.square(tf.sub(near, rest)), 1);
  const degrees = Math.max(0, n - correction);
  const variance =
    degrees === 0 ? where(tf.equal(squares, 0), NaN, Infinity) : tf.div(squares, degrees);
  return { mean: tf.reshape(tf.add(rough, rest), [-1]), variance };
}

/** The log of the sum of exponentials, without overflow. */
export const logSumExpRows: RowReduction = (rows) => {
  if (rows.size === 0) return tf.fill([rows.shape[0]], -Infinity);
  const most = maxRows(rows);
  const shift = where(tf.isFinite(most), most, 0);
  const powers = tf.exp(tf.sub(rows, tf.reshape(shift, [-1, 1])));
  const sum = tf.log(tf.sum(powers, 1));
  return where(tf.isFinite(most), tf.add(sum, shift), most);
};

export interface Scan {
  values: tf.Tensor;
  indices: tf.Tensor;
}

/**
 * Combines each element with all before it along a dimension, in log₂ n steps. `combine` gets the
 * partial results that end `step` positions before, and here.
 */
export function scanAxis<T extends readonly tf.Tensor[]>(
  parts: T,
  dim: number,
  combine: (before: T, here: T) => T,
): T {
  const [before, size, behind] = around(parts[0]!, dim);
  const { shape } = parts[0]!;
  let flat = parts.map((part) => tf.reshape(part, [before, size, behind])) as unknown as T;
  for (let step = 1; step < size; step *= 2) {
    const cut = (from: number, to: number): T =>
      flat.map((part) => tf.slice(part, [0, from, 0], [before, to - from, behind])) as unknown as T;
    const joined = combine(cut(0, size - step), cut(step, size));
    const head = cut(0, step);
    flat = joined.map((part, i) => tf.concat([head[i]!, part], 1)) as unknown as T;
  }
  return flat.map((part) => tf.reshape(part, shape)) as unknown as T;
}

/** The cumulative maximum (or minimum), and its last index. */
export function cumulativeExtreme(x: tf.Tensor, dim: number, wins: typeof tf.greaterEqual): Scan {
  const size = x.shape[dim]!;
  const numbers = x.dtype === "bool" ? toKind(x, INT) : x;
  const [before, , behind] = around(x, dim);
  const places = tf.tile(tf.reshape(tf.range(0, size, 1, "int32"), [1, size, 1]), [
    before,
    1,
    behind,
  ]);
  const [values, indices] = scanAxis(
    [numbers, tf.reshape(places, x.shape)] as const,
    dim,
    ([oldValue, oldPlace], [value, place]) => {
      const isBetter = comparison(wins, value, oldValue);
      const takes = value.dtype === "float32" ? tf.logicalOr(isBetter, tf.isNaN(value)) : isBetter;
      const stays =
        value.dtype === "float32"
          ? tf.logicalAnd(tf.isNaN(oldValue), tf.logicalNot(tf.isNaN(value)))
          : null;
      const test = stays === null ? takes : tf.logicalAnd(takes, tf.logicalNot(stays));
      return [where(test, value, oldValue), where(test, place, oldPlace)] as const;
    },
  );
  return { values: toDtype(values, x.dtype), indices };
}
