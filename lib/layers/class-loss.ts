import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { formatFloat, formatPython } from "../module/index.js";
import { Linear } from "./linear.js";
import { REDUCTION, WeightedLoss } from "./loss-base.js";

const NLL: Required<F.NLLLossOptions> = { ...REDUCTION, weight: null, ignoreIndex: -100 };

/**
 * The negative log likelihood of classes, of log-probabilities.
 *
 * Shapes: input `(C)`, `(N, C)` or `(N, C, d₁, d₂, …)`, target of int32 `()`, `(N)` or
 * `(N, d₁, d₂, …)` → scalar, or the target's shape without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
 */
export class NLLLoss extends WeightedLoss {
  static override readonly name: string = "NLLLoss";

  readonly ignoreIndex: number;

  constructor(options?: F.NLLLossOptions) {
    const read = readOptions(new.target.name, NLL, options);
    super(read);
    this.ignoreIndex = read.ignoreIndex;
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { weight, ignoreIndex, reduction } = this;
    return F.nllLoss(input, target, { weight, ignoreIndex, reduction });
  }
}

/**
 * An older name of `NLLLoss`.
 *
 * Shapes: input `(N, C, H, W)`, target `(N, H, W)` → scalar, or the target's without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
 */
export class NLLLoss2d extends NLLLoss {
  static override readonly name: string = "NLLLoss2d";
}

/**
 * The cross entropy of logits and targets, which are classes or, in the input's shape,
 * probabilities.
 *
 * Shapes: input `(C)`, `(N, C)` or `(N, C, d₁, d₂, …)`; target of int32 `()`, `(N)` or
 * `(N, d₁, d₂, …)`, or of float32 as the input → scalar, or without reduction the shape without C.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
 */
export class CrossEntropyLoss extends WeightedLoss {
  static override readonly name: string = "CrossEntropyLoss";

  readonly ignoreIndex: number;
  readonly labelSmoothing: number;

  constructor(options?: F.CrossEntropyOptions) {
    const defaults: Required<F.CrossEntropyOptions> = { ...NLL, labelSmoothing: 0 };
    const read = readOptions(new.target.name, defaults, options);
    super(read);
    this.ignoreIndex = read.ignoreIndex;
    this.labelSmoothing = read.labelSmoothing;
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { weight, ignoreIndex, reduction, labelSmoothing } = this;
    return F.crossEntropy(input, target, { weight, ignoreIndex, reduction, labelSmoothing });
  }
}

export interface LinearCrossEntropyLossOptions extends Omit<
  F.LinearCrossEntropyOptions,
  "linearBias"
> {
  /** The losses of a sample: `(d₁, d₂, …)`. Default: none, one a sample. */
  outFeatures?: readonly number[];
  /** The linear layer has a bias. Default: `false`. */
  bias?: boolean;
}

/**
 * `crossEntropy` of a linear layer's output. PyTorch's `options` for computing it in chunks are
 * left out: they save memory in training.
 *
 * Shapes: input `(D)` or `(N, D)`; target as for logits `(N, numClasses, d₁, d₂, …)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LinearCrossEntropyLoss.html
 */
export class LinearCrossEntropyLoss extends WeightedLoss {
  static override readonly name: string = "LinearCrossEntropyLoss";

  readonly outFeatures: readonly number[];
  readonly ignoreIndex: number | null;
  readonly labelSmoothing: number;
  linear: Linear;

  constructor(
    inFeatures: number,
    readonly numClasses: number,
    options?: LinearCrossEntropyLossOptions,
  ) {
    const defaults = {
      ...{ outFeatures: [], bias: false, reduction: REDUCTION.reduction, weight: null },
      ...{ ignoreIndex: null, labelSmoothing: 0 },
    };
    const read = readOptions<Required<LinearCrossEntropyLossOptions>>(
      new.target.name,
      defaults,
      options,
    );
    const { weight, reduction, labelSmoothing } = read;
    if (weight !== null && (weight.rank !== 1 || weight.size !== numClasses)) {
      throw new Error(
        `LinearCrossEntropyLoss: expected weight shape to be (${numClasses},), ` +
          `got (${weight.shape.join(", ")})`,
      );
    }
    if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
      throw new RangeError(
        `LinearCrossEntropyLoss: expected label_smoothing to be in range [0, 1], ` +
          `got ${labelSmoothing}`,
      );
    }
    super({ ...REDUCTION, reduction, weight });
    this.outFeatures = read.outFeatures;
    this.ignoreIndex = read.ignoreIndex;
    this.labelSmoothing = labelSmoothing;
    const outputs = read.outFeatures.reduce((a, b) => a * b, numClasses);
    this.linear = new Linear(inFeatures, outputs, { bias: read.bias });
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { weight, reduction, ignoreIndex, labelSmoothing, linear } = this;
    const shape = [this.numClasses, ...this.outFeatures];
    const linearBias = linear.bias && F.unflatten(linear.bias, 0, shape);
    const linearWeight = F.unflatten(linear.weight, 0, shape);
    const options = { linearBias, weight, reduction, ignoreIndex, labelSmoothing };
    return F.linearCrossEntropy(input, linearWeight, target, options);
  }

  override extraRepr(): string {
    const { linear, numClasses, outFeatures, reduction, ignoreIndex, labelSmoothing } = this;
    return (
      `in_features=${linear.inFeatures}, num_classes=${numClasses}, ` +
      `out_features=${formatPython(outFeatures)}, bias=${formatPython(linear.bias !== null)}, ` +
      `reduction=${reduction}, ignore_index=${formatPython(ignoreIndex)}, ` +
      `label_smoothing=${formatFloat(labelSmoothing)}, options=None`
    );
  }
}
