/** Factorisations of complex matrices, and ops based on them. */
import * as tf from "@tensorflow/tfjs-core";
import { checkFactors } from "../checks.js";
import { factorOps, matrixOp, repeated, turned, withInfo } from "../factors.js";
import { conj } from "../fft.js";
import { linalgOps } from "../linalg.js";
import { matmul } from "../matmul.js";
import { reduceOps } from "../reduce.js";
import { both, type Complex, complexOf } from "../support/complex.js";
import {
  complexDeterminant,
  complexEigh,
  complexLu,
  complexQr,
  complexSvd,
  complexTriangle,
  adjoint as turnedMatrix,
} from "../support/complex-factors.js";
import { defineOps } from "../support/define.js";
import type { ComplexMatrix } from "../support/eigen.js";
import { exchange, identity, type Matrix, turn } from "../support/matrices.js";
import { permuteAxes, sliceAxis } from "../support/shape.js";
import { abs, atan2, run } from "./arithmetic.js";
import { mirrored } from "./matrices.js";

type Part = ComplexMatrix | Float64Array | Matrix;

const isPair = (part: Part): part is ComplexMatrix => "re" in part;

/**
 * An op on complex matrices; `kinds` tells for each result whether it is complex, `z`, or real,
 * `r`.
 */
function complexOp<A extends unknown[], R extends unknown[]>(
  name: string,
  kinds: string,
  run: (a: ComplexMatrix, ...rest: A) => Part[],
): (z: Complex, ...rest: A) => R {
  const op = matrixOp(name, ([re, im], ...rest: A) =>
    run({ re: re!, im: im! }, ...rest).flatMap((one) => (isPair(one) ? [one.re, one.im] : [one])),
  );
  return (z, ...rest) => {
    const parts = op([z.re, z.im], ...rest);
    return [...kinds].map((kind) =>
      kind === "r" ? parts.shift()! : { re: parts.shift()!, im: parts.shift()! },
    ) as R;
  };
}

const adjoint = (z: Complex): Complex => conj(both(z, turned)) as Complex;

const svdOp = /* @__PURE__ */ complexOp<[boolean], [Complex, tf.Tensor, Complex]>(
  "complex_svd",
  "zrz",
  (a, full) => {
    const { u, s, v } = complexSvd(a, full);
    return [u, s, turnedMatrix(v)];
  },
);

const eighOp = /* @__PURE__ */ complexOp<[], [tf.Tensor, Complex]>("complex_eigh", "rz", (a) => {
  const { values, vectors } = complexEigh(a);
  return [values, vectors];
});

/** Only one triangle is read. */
const eigh = (self: Complex, half = "L"): [tf.Tensor, Complex] =>
  eighOp(mirrored(half === "U" ? adjoint(self) : self));

const qrOp = /* @__PURE__ */ complexOp<[], [Complex, Complex]>("complex_qr", "zz", (a) => {
  const { q, r } = complexQr(a);
  return [q, r];
});

function qr(self: Complex, mode = "reduced"): [Complex | tf.Tensor, Complex] {
  const [q, r] = qrOp(self);
  if (mode === "complete") return [q, r];
  const { rank } = self.re;
  const k = Math.min(...self.re.shape.slice(-2));
  return [
    mode === "r" ? tf.zeros([0]) : both(q, (x) => sliceAxis(x, rank - 1, 0, k)),
    both(r, (x) => sliceAxis(x, rank - 2, 0, k)),
  ];
}

type Lu = [lu: Complex, pivots: tf.Tensor, order: tf.Tensor, info: tf.Tensor];

const luOp = /* @__PURE__ */ complexOp<[], Lu>("complex_lu", "zrrr", (a) => {
  const { lu, pivots } = complexLu(a);
  const zero = pivots.findIndex((_, i) => lu.re[i]![i] === 0 && lu.im[i]![i] === 0);
  return [
    lu,
    Float64Array.from(pivots, (one) => one + 1),
    turn(exchange(identity(a.re.length), pivots)),
    Float64Array.of(zero + 1),
  ];
});

function luWithInfo(self: Complex, _pivot = true, isChecked = false): (Complex | tf.Tensor)[] {
  const [lu, pivots, , given] = luOp(self);
  const [info] = withInfo([given]) as [tf.Tensor];
  const re = isChecked ? checkFactors(lu.re, info, "torch.linalg.lu_factor") : lu.re;
  return [{ re, im: lu.im }, tf.cast(pivots, "int32"), info];
}

/** Both triangular factors, which are stored in one matrix. */
function trianglesOf(lu: Complex): [l: Complex, u: Complex] {
  const [m, n] = lu.re.shape.slice(-2) as [number, number];
  const k = Math.min(m, n);
  const rows = tf.reshape(tf.range(0, m, 1, "int32"), [m, 1]);
  const below = tf.cast(tf.greater(rows, tf.range(0, n, 1, "int32")), "float32");
  const under = (x: tf.Tensor): tf.Tensor => sliceAxis(tf.mul(x, below), x.rank - 1, 0, k);
  const above = (x: tf.Tensor): tf.Tensor =>
    sliceAxis(tf.mul(x, tf.sub(1, below)), x.rank - 2, 0, k);
  return [{ re: tf.add(under(lu.re), tf.eye(m, k)), im: under(lu.im) }, both(lu, above)];
}

const exchanges = (lu: Complex, pivots: tf.Tensor, order?: boolean): tf.Tensor =>
  (run(linalgOps["aten.lu_unpack.default"]!, lu.re, pivots, false, order) as tf.Tensor[])[0]!;

function unpacked(lu: Complex, pivots: tf.Tensor, data = true, order = true): Complex[] {
  const none = complexOf(tf.zeros([0]));
  return [complexOf(exchanges(lu, pivots, order)), ...(data ? trianglesOf(lu) : [none, none])];
}

/** Solves equations with a matrix given by its LU factors. */
function luSolve(lu: Complex, pivots: tf.Tensor, b: Complex, left = true, turns = false): Complex {
  if (!left) return adjoint(luSolve(lu, pivots, adjoint(b), true, !turns));
  const p = exchanges(lu, pivots);
  if (turns) {
    const a = adjoint(lu);
    const x = solveTriangular(a, solveTriangular(a, b, false), true, true, true);
    return both(x, (part) => matmul(p, part));
  }
  const moved = both(b, (part) => matmul(turned(p), part));
  return solveTriangular(lu, solveTriangular(lu, moved, false, true, true), true);
}

const determinants = /* @__PURE__ */ complexOp<[], [Complex, tf.Tensor, Complex]>(
  "complex_slogdet",
  "zrz",
  (a) => {
    const { sign, log } = complexDeterminant(a);
    const scaled = ([row]: Matrix): Matrix => [row!.map((one) => one * Math.exp(log))];
    return [sign, Float64Array.of(log), { re: scaled(sign.re), im: scaled(sign.im) }];
  },
);

/** Reshapes one number for each matrix. */
const each = (self: Complex, x: tf.Tensor): tf.Tensor => tf.reshape(x, self.re.shape.slice(0, -2));

function slogdet(self: Complex): [sign: Complex, log: tf.Tensor] {
  const [sign, log] = determinants(self);
  return [both(sign, (x) => each(self, x)), each(self, log)];
}

const determinant = (self: Complex): Complex => both(determinants(self)[2], (x) => each(self, x));

/**
 * Replaces each number by a 2 × 2 block, `[a -b; b a]`; a triangle with a real diagonal gives a
 * triangle.
 */
function interleaved({ re, im }: Complex): tf.Tensor {
  const [m, n] = re.shape.slice(-2) as [number, number];
  const lead = re.shape.slice(0, -2);
  const rows = [tf.stack([re, tf.neg(im)], -1), tf.stack([im, re], -1)];
  return tf.reshape(tf.stack(rows, -3), [...lead, 2 * m, 2 * n]);
}

/** The inverse: the first column of each block. */
function separated(x: tf.Tensor): Complex {
  const [m, n] = x.shape.slice(-2) as [number, number];
  const lead = tf.util.sizeFromShape(x.shape.slice(0, -2));
  const apart = tf.reshape(x, [lead, m / 2, 2, n / 2, 2]);
  const [first] = tf.unstack(apart, 4) as [tf.Tensor];
  const [re, im] = tf.unstack(first, 2) as [tf.Tensor, tf.Tensor];
  const shape = [...x.shape.slice(0, -2), m / 2, n / 2];
  return both({ re, im }, (part) => tf.reshape(part, shape));
}

function cholesky(
  name: string,
  self: Complex,
  upper = false,
  isChecked = false,
): [Complex, tf.Tensor] {
  const whole = mirrored(upper ? adjoint(self) : self);
  const op = factorOps["aten.linalg_cholesky_ex.default"]!;
  const [x, twice] = run(op, interleaved(whole)) as [tf.Tensor, tf.Tensor];
  const info = tf.cast(tf.ceil(tf.div(tf.cast(twice, "float32"), 2)), "int32");
  const l = separated(isChecked ? checkFactors(x, info, name) : x);
  return [upper ? adjoint(l) : l, info];
}

const triangleOp = /* @__PURE__ */ matrixOp(
  "complex_solve_triangular",
  ([re, im, right, imaginary], upper: boolean, unit: boolean) => {
    const b = { re: right!, im: imaginary! };
    const x = complexTriangle({ re: re!, im: im! }, b, upper, unit);
    return [x.re, x.im];
  },
);

function solveTriangular(
  a: Complex,
  b: Complex,
  upper: boolean,
  left = true,
  unit = false,
): Complex {
  if (!left) return adjoint(solveTriangular(adjoint(a), adjoint(b), !upper, true, unit));
  const [re, im] = triangleOp([a.re, a.im, b.re, b.im], upper, unit) as [tf.Tensor, tf.Tensor];
  return { re, im };
}

/** Solves equations with a matrix given by its Cholesky factor. */
const choleskySolve = (b: Complex, l: Complex, upper = false): Complex => {
  const [lower, above] = upper ? [adjoint(l), l] : [l, adjoint(l)];
  return solveTriangular(above, solveTriangular(lower, b, false), true);
};

/** A real matrix of the same shape and with the same singular values, which determine its norms. */
function alike(self: Complex): tf.Tensor {
  const [, s] = svdOp(self, false);
  const [m, n] = self.re.shape.slice(-2) as [number, number];
  const k = Math.min(m, n);
  const square = tf.mul(tf.reshape(s, [...s.shape, 1]), tf.eye(k));
  const pad = square.shape.map((_, i): [number, number] => [0, i < square.rank - 2 ? 0 : (i === square.rank - 1 ? n : m) - k]); // prettier-ignore
  return tf.pad(square, pad);
}

const ofSingularValues =
  (name: string) =>
  (self: Complex, ...rest: unknown[]): unknown =>
    run(linalgOps[`aten.${name}`]!, alike(self), ...rest);

/** `true` means that the matrices are Hermitian. */
const rank =
  (name: string) =>
  (self: Complex, ...rest: unknown[]) =>
    ofSingularValues(name)(rest.includes(true) ? mirrored(self) : self, ...rest);

const SPECTRAL = new Set<unknown>(["nuc", 2, -2]);

function matrixNorm(
  self: Complex,
  ord: unknown = "fro",
  dim: readonly number[] = [-2, -1],
  ...rest: unknown[]
): unknown {
  const op = linalgOps["aten.linalg_matrix_norm.default"]!;
  if (!SPECTRAL.has(ord)) return run(op, abs(self), ord, dim, ...rest);
  const { rank } = self.re;
  const last = dim.map((one) => (one < 0 ? one + rank : one));
  const order = [...self.re.shape.keys()].filter((one) => !last.includes(one)).concat(last);
  const back = order.map((_, i) => order.indexOf(i));
  const x = permuteAxes(alike(both(self, (part) => permuteAxes(part, order))), back);
  return run(op, x, ord, dim, ...rest);
}

export const FACTOR_OPS = defineOps({
  "linalg_svd(A, full_matrices, driver)": (self: Complex, full = true) => svdOp(self, full),
  "_linalg_svd(A, full_matrices, compute_uv, driver)": (self: Complex, full = false) =>
    svdOp(self, full),
  "svd(self, some, compute_uv)": (self: Complex, some = true) => {
    const [u, s, vh] = svdOp(self, !some);
    return [u, s, adjoint(vh)];
  },
  "linalg_svdvals(A, driver)": (self: Complex) => svdOp(self, false)[1],
  "linalg_eigh|_linalg_eigh(self, UPLO, compute_v)": eigh,
  "linalg_eigvalsh(self, UPLO)": (self: Complex, half?: string) => eigh(self, half)[0],
  "linalg_qr(A, mode)": qr,
  "qr(self, some)": (self: Complex, some = true) => qr(self, some ? "reduced" : "complete"),
  "linalg_lu_factor(A, pivot)": (self: Complex) => luWithInfo(self, true, true).slice(0, 2),
  "linalg_lu_factor_ex|_lu_with_info(A, pivot, check_errors)": luWithInfo,
  "linalg_lu(A, pivot)": (self: Complex) => {
    const [lu, , order] = luOp(self);
    return [{ re: order, im: tf.zerosLike(order) }, ...trianglesOf(lu)];
  },
  "det|linalg_det(A)": determinant,
  "_linalg_det(A)": (self: Complex) => [determinant(self), ...luWithInfo(self).slice(0, 2)],
  "slogdet|linalg_slogdet(A)": slogdet,
  "_linalg_slogdet(A)": (self: Complex) => [...slogdet(self), ...luWithInfo(self).slice(0, 2)],
  "logdet(self)": (self: Complex) => {
    const [sign, log] = slogdet(self);
    return { re: log, im: atan2(sign.im, sign.re) };
  },
  "lu_unpack(LU_data, LU_pivots, unpack_data, unpack_pivots)": unpacked,
  "linalg_lu_solve(LU, pivots, B, left, adjoint)": luSolve,
  "lu_solve(self, LU_data, LU_pivots)": (b: Complex, lu: Complex, pivots: tf.Tensor) =>
    luSolve(lu, pivots, b),
  "linalg_cholesky|cholesky(self, upper)": (self: Complex, upper?: boolean) =>
    cholesky("linalg.cholesky", self, upper, true)[0],
  "linalg_cholesky_ex(self, upper, check_errors)": (
    self: Complex,
    upper?: boolean,
    isChecked?: boolean,
  ) => cholesky("linalg.cholesky_ex", self, upper, isChecked),
  "cholesky_solve(self, input2, upper)": choleskySolve,
  "cholesky_inverse(self, upper)": (l: Complex, upper?: boolean) =>
    choleskySolve(complexOf(tf.eye(l.re.shape.at(-1)!)), l, upper),
  "linalg_solve_triangular(self, B, upper, left, unitriangular)": solveTriangular,
  "triangular_solve(self, A, upper, transpose, unitriangular)": (
    b: Complex,
    a: Complex,
    upper = true,
    transpose = false,
    unit = false,
  ) => {
    const x = solveTriangular(transpose ? both(a, turned) : a, b, upper !== transpose, true, unit);
    return [x, both(a, (part) => repeated(part, x.re))];
  },
  "linalg_matrix_norm|linalg_matrix_norm.str_ord(self, ord, dim, keepdim)": matrixNorm,
  "linalg_cond|linalg_cond.p_str(self, p)": (self: Complex, p: unknown = null) => {
    if (p !== null && p !== "fro" && !SPECTRAL.has(p)) {
      throw new TypeError("linalg_cond of complex tensors is there for norms of singular values");
    }
    return ofSingularValues("linalg_cond.default")(self, p);
  },
  "linalg_norm|linalg_norm.ord_str(self, ord, dim, keepdim, dtype)": (
    self: Complex,
    ord: unknown = null,
    dim: number | readonly number[] | null = null,
    ...rest: unknown[]
  ) => {
    const dims = dim === null ? null : [dim].flat();
    const isMatrix = ord !== null && (dims?.length ?? self.re.rank) === 2;
    if (isMatrix) return matrixNorm(self, ord, dims ?? undefined, ...rest);
    return run(reduceOps["aten.linalg_vector_norm.default"]!, abs(self), ord ?? 2, dims, ...rest);
  },
  "linalg_matrix_rank.atol_rtol_tensor|linalg_matrix_rank.atol_rtol_float(input, atol, rtol, hermitian)":
    rank("linalg_matrix_rank.atol_rtol_float"),
  "linalg_matrix_rank|linalg_matrix_rank.tol_tensor(self, tol, hermitian)": rank(
    "linalg_matrix_rank.default",
  ),
});
