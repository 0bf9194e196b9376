import * as tf from "@tensorflow/tfjs-core";
import { wrapDim } from "./check.js";
import { op } from "./op.js";

/** `‖v‖` over all dimensions except `dim`, which is kept; over all dimensions with `null` or -1. */
export function normExceptDim(v: tf.Tensor, dim: number | null): tf.Tensor {
  if (dim === null || dim === -1) return tf.sqrt(tf.sum(tf.square(v)));
  const kept = wrapDim("norm_except_dim", dim, v.rank);
  const axes = v.shape.map((_, i) => i).filter((i) => i !== kept);
  return axes.length === 0 ? tf.abs(v) : tf.sqrt(tf.sum(tf.square(v), axes, true));
}

/** `g v / ‖v‖`: the weight with direction v and length g. */
export const weightNorm = /* @__PURE__ */ op(
  "_weight_norm",
  (v: tf.Tensor, g: tf.Tensor, dim: number | null): tf.Tensor =>
    tf.mul(v, tf.div(g, normExceptDim(v, dim))),
);

/** A weight as a matrix whose rows are dimension `dim`. */
function asMatrix(weight: tf.Tensor, dim: number): tf.Tensor2D {
  const others = weight.shape.map((_, i) => i).filter((i) => i !== dim);
  const first = dim === 0 ? weight : tf.transpose(weight, [dim, ...others]);
  return tf.reshape(first, [first.shape[0], -1]);
}

/** The number of rows and columns of that matrix. */
export function matrixSize(shape: readonly number[], dim: number): [number, number] {
  const rows = shape[dim]!;
  return [rows, rows === 0 ? 0 : tf.util.sizeFromShape([...shape]) / rows];
}

const product = (matrix: tf.Tensor2D, vector: tf.Tensor, transposed = false): tf.Tensor =>
  tf.reshape(tf.matMul(matrix, tf.reshape(vector, [-1, 1]), transposed), [-1]);

/** `W / (u · W v)`: the weight divided by an estimate of its largest singular value. */
export const spectralNorm = /* @__PURE__ */ op(
  "spectral_norm",
  (weight: tf.Tensor, u: tf.Tensor, v: tf.Tensor, dim: number): tf.Tensor => {
    const sigma = tf.sum(tf.mul(u, product(asMatrix(weight, dim), v)));
    return tf.div(weight, sigma);
  },
);

export interface PowerIteration {
  dim: number;
  eps: number;
  iterations: number;
  /** Which of the two vectors is updated first. */
  first: "u" | "v";
}

/** Steps of the power method, which bring u and v closer to the largest singular vectors. */
export const powerIteration = /* @__PURE__ */ op(
  "power_iteration",
  (
    weight: tf.Tensor,
    u: tf.Tensor,
    v: tf.Tensor,
    { dim, eps, iterations, first }: PowerIteration,
  ): [u: tf.Tensor, v: tf.Tensor] => {
    const matrix = asMatrix(weight, dim);
    const unit = (x: tf.Tensor): tf.Tensor => tf.div(x, tf.maximum(tf.norm(x), eps));
    let [left, right] = [u, v];
    for (let i = 0; i < iterations; i += 1) {
      if (first === "v") right = unit(product(matrix, left, true));
      left = unit(product(matrix, right));
      if (first === "u") right = unit(product(matrix, left, true));
    }
    return [left, right];
  },
);
