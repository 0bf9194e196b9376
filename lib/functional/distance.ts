import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { broadcast, checkFloating } from "./broadcast.js";
import { checkNumberTensor, checkTensor, wrapDim } from "./check.js";
import { atLeast, sum } from "./numeric.js";
import { op } from "./op.js";
import { vectorNorm } from "./vector-norm.js";

export interface CosineSimilarityOptions {
  /** The dimension of the vectors. Default: 1. */
  dim?: number;
  /** The smallest value for a vector's norm. Default: 1e-8. */
  eps?: number;
}

/**
 * `x₁·x₂ / (max(‖x₁‖, eps) max(‖x₂‖, eps))` along a dimension.
 *
 * Shapes: both `(*, D, *)`, broadcast → `(*, *)`.
 *
 * @throws if the shapes do not broadcast, or both are integers.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html
 */
export const cosineSimilarity = /* @__PURE__ */ op(
  "cosine_similarity",
  (x1: tf.Tensor, x2: tf.Tensor, options?: CosineSimilarityOptions): tf.Tensor => {
    const { dim, eps } = readOptions("cosineSimilarity", { dim: 1, eps: 1e-8 }, options);
    checkTensor("cosine_similarity", x1, "x1");
    checkTensor("cosine_similarity", x2, "x2", 2);
    if (x1.dtype !== "float32") checkFloating("cosine_similarity()", x2, "x1 or x2");
    const [a, b] = broadcast("cosine_similarity()", x1, x2);
    const axis = wrapDim("cosine_similarity", dim, a.rank);
    const isScalar = a.rank === 0;
    const unit = (x: tf.Tensor): tf.Tensor => {
      const vectors = tf.cast(isScalar ? tf.reshape(x, [1]) : x, "float32");
      return tf.div(vectors, atLeast(vectorNorm(vectors, 2, axis, true), eps));
    };
    return sum(tf.mul(unit(a), unit(b)), axis);
  },
);

export interface PairwiseDistanceOptions {
  /** Which norm. Default: 2. */
  p?: number;
  /** Added to each difference. Default: 1e-6. */
  eps?: number;
  /** Keep the vectors' dimension, with size 1. Default: `false`. */
  keepdim?: boolean;
}

const PAIRWISE: Required<PairwiseDistanceOptions> = { p: 2, eps: 1e-6, keepdim: false };

/**
 * `‖x₁ - x₂ + eps‖ₚ` of the last dimension's vectors.
 *
 * Shapes: both `(*, D)`, broadcast → `(*)`, or `(*, 1)` with `keepdim`.
 *
 * @throws if the shapes do not broadcast.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pairwise_distance.html
 */
export const pairwiseDistance = /* @__PURE__ */ op(
  "pairwise_distance",
  (x1: tf.Tensor, x2: tf.Tensor, options?: PairwiseDistanceOptions): tf.Tensor => {
    const { p, eps, keepdim } = readOptions("pairwiseDistance", PAIRWISE, options);
    checkTensor("pairwise_distance", x1, "x1");
    checkTensor("pairwise_distance", x2, "x2", 2);
    return distance(x1, x2, p, eps, keepdim);
  },
);

/** The formula of `pairwiseDistance`. */
export function distance(
  x1: tf.Tensor,
  x2: tf.Tensor,
  p: number,
  eps: number,
  keepdim = false,
): tf.Tensor {
  for (const x of [x1, x2]) checkNumberTensor("pairwise_distance", x);
  const [a, b] = broadcast("pairwise_distance()", x1, x2);
  const difference = tf.add(tf.sub(a, b), tf.scalar(eps));
  const shape = keepdim ? [...a.shape.slice(0, -1), 1] : a.shape.slice(0, -1);
  if (a.size === 0) return tf.zeros(shape);
  const vectors = a.rank === 0 ? tf.reshape(difference, [1]) : difference;
  return vectorNorm(vectors, p, vectors.rank - 1, keepdim && a.rank > 0);
}

/**
 * The distances between all pairs of rows: the upper triangle without the diagonal, row by row.
 *
 * Shapes: `(N, D)` → `(N (N - 1) / 2)`. `p` ≥ 0 is 2 unless given.
 *
 * @throws if the input is not 2-D, or p is negative.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pdist.html
 */
export const pdist = /* @__PURE__ */ op(
  "pdist",
  (input: tf.Tensor, options?: { p?: number }): tf.Tensor => {
    const { p } = readOptions("pdist", { p: 2 }, options);
    checkTensor("pdist", input);
    if (input.rank !== 2) throw new Error(`pdist only supports 2D tensors, got: ${input.rank}D`);
    checkFloating("pdist()", input);
    if (!(p >= 0)) throw new Error(`pdist only supports non-negative p values, got ${p}`);
    const [n, dim] = input.shape as [number, number];
    const count = Math.max(0, (n * (n - 1)) / 2);
    if (count === 0 || dim === 0) return tf.zeros([count]);
    const firsts = new Int32Array(count);
    const seconds = new Int32Array(count);
    let at = 0;
    for (let i = 0; i < n; i += 1) {
      for (let j = i + 1; j < n; j += 1) {
        firsts[at] = i;
        seconds[at] = j;
        at += 1;
      }
    }
    const rows = (indices: Int32Array): tf.Tensor => tf.gather(input, tf.tensor1d(indices));
    return vectorNorm(tf.sub(rows(firsts), rows(seconds)), p, 1, false);
  },
);
