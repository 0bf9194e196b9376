import * as tf from "@tensorflow/tfjs-core";
import { matmul } from "./matmul.js";
import { add, mul } from "./pointwise-binary.js";
import { divide } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { toFloat } from "./support/dtype.js";
import { asRows, sumRows } from "./support/reduce.js";
import { dimOf, permuteAxes, sliceAxis } from "./support/shape.js";

/** Covariances of rows, with weights for how often and how much each column counts. */
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

/** The trapezoids between neighbours, whose sum is the integral. */
function trapezoids(
  y: tf.Tensor,
  dx: number | tf.Tensor,
  dim: number,
  name = "trapezoid",
): tf.Tensor {
  const at = dimOf("trapezoid", y, dim);
  const n = y.shape[at]!;
  const both = add(sliceAxis(y, at, 1, n), sliceAxis(y, at, 0, n - 1));
  const half = tf.mul(toFloat(both), 0.5);
  if (typeof dx === "number") return tf.mul(half, dx);
  if (dx.rank === 1 && dx.size !== n) {
    throw new RangeError(`${name}: There must be one \`x\` value for each sample point`);
  }
  // The dimension is that of y; x gets as many dimensions as y.
  const lead = new Array<number>(Math.max(0, y.rank - dx.rank)).fill(1);
  const x = tf.reshape(dx, dx.rank === 1 ? y.shape.map((_, i) => (i === at ? n : 1)) : [...lead, ...dx.shape]); // prettier-ignore
  const m = x.shape[at]!;
  const widths = tf.sub(sliceAxis(x, at, 1, m), sliceAxis(x, at, 0, m - 1));
  return mul(half, toFloat(widths));
}

function integral(y: tf.Tensor, dx: number | tf.Tensor = 1, dim = -1): tf.Tensor {
  const areas = trapezoids(y, dx, dim);
  const at = dimOf("trapezoid", y, dim);
  // On wasm, tfjs leaves an empty sum unwritten.
  return areas.size === 0 ? tf.zeros(areas.shape.toSpliced(at, 1)) : tf.sum(areas, at);
}

const integrals = (y: tf.Tensor, dx: number | tf.Tensor = 1, dim = -1): tf.Tensor => {
  const areas = trapezoids(y, dx, dim, "cumulative_trapezoid");
  const at = dimOf("trapezoid", y, dim);
  const order = [...areas.shape.map((_, i) => i).filter((i) => i !== at), at];
  const summed = tf.cumsum(permuteAxes(areas, order), areas.rank - 1);
  return permuteAxes(summed, areas.shape.map((_, i) => (i < at ? i : i === at ? areas.rank - 1 : i - 1))); // prettier-ignore
};

/** Sums over the dimensions that a broadcast from `size` would have added or repeated. */
function sumToSize(self: tf.Tensor, size: readonly number[]): tf.Tensor {
  const lead = self.rank - size.length;
  const gone = self.shape.flatMap((n, i) => (i < lead || (size[i - lead] === 1 && n !== 1) ? [i] : [])); // prettier-ignore
  if (gone.length === 0) return self;
  return tf.reshape(sumRows(asRows(self, gone)), [...size]);
}

export const statisticsOps = defineOps({
  "cov(self, correction, fweights, aweights)": covariance,
  "corrcoef(self)": correlation,
  "trapezoid.dx|trapz.dx(y, dx, dim)": integral,
  "trapezoid.x|trapz.x(y, x, dim)": integral,
  "cumulative_trapezoid.dx(y, dx, dim)": integrals,
  "cumulative_trapezoid.x(y, x, dim)": integrals,
  "sum_to_size(self, size)": sumToSize,
});
