/** torch.linalg: inverses, solutions, determinants, norms, and other results of factorisations. */
import * as tf from "@tensorflow/tfjs-core";
import { checkFactors } from "./checks.js";
import { eighOf, luFactors, matrixOp, svdOf, turned, withInfo, zeroPivot } from "./factors.js";
import { matmul } from "./matmul.js";
import { mul } from "./pointwise-binary.js";
import { norm } from "./reduce.js";
import { holdsVectors } from "./refusals/matrices.js";
import { divide, where } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { toFloat, withDtype } from "./support/dtype.js";
import {
  columnsOf,
  diagonal,
  exchange,
  exponential,
  identity,
  luFactor,
  solveFactored,
  solveTriangle,
  turn,
} from "./support/matrices.js";
import { asRows, type Dims, maxRows, minRows, sumRows } from "./support/reduce.js";
import { dimsOf, expandTo, permuteAxes } from "./support/shape.js";

const determinants = /* @__PURE__ */ matrixOp("linalg_det", ([a]) => {
  const { lu, sign } = luFactor(a!);
  return [Float64Array.of(diagonal(lu).reduce((product, one) => product * one, sign))];
});

const determinant = (self: tf.Tensor): tf.Tensor =>
  tf.reshape(determinants([self])[0]!, self.shape.slice(0, -2));

/** Signs and logarithms of determinants, which may themselves be beyond float32. */
const logDeterminants = /* @__PURE__ */ matrixOp("linalg_slogdet", ([a]) => {
  const { lu, sign } = luFactor(a!);
  const factors = [...diagonal(lu)];
  return [
    Float64Array.of(factors.reduce((product, one) => product * Math.sign(one), sign)),
    Float64Array.of(factors.reduce((sum, one) => sum + Math.log(Math.abs(one)), 0)),
  ];
});

const logDeterminant = (self: tf.Tensor): [tf.Tensor, tf.Tensor] =>
  logDeterminants([self]).map((one) => tf.reshape(one, self.shape.slice(0, -2))) as [tf.Tensor, tf.Tensor]; // prettier-ignore

const solutions = /* @__PURE__ */ matrixOp("linalg_solve", ([a, b]) => {
  const { lu, pivots } = luFactor(a!);
  return [solveFactored(lu, pivots, b ?? identity(a!.length)), zeroPivot(lu)];
});

/** A solution, and the index of the first zero pivot, counted from 1, or 0. */
type Solved = [x: tf.Tensor, info: tf.Tensor];

const inverseWithInfo = (self: tf.Tensor): Solved => withInfo(solutions([self])) as Solved;

function inverse(self: tf.Tensor): tf.Tensor {
  const [x, info] = inverseWithInfo(self);
  return checkFactors(x, info, "linalg.inv");
}

/** One value for each matrix, though matrices were repeated for several right-hand sides. */
function onceEach(info: tf.Tensor, lead: number[]): tf.Tensor {
  if (String(info.shape) === String(lead)) return info;
  if (info.size === 0) return tf.zeros(lead, "int32");
  const size = info.shape.map((_, i) => lead[i - info.rank + lead.length] ?? 1);
  return tf.reshape(tf.slice(info, size.map(() => 0), size), lead); // prettier-ignore
}

function solveWithInfo(a: tf.Tensor, b: tf.Tensor, left = true): Solved {
  const areVectors = holdsVectors(a, b);
  // A vector on the left of 1 × 1 matrices is the same as one on the right.
  if (!left && !areVectors) {
    const [x, info] = solveWithInfo(turned(a), turned(b));
    return [turned(x), info];
  }
  const right = areVectors ? tf.reshape(b, [...b.shape, 1]) : b;
  const [x, all] = withInfo(solutions([a, right])) as Solved;
  const solved = areVectors ? tf.reshape(x, x.shape.slice(0, -1)) : x;
  return [solved, onceEach(all, a.shape.slice(0, -2))];
}

function solve(a: tf.Tensor, b: tf.Tensor, left = true): tf.Tensor {
  const [x, info] = solveWithInfo(a, b, left);
  return checkFactors(x, info, "torch.linalg.solve");
}

/** Throws for singular matrices if `check_errors` is set. */
const checked = (name: string, [x, info]: Solved, isChecked: boolean): Solved => [
  isChecked ? checkFactors(x, info, name) : x,
  info,
];

function matrixPower(self: tf.Tensor, n: number): tf.Tensor {
  if (n < 0) return matrixPower(inverse(self), -n);
  if (n === 0) return expandTo(tf.eye(self.shape.at(-1)!), self.shape);
  return n === 1 ? self : matmul(matrixPower(self, n - 1), self);
}

/** Matrix norms: fro, nuc, ±1, ±2, ±∞. */
function matrixNorm(
  self: tf.Tensor,
  ord: number | string = "fro",
  dim: readonly number[] = [-2, -1],
  keepdim = false,
  dtype?: unknown,
): tf.Tensor {
  const x = toFloat(withDtype(self, dtype));
  const [a, b] = dimsOf("linalg.matrix_norm", x, dim) as [number, number];
  const kept = x.shape.map((_, i) => i).filter((i) => i !== a && i !== b);
  const shape = keepdim
    ? x.shape.map((n, i) => (i === a || i === b ? 1 : n))
    : kept.map((i) => x.shape[i]!);
  if (ord === "fro") {
    return tf.reshape(tf.sqrt(sumRows(tf.square(asRows(x, [a, b])))), shape);
  }
  if (ord === "nuc" || ord === 2 || ord === -2) {
    const s = svdOf(permuteAxes(x, [...kept, a, b])).s;
    if (s.size === 0 && ord === "nuc") return tf.zeros(shape);
    const rows = tf.reshape(s, [-1, s.shape.at(-1)!]);
    return tf.reshape((ord === "nuc" ? sumRows : ord > 0 ? maxRows : minRows)(rows), shape);
  }
  const isColumns = Math.abs(ord as number) === 1;
  const [outer, inner] = isColumns ? [b, a] : [a, b];
  const moved = permuteAxes(tf.abs(x), [...kept, outer, inner]);
  const sums = tf.sum(moved, moved.rank - 1);
  const rows = tf.reshape(sums, [-1, x.shape[outer]!]);
  return tf.reshape((ord as number) > 0 ? maxRows(rows) : minRows(rows), shape);
}

type Tolerance = tf.Tensor | number | null | undefined;

const asColumn = (one: Tolerance): tf.Tensor =>
  one instanceof tf.Tensor ? tf.reshape(one, [...one.shape, 1]) : tf.scalar(one ?? 0);

/** Which singular values are above `max(atol, rtol · largest)`. */
function counted(self: tf.Tensor, s: tf.Tensor, atol: Tolerance, rtol: Tolerance): tf.Tensor {
  const most = tf.max(tf.abs(s), -1, true);
  const isGiven = atol instanceof tf.Tensor || (atol ?? 0) > 0;
  const usual = isGiven ? 0 : 2 ** -23 * Math.max(...self.shape.slice(-2));
  const relative = tf.mul(most, asColumn(rtol ?? usual));
  return tf.greater(tf.abs(s), tf.maximum(asColumn(atol), relative));
}

interface Factors {
  u: tf.Tensor;
  s: tf.Tensor;
  vh: tf.Tensor;
}

/** Singular values; those of a symmetric matrix from its eigenvalues. */
function factorsOf(self: tf.Tensor, hermitian: boolean): Factors {
  if (!hermitian) return svdOf(self);
  const [s, u] = eighOf(self);
  return { u, s, vh: turned(u) };
}

function pseudoInverse(
  self: tf.Tensor,
  atol: Tolerance,
  rtol: Tolerance,
  hermitian = false,
): tf.Tensor {
  const { u, s, vh } = factorsOf(self, hermitian);
  const inverted = where(counted(self, s, atol, rtol), divide(1, s), 0);
  const wide = tf.reshape(inverted, [...s.shape.slice(0, -1), 1, s.shape.at(-1)!]);
  return matmul(tf.mul(turned(vh), wide), turned(u));
}

const rank = (self: tf.Tensor, atol: Tolerance, rtol: Tolerance, hermitian = false): tf.Tensor => {
  const { s } = factorsOf(self, hermitian);
  // tfjs-wasm gives arbitrary values for empty sums.
  if (s.size === 0) return tf.zeros(s.shape.slice(0, -1), "int32");
  return tf.sum(tf.cast(counted(self, s, atol, rtol), "int32"), -1);
};

function condition(self: tf.Tensor, p: number | string | null = null): tf.Tensor {
  if (self.size === 0) return tf.zeros(self.shape.slice(0, -2));
  if (p === null || p === 2 || p === -2) {
    const { s } = svdOf(self);
    const [most, least] = [tf.max(s, -1), tf.min(s, -1)];
    return p === -2 ? divide(least, most) : divide(most, least);
  }
  if (p === "nuc") {
    const { s } = svdOf(self);
    return tf.mul(tf.sum(s, -1), tf.sum(divide(1, s), -1));
  }
  const [inverted, info] = inverseWithInfo(self);
  const product = tf.mul(matrixNorm(self, p), matrixNorm(inverted, p));
  return where(tf.greater(info, 0), Infinity, product);
}

const exponentials = /* @__PURE__ */ matrixOp("linalg_matrix_exp", ([a]) => [exponential(a!)]);

const size = (sizes: readonly number[]): number => tf.util.sizeFromShape([...sizes]);

const luSolutions = /* @__PURE__ */ matrixOp(
  "linalg_lu_solve",
  ([lu, places, b], adjoint: boolean) => {
    // Pivots count from 1. An empty batch runs on identity matrices, whose zeros are no valid pivots.
    const pivots = [...places![0]!].map((one) => Math.max(one - 1, 0));
    if (!adjoint) return [solveFactored(lu!, pivots, b!)];
    // The factors of the transposed matrix, in reverse order.
    const t = turn(lu!);
    return [exchange(solveTriangle(t, solveTriangle(t, b!, false), true, true), pivots, true)];
  },
);

function luSolve(
  lu: tf.Tensor,
  pivots: tf.Tensor,
  b: tf.Tensor,
  left = true,
  adjoint = false,
): tf.Tensor {
  if (!left) return turned(luSolve(lu, pivots, turned(b), true, !adjoint));
  const row = tf.reshape(pivots, [...pivots.shape.slice(0, -1), 1, pivots.shape.at(-1)!]);
  return luSolutions([lu, row, b], adjoint)[0]!;
}

const unpacked = /* @__PURE__ */ matrixOp("lu_unpack", ([lu, places]) => {
  const [rows, columns] = [lu!.length, columnsOf(lu!)];
  const k = Math.min(rows, columns);
  const order = exchange(identity(rows), [...places![0]!].map((one) => Math.max(one - 1, 0))); // prettier-ignore
  return [
    turn(order),
    lu!.map((row, i) => Float64Array.from({ length: k }, (_, j) => (j < i ? row[j]! : Number(i === j)))), // prettier-ignore
    lu!.slice(0, k).map((row, i) => row.map((value, j) => (j < i ? 0 : value))),
  ];
});

/** The powers of each number, in a row, from exponent 0 on. */
function vander(given: tf.Tensor, n: number | null = null, increasing = false): tf.Tensor {
  const x = given.rank === 0 ? tf.reshape(given, [1]) : given;
  const count = n ?? x.shape.at(-1)!;
  const columns = [tf.onesLike(x)];
  while (columns.length < count) columns.push(mul(columns.at(-1)!, x));
  if (count === 0) return tf.zeros([...x.shape, 0], x.dtype);
  return tf.stack(increasing ? columns : columns.reverse(), -1);
}

export const linalgOps = defineOps({
  "linalg_matrix_norm|linalg_matrix_norm.str_ord(self, ord, dim, keepdim, dtype)": matrixNorm,
  "linalg_norm(self, ord, dim, keepdim, dtype)": (
    self: tf.Tensor,
    ord: number | null = null,
    dim: Dims = null,
    keepdim = false,
    dtype?: unknown,
  ) => {
    const dims = dim === null ? null : [dim].flat();
    const isMatrix = ord !== null && (dims?.length === 2 || (dims === null && self.rank === 2));
    if (isMatrix) return matrixNorm(self, ord, dims ?? undefined, keepdim, dtype);
    return norm(self, ord, dims, keepdim, dtype);
  },
  "linalg_norm.ord_str(self, ord, dim, keepdim, dtype)": (
    self: tf.Tensor,
    ord: string,
    dim: Dims = null,
    keepdim?: boolean,
    dtype?: unknown,
  ) => matrixNorm(self, ord, dim === null ? undefined : [dim].flat(), keepdim, dtype),
  "nuclear_norm(self, keepdim)": (self: tf.Tensor, keepdim = false) =>
    matrixNorm(self, "nuc", undefined, keepdim),
  "nuclear_norm.dim(self, dim, keepdim)": (
    self: tf.Tensor,
    dim: readonly number[],
    keepdim = false,
  ) => matrixNorm(self, "nuc", dim, keepdim),
  "vander(x, N, increasing)": vander,
  "linalg_vander(x, N)": (x: tf.Tensor, n: number | null = null) => vander(x, n, true),
  "linalg_cond|linalg_cond.p_str(self, p)": condition,
  "matrix_power|linalg_matrix_power(self, n)": matrixPower,
  "matrix_exp|linalg_matrix_exp(self)": (self: tf.Tensor) => exponentials([self])[0],
  "inverse|linalg_inv(self)": inverse,
  "linalg_inv_ex(self, check_errors)": (self: tf.Tensor, isChecked = false) =>
    checked("linalg.inv_ex", inverseWithInfo(self), isChecked),
  "linalg_tensorinv(self, ind)": (self: tf.Tensor, ind = 2) => {
    const [first, last] = [self.shape.slice(0, ind), self.shape.slice(ind)];
    const n = size(first);
    return tf.reshape(inverse(tf.reshape(self, [n, n])), [...last, ...first]);
  },
  "linalg_tensorsolve(self, other, dims)": (
    self: tf.Tensor,
    other: tf.Tensor,
    dims: readonly number[] | null = null,
  ) => {
    const moved = (dims ?? []).map((dim) => (dim < 0 ? dim + self.rank : dim));
    const order = self.shape.map((_, i) => i).filter((i) => !moved.includes(i));
    const x = permuteAxes(self, [...order, ...moved]);
    const shape = x.shape.slice(other.rank);
    const n = size(shape);
    return tf.reshape(solve(tf.reshape(x, [n, n]), tf.reshape(other, [n])), shape);
  },
  "linalg_solve(A, B, left)": solve,
  "linalg_solve_ex(A, B, left, check_errors)": (
    a: tf.Tensor,
    b: tf.Tensor,
    left = true,
    isChecked = false,
  ) => checked("torch.linalg.solve_ex", solveWithInfo(a, b, left), isChecked),
  "_linalg_solve_ex(A, B, left, check_errors)": (
    a: tf.Tensor,
    b: tf.Tensor,
    left = true,
    isChecked = false,
  ) => {
    const [x, info] = checked("torch.linalg.solve_ex", solveWithInfo(a, b, left), isChecked);
    return [x, ...luFactors(a), info];
  },
  "_linalg_det(A)": (a: tf.Tensor) => [determinant(a), ...luFactors(a)],
  "_linalg_slogdet(A)": (a: tf.Tensor) => [...logDeterminant(a), ...luFactors(a)],
  "linalg_lu_solve(LU, pivots, B, left, adjoint)": luSolve,
  "lu_solve(self, LU_data, LU_pivots)": (b: tf.Tensor, lu: tf.Tensor, pivots: tf.Tensor) =>
    luSolve(lu, pivots, b),
  "lu_unpack(LU_data, LU_pivots, unpack_data, unpack_pivots)": (
    lu: tf.Tensor,
    pivots: tf.Tensor,
    data = true,
    order = true,
  ) => {
    const row = tf.reshape(pivots, [...pivots.shape.slice(0, -1), 1, pivots.shape.at(-1)!]);
    const [p, l, u] = unpacked([lu, row]);
    const none = tf.zeros([0]);
    return [order ? p : none, ...(data ? [l, u] : [none, none])];
  },
  "linalg_slogdet|slogdet(A)": logDeterminant,
  "logdet(self)": (self: tf.Tensor) => {
    const [sign, log] = logDeterminant(self);
    return where(tf.less(sign, 0), NaN, log);
  },
  "det|linalg_det(self)": determinant,
  "linalg_pinv|linalg_pinv.rcond_tensor(self, rcond, hermitian)": (
    self: tf.Tensor,
    rcond: Tolerance = 1e-15,
    hermitian = false,
  ) => pseudoInverse(self, 0, rcond, hermitian),
  "linalg_pinv.atol_rtol_tensor|linalg_pinv.atol_rtol_float(self, atol, rtol, hermitian)":
    pseudoInverse,
  "pinverse(self, rcond)": (self: tf.Tensor, rcond = 1e-15) => pseudoInverse(self, 0, rcond),
  "linalg_matrix_rank|linalg_matrix_rank.tol_tensor(self, tol, hermitian)": (
    self: tf.Tensor,
    tol: Tolerance,
    hermitian = false,
  ) => rank(self, tol, 0, hermitian),
  "linalg_matrix_rank.atol_rtol_tensor|linalg_matrix_rank.atol_rtol_float(input, atol, rtol, hermitian)":
    rank,
});
