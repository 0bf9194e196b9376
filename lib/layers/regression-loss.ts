import type * as tf from "@tensorflow/tfjs-core";
import { describe, readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { Loss, REDUCTION } from "./loss-base.js";

/**
 * `|x - y|`, and their mean or sum.
 *
 * Shapes: input and target `(*)` → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.L1Loss.html
 */
export class L1Loss extends Loss {
  static override readonly name: string = "L1Loss";

  constructor(options?: F.ReductionOptions) {
    super(readOptions(new.target.name, REDUCTION, options));
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    return F.l1Loss(input, target, { reduction: this.reduction });
  }
}

/**
 * `(x - y)²`, and their mean or sum.
 *
 * Shapes: input and target `(*)` → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
 */
export class MSELoss extends Loss {
  static override readonly name: string = "MSELoss";

  constructor(options?: F.ReductionOptions) {
    super(readOptions(new.target.name, REDUCTION, options));
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    return F.mseLoss(input, target, { reduction: this.reduction });
  }
}

/**
 * Quadratic for differences below `beta`, linear beyond.
 *
 * Shapes: input and target `(*)` → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html
 */
export class SmoothL1Loss extends Loss {
  static override readonly name: string = "SmoothL1Loss";

  readonly beta: number;

  constructor(options?: F.SmoothL1LossOptions) {
    const read = readOptions(new.target.name, { ...REDUCTION, beta: 1 }, options);
    super(read);
    this.beta = read.beta;
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    return F.smoothL1Loss(input, target, { reduction: this.reduction, beta: this.beta });
  }
}

/**
 * Quadratic for differences up to `delta`, linear beyond.
 *
 * Shapes: input and target `(*)` → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html
 */
export class HuberLoss extends Loss {
  static override readonly name: string = "HuberLoss";

  readonly delta: number;

  constructor(options?: Omit<F.HuberLossOptions, "weight">) {
    const defaults: { reduction: F.Reduction; delta: number } = { reduction: "mean", delta: 1 };
    const { reduction, delta } = readOptions(new.target.name, defaults, options);
    super({ ...REDUCTION, reduction });
    if (typeof delta !== "number") {
      throw new TypeError(`HuberLoss: delta must be a float or int, got: ${describe(delta)}`);
    }
    this.delta = delta;
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    return F.huberLoss(input, target, { reduction: this.reduction, delta: this.delta });
  }
}
