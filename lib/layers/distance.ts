import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { Module } from "../module/index.js";

/**
 * The cosine of the angle between vectors along a dimension.
 *
 * Shapes: both `(*, D, *)`, broadcast → `(*, *)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html
 */
export class CosineSimilarity extends Module {
  static override readonly name: string = "CosineSimilarity";

  readonly dim: number;
  readonly eps: number;

  constructor(options?: F.CosineSimilarityOptions) {
    super();
    const read = readOptions(this.constructor.name, { dim: 1, eps: 1e-8 }, options);
    this.dim = read.dim;
    this.eps = read.eps;
  }

  override forward(x1: tf.Tensor, x2: tf.Tensor): tf.Tensor {
    return F.cosineSimilarity(x1, x2, { dim: this.dim, eps: this.eps });
  }
}

/**
 * The p-norm of the difference of the last dimension's vectors.
 *
 * Shapes: both `(*, D)`, broadcast → `(*)`, or `(*, 1)` with `keepdim`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.PairwiseDistance.html
 */
export class PairwiseDistance extends Module {
  static override readonly name: string = "PairwiseDistance";

  readonly norm: number;
  readonly eps: number;
  readonly keepdim: boolean;

  constructor(options?: F.PairwiseDistanceOptions) {
    super();
    const defaults = { p: 2, eps: 1e-6, keepdim: false };
    const { p, eps, keepdim } = readOptions(this.constructor.name, defaults, options);
    this.norm = p;
    this.eps = eps;
    this.keepdim = keepdim;
  }

  override forward(x1: tf.Tensor, x2: tf.Tensor): tf.Tensor {
    const { norm: p, eps, keepdim } = this;
    return F.pairwiseDistance(x1, x2, { p, eps, keepdim });
  }
}
