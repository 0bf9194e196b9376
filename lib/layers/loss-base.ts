import type * as tf from "@tensorflow/tfjs-core";
import { legacyReduction, REDUCTION } from "../functional/reduction.js";
import type * as F from "../functional/index.js";
import { Buffer, Module } from "../module/index.js";

export { REDUCTION };

/** The base of all losses. The reduction is checked when the loss is called, as in PyTorch. */
export abstract class Loss extends Module {
  readonly reduction: F.Reduction;

  constructor(options: Required<F.ReductionOptions>) {
    super();
    this.reduction = legacyReduction(options);
  }
}

/** A loss whose weights are a buffer, so that they are in the state_dict. */
export abstract class WeightedLoss extends Loss {
  weight: Buffer | null;

  constructor(options: Required<F.ReductionOptions & { weight?: tf.Tensor | null }>) {
    super(options);
    this.weight = options.weight && new Buffer(options.weight);
  }
}
