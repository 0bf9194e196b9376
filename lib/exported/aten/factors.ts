/** Factorisations: Cholesky, LU, QR, singular values, and eigenvalues of symmetric matrices. */
import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../functional/op.js";
import { checkFactors } from "./checks.js";
import { defineOps } from "./support/define.js";
import { toFloat } from "./support/dtype.js";
import { valuesOf } from "./support/host.js";
import {
  cholesky,
  columnsOf,
  complete,
  cut,
  diagonal,
  eigh,
  exchange,
  identity,
  luFactor,
  type Matrix,
  matrixOf,
  qr,
  solveTriangle,
  svd,
  turn,
} from "./support/matrices.js";
import { broadcastShapes, expandTo, permuteAxes } from "./support/shape.js";

type Part = Matrix | Float64Array;

/**
 * Declares an op on matrices: the last two dimensions of its tensors; the dimensions before are
 * broadcast. `run` is called in JavaScript with one matrix of each at a time, and returns matrices
 * and vectors.
 */
export function matrixOp<A extends unknown[]>(
  name: string,
  run: (matrices: Matrix[], ...rest: A) => Part[],
): (tensors: readonly tf.Tensor[], ...rest: A) => tf.Tensor[] {
  return op(name, (tensors: readonly tf.Tensor[], ...rest: A): tf.Tensor[] => {
    const lead = broadcastShapes(...tensors.map(({ shape }) => shape.slice(0, -2)));
    const batch = tf.util.sizeFromShape(lead);
    const sources = tensors.map((x) => {
      const [rows, columns] = x.shape.slice(-2) as [number, number];
      const values = valuesOf(expandTo(toFloat(x), [...lead, rows, columns]));
      return (m: number): Matrix =>
        batch === 0
          ? identity(rows, columns)
          : matrixOf(Array.from({ length: rows }, (_, i) => Float64Array.from(values.subarray((m * rows + i) * columns, (m * rows + i + 1) * columns))), columns); // prettier-ignore
    });
    const results = Array.from({ length: Math.max(1, batch) }, (_, m) =>
      run(sources.map((matrix) => matrix(m)), ...rest)); // prettier-ignore
    return results[0]!.map((first, part) => {
      const shape = Array.isArray(first) ? [first.length, columnsOf(first)] : [first.length];
      const size = tf.util.sizeFromShape(shape);
      const values = new Float32Array(batch * size);
      for (let m = 0; m < batch; m += 1) {
        const one = results[m]![part]!;
        const rows = Array.isArray(one) ? one : [one];
        rows.forEach((row, i) => values.set(row, m * size + i * row.length));
      }
      return tf.tensor(values, [...lead, ...shape]);
    });
  });
}

/** Repeats matrices to the number of their right-hand sides. */
export const repeated = (a: tf.Tensor, x: tf.Tensor): tf.Tensor =>
  expandTo(a, [...x.shape.slice(0, -2), ...a.shape.slice(-2)]);

/** Transposes each matrix. */
export const turned = (x: tf.Tensor): tf.Tensor =>
  permuteAxes(x, [...x.shape.map((_, i) => i).slice(0, -2), x.rank - 1, x.rank - 2]);

const choleskyOp = /* @__PURE__ */ matrixOp("linalg_cholesky", ([a], upper: boolean) => {
  const lower = upper ? turn(a!) : a!;
  const l = cholesky(lower);
  return [l === null ? a! : upper ? turn(l) : l, Float64Array.of(l === null ? order(lower) : 0)];
});

/** The order of the first leading minor that is not positive. */
function order(a: Matrix): number {
  for (let k = 1; k < a.length; k += 1) {
    if (cholesky(a.slice(0, k).map((row) => row.slice(0, k))) === null) return k;
  }
  return a.length;
}

/** The last result as PyTorch's `info`: one int32 for each matrix. */
export const withInfo = (parts: tf.Tensor[]): tf.Tensor[] => {
  const info = parts.at(-1)!;
  return [...parts.slice(0, -1), tf.cast(tf.reshape(info, info.shape.slice(0, -1)), "int32")];
};

function choleskyWithInfo(
  name: string,
  self: tf.Tensor,
  upper: boolean,
  isChecked: boolean,
): tf.Tensor[] {
  const [l, info] = withInfo(choleskyOp([self], upper)) as [tf.Tensor, tf.Tensor];
  return [isChecked ? checkFactors(l, info, name) : l, info];
}

const triangle = /* @__PURE__ */ matrixOp(
  "linalg_solve_triangular",
  ([a, b], upper: boolean, left: boolean, unit: boolean) =>
    left
      ? [solveTriangle(a!, b!, upper, unit)]
      : [turn(solveTriangle(turn(a!), turn(b!), !upper, unit))],
);

/** Solves equations with a matrix given by its Cholesky factor. */
const choleskySolve = /* @__PURE__ */ matrixOp("cholesky_solve", ([b, given], upper: boolean) => {
  const l = upper ? turn(given!) : given!;
  return [solveTriangle(turn(l), solveTriangle(l, b!, false), true)];
});

const qrOp = /* @__PURE__ */ matrixOp("linalg_qr", ([a], mode: string) => {
  const { q, r } = qr(a!);
  if (mode === "complete") return [q, r];
  const k = Math.min(a!.length, columnsOf(a!));
  return [cut(q, k), matrixOf(r.slice(0, k), columnsOf(r))];
});

const factorQr = (self: tf.Tensor, mode = "reduced"): tf.Tensor[] => {
  const [q, r] = qrOp([self], mode) as [tf.Tensor, tf.Tensor];
  return [mode === "r" ? tf.zeros([0]) : q, r];
};

const svdOp = /* @__PURE__ */ matrixOp("linalg_svd", ([a], full: boolean) => {
  const { u, s, v } = svd(a!);
  if (!full) return [u, s, turn(v)];
  return [turn(complete(turn(u), a!.length)), s, complete(turn(v), columnsOf(a!))];
});

export function svdOf(
  self: tf.Tensor,
  full = false,
): { u: tf.Tensor; s: tf.Tensor; vh: tf.Tensor } {
  const [u, s, vh] = svdOp([self], full) as [tf.Tensor, tf.Tensor, tf.Tensor];
  return { u, s, vh };
}

const eighOp = /* @__PURE__ */ matrixOp("linalg_eigh", ([a], upper: boolean) => {
  // Only one triangle is read.
  const whole = a!.map((row, i) => row.map((_, j) => ((upper ? i > j : i < j) ? a![j]![i]! : row[j]!))); // prettier-ignore
  const { values, vectors } = eigh(whole);
  return [values, vectors];
});

/** Eigenvalues in ascending order, and eigenvectors, of symmetric matrices. */
export const eighOf = (self: tf.Tensor, half = "L"): [tf.Tensor, tf.Tensor] =>
  eighOp([self], half === "U") as [tf.Tensor, tf.Tensor];

const luOp = /* @__PURE__ */ matrixOp("linalg_lu_factor", ([a], pivot: boolean) => {
  const { lu, pivots } = luFactor(a!, pivot);
  return [lu, Float64Array.from(pivots, (one) => one + 1), zeroPivot(lu)];
});

/** The index of the first pivot that is zero, from 1; 0 if there is none. */
export const zeroPivot = (lu: Matrix): Float64Array => Float64Array.of(diagonal(lu).indexOf(0) + 1);

export const luFactors = (self: tf.Tensor, pivot = true): [tf.Tensor, tf.Tensor] =>
  luWithInfo(self, pivot).slice(0, 2) as [tf.Tensor, tf.Tensor];

/**
 * Both factors in one matrix, the pivots counted from 1, and the index of the first zero pivot, or
 * 0.
 */
function luWithInfo(self: tf.Tensor, pivot = true, isChecked = false): tf.Tensor[] {
  const [lu, pivots, info] = withInfo(luOp([self], pivot)) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const checked = isChecked ? checkFactors(lu, info, "torch.linalg.lu_factor") : lu;
  return [checked, tf.cast(pivots, "int32"), info];
}

/** `a = p l u`. */
const luParts = /* @__PURE__ */ matrixOp("linalg_lu", ([a], pivot: boolean) => {
  const { lu, pivots } = luFactor(a!, pivot);
  const k = Math.min(a!.length, columnsOf(a!));
  const l = lu.map((row, i) => Float64Array.from({ length: k }, (_, j) => (j < i ? row[j]! : Number(i === j)))); // prettier-ignore
  const u = lu.slice(0, k).map((row, i) => row.map((value, j) => (j < i ? 0 : value)));
  return [turn(exchange(identity(a!.length), pivots)), l, u];
});

export const factorOps = defineOps({
  "linalg_cholesky|cholesky(self, upper)": (self: tf.Tensor, upper = false) =>
    choleskyWithInfo("linalg.cholesky", self, upper, true)[0],
  "linalg_cholesky_ex(self, upper, check_errors)": (
    self: tf.Tensor,
    upper = false,
    isChecked = false,
  ) => choleskyWithInfo("linalg.cholesky_ex", self, upper, isChecked),
  "cholesky_solve(self, input2, upper)": (b: tf.Tensor, l: tf.Tensor, upper = false) =>
    choleskySolve([b, l], upper)[0],
  "cholesky_inverse(self, upper)": (self: tf.Tensor, upper = false) =>
    choleskySolve([tf.eye(self.shape.at(-1)!), self], upper)[0],
  "linalg_solve_triangular(self, B, upper, left, unitriangular)": (
    a: tf.Tensor,
    b: tf.Tensor,
    upper: boolean,
    left = true,
    unit = false,
  ) => triangle([a, b], upper, left, unit)[0],
  "triangular_solve(self, A, upper, transpose, unitriangular)": (
    b: tf.Tensor,
    a: tf.Tensor,
    upper = true,
    transpose = false,
    unit = false,
  ) => {
    const x = triangle([transpose ? turned(a) : a, b], upper !== transpose, true, unit)[0]!;
    return [x, repeated(a, x)];
  },
  "linalg_qr(A, mode)": factorQr,
  "qr(self, some)": (self: tf.Tensor, some = true) => factorQr(self, some ? "reduced" : "complete"),
  "linalg_svd(A, full_matrices, driver)": (self: tf.Tensor, full = true) => svdOp([self], full),
  "_linalg_svd(A, full_matrices, compute_uv, driver)": (self: tf.Tensor, full = false) =>
    svdOp([self], full),
  "svd(self, some, compute_uv)": (self: tf.Tensor, some = true) => {
    const { u, s, vh } = svdOf(self, !some);
    return [u, s, turned(vh)];
  },
  "linalg_svdvals(A, driver)": (self: tf.Tensor) => svdOf(self).s,
  "linalg_eigh(self, UPLO)": eighOf,
  "_linalg_eigh(A, UPLO, compute_v)": eighOf,
  "linalg_eigvalsh(self, UPLO)": (self: tf.Tensor, half = "L") => eighOf(self, half)[0],
  "linalg_lu(A, pivot)": (self: tf.Tensor, pivot = true) => luParts([self], pivot),
  "linalg_lu_factor(A, pivot)": (self: tf.Tensor, pivot = true) =>
    luWithInfo(self, pivot, true).slice(0, 2),
  "linalg_lu_factor_ex(A, pivot, check_errors)": luWithInfo,
  "_lu_with_info(self, pivot, check_errors)": luWithInfo,
});
