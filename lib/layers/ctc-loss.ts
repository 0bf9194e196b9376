import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { Loss, REDUCTION } from "./loss-base.js";

/**
 * The connectionist temporal classification loss.
 *
 * Shapes: logProbs `(T, N, C)` or `(T, C)`; targets of int32 `(N, S)`, or one after the other
 * `(sum of the lengths)`; lengths `(N)` → scalar, or `(N)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html
 */
export class CTCLoss extends Loss {
  static override readonly name: string = "CTCLoss";

  readonly blank: number;
  readonly zeroInfinity: boolean;

  constructor(options?: F.CTCLossOptions) {
    const { reduction } = REDUCTION;
    const defaults = { blank: 0, reduction, zeroInfinity: false };
    const read = readOptions(new.target.name, defaults, options);
    super({ ...REDUCTION, reduction: read.reduction });
    this.blank = read.blank;
    this.zeroInfinity = read.zeroInfinity;
  }

  override forward(
    logProbs: tf.Tensor,
    targets: tf.Tensor,
    inputLengths: F.Lengths,
    targetLengths: F.Lengths,
  ): tf.Tensor {
    const { blank, reduction, zeroInfinity } = this;
    const options = { blank, reduction, zeroInfinity };
    return F.ctcLoss(logProbs, targets, inputLengths, targetLengths, options);
  }
}
