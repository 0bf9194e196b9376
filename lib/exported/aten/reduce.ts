import * as tf from "@tensorflow/tfjs-core";
import { vectorNorm } from "../../functional/vector-norm.js";
import { where } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { toDtype, toFloat, toNumber, withDtype } from "./support/dtype.js";
import {
  allRows,
  anyRows,
  argMaxRows,
  argMinRows,
  asRows,
  cumulativeExtreme,
  type Dims,
  logSumExpRows,
  maxRows,
  meanRows,
  minRows,
  reducedShape,
  reduceRows,
  scanAxis,
  sumRows,
  varianceRows,
} from "./support/reduce.js";
import { around, dimOf, dimsOf } from "./support/shape.js";

type Rows = (rows: tf.Tensor) => tf.Tensor;

/** A reduction along some dimensions. */
const along =
  (name: string, run: Rows) =>
  (self: tf.Tensor, dim: Dims = null, keepdim = false): tf.Tensor =>
    reduceRows(name, self, dim, keepdim, run);

/** Likewise, where an empty list of dimensions means none instead of all. */
const alongSome =
  (name: string, run: Rows) =>
  (self: tf.Tensor, dim: Dims = null, keepdim = false): tf.Tensor =>
    Array.isArray(dim) && dim.length === 0
      ? toDtype(self, "bool")
      : reduceRows(name, self, dim, keepdim, run);

const sum = (self: tf.Tensor, dim: Dims = null, keepdim = false, dtype?: unknown): tf.Tensor =>
  reduceRows("sum", toNumber(withDtype(self, dtype)), dim, keepdim, sumRows);

const mean = (self: tf.Tensor, dim: Dims = null, keepdim = false, dtype?: unknown): tf.Tensor =>
  reduceRows("mean", withDtype(self, dtype), dim, keepdim, meanRows);

const prodRows: Rows = (rows) =>
  rows.size === 0 ? tf.ones([rows.shape[0]], rows.dtype) : tf.prod(rows, 1);

const prod = (self: tf.Tensor, dim: Dims = null, keepdim = false, dtype?: unknown): tf.Tensor =>
  reduceRows("prod", toNumber(withDtype(self, dtype)), dim, keepdim, prodRows);

const zeroNaN = (x: tf.Tensor): tf.Tensor => (x.dtype === "float32" ? where(tf.isNaN(x), 0, x) : x);

/** Values and their indices along one dimension. */
const withIndices =
  (name: string, values: Rows, indices: Rows) =>
  (self: tf.Tensor, dim: number, keepdim = false): [tf.Tensor, tf.Tensor] => [
    reduceRows(name, self, dim, keepdim, values),
    reduceRows(name, self, dim, keepdim, indices),
  ];

type Spread = { mean: tf.Tensor; variance: tf.Tensor };

function spread(self: tf.Tensor, dim: Dims, correction: number | null, keepdim: boolean): Spread {
  const dims = dimsOf("var", self, dim);
  const { mean: m, variance } = varianceRows(asRows(toFloat(self), dims), correction ?? 1);
  const shape = reducedShape(self, dims, keepdim);
  return { mean: tf.reshape(m, shape), variance: tf.reshape(variance, shape) };
}

const one = (unbiased: boolean): number => (unbiased ? 1 : 0);

/** The three overloads of var and std, and of their pairs with the mean. */
const spreads = (name: string, give: (spread: Spread) => unknown) => ({
  [`${name}(self, unbiased)`]: (self: tf.Tensor, unbiased = true) =>
    give(spread(self, null, one(unbiased), false)),
  [`${name}.dim(self, dim, unbiased, keepdim)`]: (
    self: tf.Tensor,
    dim: Dims,
    unbiased = true,
    keepdim = false,
  ) => give(spread(self, dim, one(unbiased), keepdim)),
  [`${name}.correction(self, dim, correction, keepdim)`]: (
    self: tf.Tensor,
    dim: Dims = null,
    correction: number | null = 1,
    keepdim = false,
  ) => give(spread(self, dim, correction, keepdim)),
});

export function norm(
  self: tf.Tensor,
  p: number | null,
  dim: Dims,
  keepdim = false,
  dtype?: unknown,
): tf.Tensor {
  const x = toFloat(withDtype(self, dtype));
  const dims = dimsOf("norm", x, dim);
  const shape = reducedShape(x, dims, keepdim);
  const rows = asRows(x, dims);
  if (rows.size === 0) return tf.fill(shape, (p ?? 2) < 0 ? Infinity : 0);
  if (p === Infinity) return tf.reshape(maxRows(tf.abs(rows)), shape);
  if (p === -Infinity) return tf.reshape(minRows(tf.abs(rows)), shape);
  return tf.reshape(vectorNorm(rows, p ?? 2, 1, false), shape);
}

/** A cumulative sum or product along a dimension, for any rank. */
function cumulate(
  name: string,
  run: (x: tf.Tensor, axis: number) => tf.Tensor,
  self: tf.Tensor,
  dim: number,
  dtype: unknown,
): tf.Tensor {
  const x = toNumber(withDtype(self, dtype));
  if (x.rank === 0 || x.size === 0) return x;
  const [before, size, behind] = around(x, dimOf(name, x, dim));
  const rows = tf.reshape(tf.transpose(tf.reshape(x, [before, size, behind]), [0, 2, 1]), [
    -1,
    size,
  ]);
  const summed = tf.reshape(run(rows, 1), [before, behind, size]);
  return tf.reshape(tf.transpose(summed, [0, 2, 1]), x.shape);
}

function cumulatedExtreme(name: string, wins: typeof tf.lessEqual) {
  return (self: tf.Tensor, dim: number): [tf.Tensor, tf.Tensor] => {
    const at = dimOf(name, self, dim);
    if (self.rank === 0 || self.size === 0) return [self, tf.zeros(self.shape, "int32")];
    const { values, indices } = cumulativeExtreme(self, at, wins);
    return [values, indices];
  };
}

function logCumSumExp(self: tf.Tensor, dim: number): tf.Tensor {
  const x = toFloat(self);
  const at = dimOf("logcumsumexp", x, dim);
  if (x.rank === 0 || x.size === 0) return x;
  const [result] = scanAxis([x] as const, at, ([before], [here]) => {
    const most = tf.maximum(before, here);
    const more = tf.log1p(tf.exp(tf.neg(tf.abs(tf.sub(before, here)))));
    return [where(tf.isInf(most), most, tf.add(most, more))] as const;
  });
  return result;
}

export const reduceOps = defineOps({
  "sum(self, dtype)": (self: tf.Tensor, dtype?: unknown) => sum(self, null, false, dtype),
  "sum.dim_IntList(self, dim, keepdim, dtype)": sum,
  "nansum(self, dim, keepdim, dtype)": (
    self: tf.Tensor,
    dim: Dims = null,
    keepdim = false,
    dtype?: unknown,
  ) => sum(zeroNaN(self), dim, keepdim, dtype),
  "mean(self, dtype)": (self: tf.Tensor, dtype?: unknown) => mean(self, null, false, dtype),
  "mean.dim(self, dim, keepdim, dtype)": mean,
  "nanmean(self, dim, keepdim, dtype)": (self: tf.Tensor, dim: Dims = null, keepdim = false) => {
    const count = sum(tf.logicalNot(tf.isNaN(toFloat(self))), dim, keepdim);
    return tf.div(sum(zeroNaN(toFloat(self)), dim, keepdim), toFloat(count));
  },
  "prod(self, dtype)": (self: tf.Tensor, dtype?: unknown) => prod(self, null, false, dtype),
  "prod.dim_int(self, dim, keepdim, dtype)": prod,
  "amax(self, dim, keepdim)": along("amax", maxRows),
  "amin(self, dim, keepdim)": along("amin", minRows),
  "max(self)": along("max", maxRows),
  "min(self)": along("min", minRows),
  "max.dim(self, dim, keepdim)": withIndices("max", maxRows, argMaxRows),
  "min.dim(self, dim, keepdim)": withIndices("min", minRows, argMinRows),
  "aminmax(self, dim, keepdim)": (self: tf.Tensor, dim: Dims = null, keepdim = false) => [
    reduceRows("aminmax", self, dim, keepdim, minRows),
    reduceRows("aminmax", self, dim, keepdim, maxRows),
  ],
  "argmax(self, dim, keepdim)": along("argmax", argMaxRows),
  "argmin(self, dim, keepdim)": along("argmin", argMinRows),
  "any.dim(self, dim, keepdim)": along("any", anyRows),
  "all.dim(self, dim, keepdim)": along("all", allRows),
  "any.dims(self, dim, keepdim)": alongSome("any", anyRows),
  "all.dims(self, dim, keepdim)": alongSome("all", allRows),
  "all|_is_all_true(self)": along("all", allRows),
  "any|_is_any_true(self)": along("any", anyRows),
  ...spreads("var", ({ variance }) => variance),
  ...spreads("std", ({ variance }) => tf.sqrt(variance)),
  ...spreads("var_mean", ({ mean: m, variance }) => [variance, m]),
  ...spreads("std_mean", ({ mean: m, variance }) => [tf.sqrt(variance), m]),
  "norm.Scalar(self, p)": (self: tf.Tensor, p: number | null = 2) => norm(self, p, null),
  "norm.ScalarOpt_dtype(self, p, dtype)": (self: tf.Tensor, p: number | null, dtype: unknown) =>
    norm(self, p, null, false, dtype),
  "norm.ScalarOpt_dim|norm.ScalarOpt_dim_dtype(self, p, dim, keepdim, dtype)": norm,
  "linalg_vector_norm(self, ord, dim, keepdim, dtype)": (
    self: tf.Tensor,
    ord = 2,
    dim: Dims = null,
    keepdim = false,
    dtype?: unknown,
  ) => norm(self, ord, dim, keepdim, dtype),
  "logsumexp|special_logsumexp(self, dim, keepdim)": (
    self: tf.Tensor,
    dim: Dims,
    keepdim = false,
  ) => reduceRows("logsumexp", toFloat(self), dim, keepdim, logSumExpRows),
  "count_nonzero|count_nonzero.dim_IntList(self, dim)": (self: tf.Tensor, dim: Dims = null) =>
    sum(toDtype(self, "bool"), dim),
  "cumsum(self, dim, dtype)": (self: tf.Tensor, dim: number, dtype?: unknown) =>
    cumulate("cumsum", tf.cumsum, self, dim, dtype),
  "cumprod(self, dim, dtype)": (self: tf.Tensor, dim: number, dtype?: unknown) =>
    cumulate("cumprod", tf.cumprod, self, dim, dtype),
  "cummax(self, dim)": cumulatedExtreme("cummax", tf.greaterEqual),
  "cummin(self, dim)": cumulatedExtreme("cummin", tf.lessEqual),
  "logcumsumexp(self, dim)": logCumSumExp,
  "dist(self, other, p)": (self: tf.Tensor, other: tf.Tensor, p = 2) =>
    norm(tf.sub(toFloat(self), toFloat(other)), p, null),
  "trace(self)": (self: tf.Tensor) => {
    const [rows, columns] = self.shape as [number, number];
    const diagonal = Math.min(rows, columns);
    const places = Int32Array.from({ length: diagonal }, (_, i) => i * (columns + 1));
    const flat = tf.reshape(toNumber(self), [-1]);
    return tf.sum(tf.gather(flat, tf.tensor1d(places, "int32")));
  },
});
