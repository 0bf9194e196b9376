import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { Module } from "../module/index.js";
import { legacyReduction } from "../functional/reduction.js";
import { Loss, REDUCTION } from "./loss-base.js";

/**
 * How far distributions are from those given as logarithms.
 *
 * Shapes: input (logarithms) and target `(*)` → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html
 */
export class KLDivLoss extends Module {
  static override readonly name: string = "KLDivLoss";

  readonly reduction: F.Reduction | "batchmean";
  readonly logTarget: boolean;

  constructor(options?: F.KLDivOptions) {
    super();
    const defaults: Required<F.KLDivOptions> = { ...REDUCTION, logTarget: false };
    const { reduction, logTarget, ...legacy } = readOptions(
      this.constructor.name,
      defaults,
      options,
    );
    this.reduction =
      reduction === "batchmean" ? reduction : legacyReduction({ ...legacy, reduction });
    this.logTarget = logTarget;
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    return F.klDiv(input, target, { reduction: this.reduction, logTarget: this.logTarget });
  }
}

/**
 * The Poisson distribution's negative log likelihood.
 *
 * Shapes: input and target `(*)` → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html
 */
export class PoissonNLLLoss extends Loss {
  static override readonly name: string = "PoissonNLLLoss";

  readonly logInput: boolean;
  readonly full: boolean;
  readonly eps: number;

  constructor(options?: F.PoissonNLLLossOptions) {
    const defaults = { ...REDUCTION, logInput: true, full: false, eps: 1e-8 };
    const read = readOptions(new.target.name, defaults, options);
    super(read);
    this.logInput = read.logInput;
    this.full = read.full;
    this.eps = read.eps;
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { reduction, logInput, full, eps } = this;
    return F.poissonNllLoss(input, target, { reduction, logInput, full, eps });
  }
}

/**
 * The Gaussian's negative log likelihood.
 *
 * Shapes: input and target `(*)`, variance as `F.gaussianNllLoss` takes it → scalar, or `(*)`
 * without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html
 */
export class GaussianNLLLoss extends Loss {
  static override readonly name: string = "GaussianNLLLoss";

  readonly full: boolean;
  readonly eps: number;

  constructor(options?: F.GaussianNLLLossOptions) {
    const defaults = { full: false, eps: 1e-6, reduction: REDUCTION.reduction };
    const { full, eps, reduction } = readOptions(new.target.name, defaults, options);
    super({ ...REDUCTION, reduction });
    this.full = full;
    this.eps = eps;
  }

  override forward(input: tf.Tensor, target: tf.Tensor, variance: tf.Tensor | number): tf.Tensor {
    const { reduction, full, eps } = this;
    return F.gaussianNllLoss(input, target, variance, { reduction, full, eps });
  }
}
