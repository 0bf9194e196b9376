import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { Loss, REDUCTION, WeightedLoss } from "./loss-base.js";

abstract class MarginLoss extends Loss {
  readonly margin: number;

  constructor(usual: number, options: F.MarginOptions | undefined) {
    const read = readOptions(new.target.name, { ...REDUCTION, margin: usual }, options);
    super(read);
    this.margin = read.margin;
  }
}

/**
 * `x` where the target is 1, `max(0, margin - x)` where it is -1.
 *
 * Shapes: input and target `(*)` → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html
 */
export class HingeEmbeddingLoss extends MarginLoss {
  static override readonly name: string = "HingeEmbeddingLoss";

  constructor(options?: F.MarginOptions) {
    super(1, options);
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { margin, reduction } = this;
    return F.hingeEmbeddingLoss(input, target, { margin, reduction });
  }
}

/**
 * `max(0, -y (x₁ - x₂) + margin)`.
 *
 * Shapes: all `(*)` → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html
 */
export class MarginRankingLoss extends MarginLoss {
  static override readonly name: string = "MarginRankingLoss";

  constructor(options?: F.MarginOptions) {
    super(0, options);
  }

  override forward(input1: tf.Tensor, input2: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { margin, reduction } = this;
    return F.marginRankingLoss(input1, input2, target, { margin, reduction });
  }
}

/**
 * `1 - cos(x₁, x₂)` where the target is 1, `max(0, cos(x₁, x₂) - margin)` where it is -1.
 *
 * Shapes: inputs `(N, D)` and target `(N)`, or `(D)` and `()` → scalar, or `(N)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html
 */
export class CosineEmbeddingLoss extends MarginLoss {
  static override readonly name: string = "CosineEmbeddingLoss";

  constructor(options?: F.MarginOptions) {
    super(0, options);
  }

  override forward(input1: tf.Tensor, input2: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { margin, reduction } = this;
    return F.cosineEmbeddingLoss(input1, input2, target, { margin, reduction });
  }
}

/**
 * `Σᵢ max(0, margin - xᵧ + xᵢ)ᵖ / C` over all classes i but y.
 *
 * Shapes: input `(N, C)` or `(C)`, target of int32 `(N)` or `()` → scalar, or the target's shape
 * without reduction.
 *
 * @throws if p is neither 1 nor 2.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html
 */
export class MultiMarginLoss extends WeightedLoss {
  static override readonly name: string = "MultiMarginLoss";

  readonly p: 1 | 2;
  readonly margin: number;

  constructor(options?: F.MultiMarginLossOptions) {
    const defaults = { ...REDUCTION, p: 1 as const, margin: 1, weight: null };
    const read = readOptions<Required<F.MultiMarginLossOptions>>(
      new.target.name,
      defaults,
      options,
    );
    if (read.p !== 1 && read.p !== 2) {
      throw new Error(`MultiMarginLoss: only p == 1 and p == 2 supported, got ${String(read.p)}`);
    }
    if (read.weight !== null && read.weight.rank !== 1) {
      throw new Error(
        "MultiMarginLoss: expected weight to be None or 1D tensor, " +
          `got ${read.weight.rank}D instead`,
      );
    }
    super(read);
    this.p = read.p;
    this.margin = read.margin;
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { p, margin, weight, reduction } = this;
    return F.multiMarginLoss(input, target, { p, margin, weight, reduction });
  }
}

/**
 * `Σ max(0, 1 - (xᵧ - xᵢ)) / C` over all classes y that a sample has and all i that it has not.
 *
 * Shapes: input `(N, C)` or `(C)`, target of int32 in the same shape, a row's classes first and then
 * -1 → scalar, or `(N)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelMarginLoss.html
 */
export class MultiLabelMarginLoss extends Loss {
  static override readonly name: string = "MultiLabelMarginLoss";

  constructor(options?: F.ReductionOptions) {
    super(readOptions(new.target.name, REDUCTION, options));
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    return F.multilabelMarginLoss(input, target, { reduction: this.reduction });
  }
}
