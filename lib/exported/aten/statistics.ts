import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../functional/op.js";
import { matmul } from "./matmul.js";
import { add, mul } from "./pointwise-binary.js";
import { divide, where } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { toFloat, withDtype } from "./support/dtype.js";
import { valuesOf } from "./support/host.js";
import { asRows, type Dims, maxRows, minRows, sumRows } from "./support/reduce.js";
import { dimOf, dimsOf, permuteAxes, sliceAxis } from "./support/shape.js";

/** Covariances of rows, weighted by how often and how much each column counts. */
function covariance(
  self: tf.Tensor,
  correction = 1,
  fweights: tf.Tensor | null = null,
  aweights: tf.Tensor | null = null,
): tf.Tensor {
  const x = tf.reshape(toFloat(self), self.rank < 2 ? [1, -1] : self.shape);
  const n = x.shape[1]!;
  const counts = fweights === null ? tf.ones([n]) : toFloat(fweights);
  const weights = aweights === null ? counts : mul(counts, aweights);
  const total = tf.sum(weights);
  const mean = tf.div(tf.sum(tf.mul(x, weights), 1, true), total);
  const centred = tf.sub(x, mean);
  const squares = aweights === null ? total : tf.sum(mul(weights, aweights));
  const degrees = tf.relu(tf.sub(total, tf.mul(tf.div(squares, total), correction)));
  const products = matmul(tf.mul(centred, weights), tf.transpose(centred));
  const result = divide(products, degrees);
  return x.shape[0] === 1 ? tf.reshape(result, []) : result;
}

function correlation(self: tf.Tensor): tf.Tensor {
  const c = covariance(self);
  if (c.rank === 0) return divide(c, c);
  const n = c.shape[0];
  const places = tf.range(0, n * n, n + 1, "int32");
  const spread = tf.sqrt(tf.gather(tf.reshape(c, [-1]), places));
  const scaled = divide(divide(c, tf.reshape(spread, [n, 1])), tf.reshape(spread, [1, n]));
  return tf.minimum(tf.maximum(scaled, tf.scalar(-1)), tf.scalar(1));
}

/** Areas between neighbours, of which the sum is the integral. */
function trapezoids(y: tf.Tensor, dx: number | tf.Tensor, dim: number): tf.Tensor {
  const at = dimOf("trapezoid", y, dim);
  const n = y.shape[at]!;
  const both = add(sliceAxis(y, at, 1, n), sliceAxis(y, at, 0, n - 1));
  const half = tf.mul(toFloat(both), 0.5);
  if (typeof dx === "number") return tf.mul(half, dx);
  const axis = dx.rank === 1 ? 0 : at;
  const m = dx.shape[axis]!;
  const widths = tf.sub(sliceAxis(dx, axis, 1, m), sliceAxis(dx, axis, 0, m - 1));
  const shaped =
    dx.rank === 1 ? tf.reshape(widths, y.shape.map((_, i) => (i === at ? m - 1 : 1))) : widths; // prettier-ignore
  return mul(half, toFloat(shaped));
}

const integral = (y: tf.Tensor, dx: number | tf.Tensor = 1, dim = -1): tf.Tensor =>
  tf.sum(trapezoids(y, dx, dim), dimOf("trapezoid", y, dim));

const integrals = (y: tf.Tensor, dx: number | tf.Tensor = 1, dim = -1): tf.Tensor => {
  const areas = trapezoids(y, dx, dim);
  const at = dimOf("trapezoid", y, dim);
  const order = [...areas.shape.map((_, i) => i).filter((i) => i !== at), at];
  const summed = tf.cumsum(permuteAxes(areas, order), areas.rank - 1);
  return permuteAxes(summed, areas.shape.map((_, i) => (i < at ? i : i === at ? areas.rank - 1 : i - 1))); // prettier-ignore
};

/** Sums away what a broadcast would have added. */
function sumToSize(self: tf.Tensor, size: readonly number[]): tf.Tensor {
  const lead = self.rank - size.length;
  const gone = self.shape.flatMap((n, i) => (i < lead || (size[i - lead] === 1 && n !== 1) ? [i] : [])); // prettier-ignore
  if (gone.length === 0) return self;
  return tf.reshape(sumRows(asRows(self, gone)), [...size]);
}

/** Norms of matrices that need no singular values: fro, ±1, ±∞. */
function matrixNorm(
  self: tf.Tensor,
  ord: number | string,
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
  if (ord !== 1 && ord !== -1 && ord !== Infinity && ord !== -Infinity) {
    throw new Error(`linalg.matrix_norm: the order ${ord} needs singular values: not available`);
  }
  const isColumns = Math.abs(ord) === 1;
  const [outer, inner] = isColumns ? [b, a] : [a, b];
  const moved = permuteAxes(tf.abs(x), [...kept, outer, inner]);
  const sums = tf.sum(moved, moved.rank - 1);
  const rows = tf.reshape(sums, [-1, x.shape[outer]!]);
  return tf.reshape(ord > 0 ? maxRows(rows) : minRows(rows), shape);
}

/** A matrix reduced to the identity with what stands on its right; the determinant on the way. */
function eliminate(a: number[][], n: number): number {
  let determinant = 1;
  for (let column = 0; column < n; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < n; row += 1) {
      if (Math.abs(a[row]![column]!) > Math.abs(a[pivot]![column]!)) pivot = row;
    }
    const top = a[pivot]![column]!;
    if (top === 0) return 0;
    if (pivot !== column) {
      [a[pivot], a[column]] = [a[column]!, a[pivot]!];
      determinant = -determinant;
    }
    determinant *= top;
    a[column] = a[column]!.map((value) => value / top);
    for (let row = 0; row < n; row += 1) {
      const factor = a[row]![column]!;
      if (row !== column && factor !== 0) {
        a[row] = a[row]!.map((value, i) => value - factor * a[column]![i]!);
      }
    }
  }
  return determinant;
}

/** Solves for each matrix of a batch, in float64: `[solutions (…, n, k), determinants (…)]`. */
const solveAll = /* @__PURE__ */ op(
  "linalg_solve",
  (self: tf.Tensor, right: tf.Tensor | null): tf.Tensor[] => {
    const n = self.shape.at(-1)!;
    const lead = self.shape.slice(0, -2);
    const batch = tf.util.sizeFromShape(lead);
    const k = right === null ? n : right.shape.at(-1)!;
    const [values, given] = [valuesOf(self), right === null ? null : valuesOf(right)];
    const shared = right !== null && right.size === n * k;
    const solutions = new Float32Array(batch * n * k);
    const determinants = new Float32Array(batch);
    for (let m = 0; m < batch; m += 1) {
      const rows = Array.from({ length: n }, (_, i) => [
        ...values.subarray((m * n + i) * n, (m * n + i + 1) * n),
        ...Array.from({ length: k }, (_ignored, j) =>
          given === null ? Number(i === j) : given[((shared ? 0 : m) * n + i) * k + j]!,
        ),
      ]);
      determinants[m] = eliminate(rows, n);
      rows.forEach((row, i) => solutions.set(row.slice(n), (m * n + i) * k));
    }
    return [tf.tensor(solutions, [...lead, n, k]), tf.tensor(determinants, lead)];
  },
);

function inverse(self: tf.Tensor): tf.Tensor {
  const [solutions, determinants] = solveAll(self, null) as [tf.Tensor, tf.Tensor];
  if (valuesOf(determinants).includes(0)) {
    throw new Error("linalg.inv: The diagonal element is zero, the inversion could not be completed because the input matrix is singular."); // prettier-ignore
  }
  return solutions;
}

const info = (self: tf.Tensor): tf.Tensor => tf.zeros(self.shape.slice(0, -2), "int32");

function solve(a: tf.Tensor, b: tf.Tensor, left = true): tf.Tensor {
  if (!left) {
    const turn = (x: tf.Tensor): tf.Tensor => permuteAxes(x, [...x.shape.map((_, i) => i).slice(0, -2), x.rank - 1, x.rank - 2]); // prettier-ignore
    return turn(solve(turn(a), turn(b)));
  }
  const isVector = b.rank === a.rank - 1;
  const right = isVector ? tf.reshape(b, [...b.shape, 1]) : b;
  const solutions = solveAll(a, right)[0]!;
  return isVector ? tf.reshape(solutions, b.shape) : solutions;
}

export const statisticsOps = defineOps({
  "cov(self, correction, fweights, aweights)": covariance,
  "corrcoef(self)": correlation,
  "trapezoid.dx|trapz.dx(y, dx, dim)": integral,
  "trapezoid.x|trapz.x(y, x, dim)": integral,
  "cumulative_trapezoid.dx(y, dx, dim)": integrals,
  "cumulative_trapezoid.x(y, x, dim)": integrals,
  "sum_to_size(self, size)": sumToSize,
  "linalg_matrix_norm(self, ord, dim, keepdim, dtype)": matrixNorm,
  "linalg_matrix_norm.str_ord(self, ord, dim, keepdim, dtype)": (
    self: tf.Tensor,
    ord = "fro",
    dim?: readonly number[],
    keepdim?: boolean,
    dtype?: unknown,
  ) => matrixNorm(self, ord, dim, keepdim, dtype),
  "linalg_norm.ord_str(self, ord, dim, keepdim, dtype)": (
    self: tf.Tensor,
    ord: string,
    dim: Dims = null,
    keepdim?: boolean,
    dtype?: unknown,
  ) => matrixNorm(self, ord, dim === null ? undefined : [dim].flat(), keepdim, dtype),
  "inverse|linalg_inv(self)": inverse,
  "linalg_inv_ex(self, check_errors)": (self: tf.Tensor) => [inverse(self), info(self)],
  "linalg_solve(A, B, left)": solve,
  "linalg_solve_ex(A, B, left, check_errors)": (a: tf.Tensor, b: tf.Tensor, left?: boolean) => [
    solve(a, b, left),
    info(a),
  ],
  "linalg_slogdet|slogdet(A)": (self: tf.Tensor) => {
    const determinant = solveAll(self, null)[1]!;
    return [tf.sign(determinant), tf.log(tf.abs(determinant))];
  },
  "logdet(self)": (self: tf.Tensor) => {
    const determinant = solveAll(self, null)[1]!;
    return where(tf.less(determinant, 0), NaN, tf.log(determinant));
  },
  "det|linalg_det(self)": (self: tf.Tensor) => solveAll(self, null)[1],
});
