import type * as tf from "@tensorflow/tfjs-core";
import { legacyReduction, REDUCTION } from "../functional/reduction.js";
import type * as F from "../functional/index.js";
import { Buffer, Module } from "../module/index.js";

export { REDUCTION };

/** What all losses have: a reduction, which is only checked when one is called, as in PyTorch. */
export abstract class Loss extends Module {
  readonly reduction: F.Reduction;

  constructor(options: Required<F.ReductionOptions>) {
    super();
    this.reduction = legacyReduction(options);
  }
}

/** A loss whose weights are a buffer, and so in the state_dict. */
export abstract class WeightedLoss extends Loss {
  weight: Buffer | null;

  constructor(options: Required<F.ReductionOptions & { weight?: tf.Tensor | null }>) {
    super(options);
    this.weight = options.weight && new Buffer(options.weight);
  }
}
