import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { Buffer } from "../module/index.js";
import { Loss, REDUCTION, WeightedLoss } from "./loss-base.js";

const WEIGHTED: Required<F.BinaryCrossEntropyOptions> = { ...REDUCTION, weight: null };

/**
 * The binary cross entropy of probabilities.
 *
 * Shapes: input and target `(*)`, between 0 and 1 → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
 */
export class BCELoss extends WeightedLoss {
  static override readonly name: string = "BCELoss";

  constructor(options?: F.BinaryCrossEntropyOptions) {
    super(readOptions(new.target.name, WEIGHTED, options));
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { weight, reduction } = this;
    return F.binaryCrossEntropy(input, target, { weight, reduction });
  }
}

/**
 * The binary cross entropy of logits.
 *
 * Shapes: input and target `(*)` → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
 */
export class BCEWithLogitsLoss extends WeightedLoss {
  static override readonly name: string = "BCEWithLogitsLoss";

  pos_weight: Buffer | null;

  constructor(options?: F.BinaryCrossEntropyWithLogitsOptions) {
    const defaults = { ...WEIGHTED, posWeight: null };
    const read = readOptions<Required<F.BinaryCrossEntropyWithLogitsOptions>>(
      new.target.name,
      defaults,
      options,
    );
    super(read);
    this.pos_weight = read.posWeight && new Buffer(read.posWeight);
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { weight, pos_weight: posWeight, reduction } = this;
    return F.binaryCrossEntropyWithLogits(input, target, { weight, posWeight, reduction });
  }
}

/**
 * `log(1 + exp(-y x))` for targets y of 1 and -1.
 *
 * Shapes: input and target `(*)` → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html
 */
export class SoftMarginLoss extends Loss {
  static override readonly name: string = "SoftMarginLoss";

  constructor(options?: F.ReductionOptions) {
    super(readOptions(new.target.name, REDUCTION, options));
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    return F.softMarginLoss(input, target, { reduction: this.reduction });
  }
}

/**
 * The mean over the classes of the binary cross entropies with logits.
 *
 * Shapes: input and target `(N, C)` or `(C)` → scalar, or `(N)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html
 */
export class MultiLabelSoftMarginLoss extends WeightedLoss {
  static override readonly name: string = "MultiLabelSoftMarginLoss";

  constructor(options?: F.BinaryCrossEntropyOptions) {
    super(readOptions(new.target.name, WEIGHTED, options));
  }

  override forward(input: tf.Tensor, target: tf.Tensor): tf.Tensor {
    const { weight, reduction } = this;
    return F.multilabelSoftMarginLoss(input, target, { weight, reduction });
  }
}
