/** Symmetric matrices as `l d lᵀ`, in the form of LAPACK's sytrf and sytrs (Bunch-Kaufman). */
import * as tf from "@tensorflow/tfjs-core";
import { matrixOp } from "./factors.js";
import { defineOps } from "./support/define.js";
import { copyOf, type Matrix } from "./support/matrices.js";

const ALPHA = (1 + Math.sqrt(17)) / 8;

/**
 * From the lower triangle: `l`, and the blocks of `d`. Pivots count from 1; two equal negative ones
 * mark a 2 × 2 block.
 */
function factor(given: Matrix): { ld: Matrix; pivots: Float64Array; info: number } {
  const a = copyOf(given);
  const n = a.length;
  const pivots = new Float64Array(n);
  let info = 0;
  for (let k = 0; k < n;) {
    const { row, isPair, isZero } = pivotOf(a, k);
    const step = isPair ? 2 : 1;
    const last = k + step - 1;
    if (row !== last) exchangeLower(a, k, last, row);
    if (isZero) info ||= k + 1;
    else if (isPair) eliminatePair(a, k);
    else eliminate(a, k);
    pivots.fill(isPair ? -(row + 1) : row + 1, k, k + step);
    k += step;
  }
  a.forEach((row, i) => row.fill(0, i + 1));
  return { ld: a, pivots, info };
}

/** Chooses the next pivot row, alone or together with row `k`. */
function pivotOf(a: Matrix, k: number): { row: number; isPair: boolean; isZero: boolean } {
  const size = (i: number, j: number): number => Math.abs(i >= j ? a[i]![j]! : a[j]![i]!);
  let best = k;
  for (let i = k + 1; i < a.length; i += 1) if (best === k || size(i, k) > size(best, k)) best = i;
  const [own, most] = [size(k, k), best === k ? 0 : size(best, k)];
  const alone = { row: k, isPair: false, isZero: !(Math.max(own, most) > 0) };
  if (alone.isZero || own >= ALPHA * most) return alone;
  let across = 0;
  for (let j = k; j < a.length; j += 1) if (j !== best) across = Math.max(across, size(best, j));
  if (own >= ALPHA * most * (most / across)) return alone;
  return { row: best, isPair: size(best, best) < ALPHA * across, isZero: false };
}

/** Exchanges rows and columns `from` and `to`, of which only the lower triangle is stored. */
function exchangeLower(a: Matrix, k: number, from: number, to: number): void {
  const swap = (i: number, j: number, p: number, q: number): void => {
    [a[i]![j], a[p]![q]] = [a[p]![q]!, a[i]![j]!];
  };
  for (let i = to + 1; i < a.length; i += 1) swap(i, from, i, to);
  for (let i = from + 1; i < to; i += 1) swap(i, from, to, i);
  swap(from, from, to, to);
  if (from > k) swap(from, k, to, k);
}

function eliminate(a: Matrix, k: number): void {
  const pivot = a[k]![k]!;
  for (let j = k + 1; j < a.length; j += 1) {
    const factor = a[j]![k]! / pivot;
    for (let i = j; i < a.length; i += 1) a[i]![j]! -= a[i]![k]! * factor;
  }
  for (let i = k + 1; i < a.length; i += 1) a[i]![k]! /= pivot;
}

function eliminatePair(a: Matrix, k: number): void {
  const between = a[k + 1]![k]!;
  const [first, second] = [a[k + 1]![k + 1]! / between, a[k]![k]! / between];
  const scale = 1 / (first * second - 1) / between;
  for (let j = k + 2; j < a.length; j += 1) {
    const [x, y] = [a[j]![k]!, a[j]![k + 1]!];
    const [u, v] = [scale * (first * x - y), scale * (second * y - x)];
    for (let i = j; i < a.length; i += 1) a[i]![j]! -= a[i]![k]! * u + a[i]![k + 1]! * v;
    [a[j]![k], a[j]![k + 1]] = [u, v];
  }
}

function solve(ld: Matrix, pivots: Float64Array, b: Matrix): Matrix {
  const x = copyOf(b);
  const n = ld.length;
  const swap = (i: number, pivot: number): void => {
    const j = Math.abs(pivot) - 1;
    if (j >= 0) [x[i], x[j]] = [x[j]!, x[i]!]; // while a model is traced, all pivots are made-up zeros
  };
  const subtract = (to: number, factor: number, from: number): void =>
    x[from]!.forEach((value, j) => (x[to]![j]! -= factor * value));
  const starts: number[] = [];
  for (let k = 0; k < n; k += pivots[k]! < 0 ? 2 : 1) {
    starts.push(k);
    const isPair = pivots[k]! < 0;
    const next = k + (isPair ? 2 : 1);
    swap(next - 1, pivots[k]!);
    for (let i = next; i < n; i += 1) for (let j = k; j < next; j += 1) subtract(i, ld[i]![j]!, j);
    if (!isPair) x[k] = x[k]!.map((value) => value / ld[k]![k]!);
    else {
      const [p, q, r] = [ld[k]![k]!, ld[k + 1]![k]!, ld[k + 1]![k + 1]!];
      const [u, v] = [x[k]!, x[k + 1]!];
      const scale = p * r - q * q;
      x[k] = u.map((value, j) => (r * value - q * v[j]!) / scale);
      x[k + 1] = v.map((value, j) => (p * value - q * u[j]!) / scale);
    }
  }
  for (const k of starts.reverse()) {
    const next = k + (pivots[k]! < 0 ? 2 : 1);
    for (let j = k; j < next; j += 1) for (let i = next; i < n; i += 1) subtract(j, ld[i]![j]!, i);
    swap(next - 1, pivots[k]!);
  }
  return x;
}

const factors = /* @__PURE__ */ matrixOp("linalg_ldl_factor", ([a], isChecked: boolean) => {
  const { ld, pivots, info } = factor(a!);
  if (isChecked && info > 0) {
    throw new Error(`linalg.ldl_factor: (Batch element 0): The factorization could not be completed because D[${info - 1},${info - 1}] is zero.`); // prettier-ignore
  }
  return [ld, pivots, Float64Array.of(info)];
});

const solutions = /* @__PURE__ */ matrixOp("linalg_ldl_solve", ([ld, pivots, b]) => [
  solve(ld!, pivots![0]!, b!),
]);

function ldlFactor(self: tf.Tensor, isChecked: boolean): tf.Tensor[] {
  const [ld, pivots, info] = factors([self], isChecked) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const codes = tf.reshape(info, self.shape.slice(0, -2));
  return [ld, tf.cast(pivots, "int32"), tf.cast(codes, "int32")];
}

export const ldlOps = defineOps({
  // Real matrices, which are Hermitian if they are symmetric.
  "linalg_ldl_factor(self, hermitian)": (self: tf.Tensor) => ldlFactor(self, false).slice(0, 2),
  "linalg_ldl_factor_ex(self, hermitian, check_errors)": (
    self: tf.Tensor,
    _hermitian: boolean,
    isChecked = false,
  ) => ldlFactor(self, isChecked),
  "linalg_ldl_solve(LD, pivots, B, hermitian)": (
    ld: tf.Tensor,
    pivots: tf.Tensor,
    b: tf.Tensor,
  ) => {
    const row = tf.reshape(pivots, [...pivots.shape.slice(0, -1), 1, pivots.shape.at(-1)!]);
    return solutions([ld, row, b])[0];
  },
});
