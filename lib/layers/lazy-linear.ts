import type * as tf from "@tensorflow/tfjs-core";
import { give, isOpen, leaveOpen, setField } from "./lazy.js";
import { Linear, type LinearOptions } from "./linear.js";

/**
 * A {@link Linear} that learns `inFeatures` from its first input, and then is one.
 *
 * Shapes: `(*, inFeatures)` → `(*, outFeatures)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LazyLinear.html
 */
export class LazyLinear extends Linear {
  static override readonly name: string = "LazyLinear";

  constructor(outFeatures: number, options?: LinearOptions) {
    super(0, outFeatures, { ...options, bias: false }); // so that no random numbers are drawn for it
    leaveOpen(this, (options?.bias ?? true) ? ["weight", "bias"] : ["weight"]);
  }

  inferParameters(x: tf.Tensor): void {
    const { outFeatures } = this;
    const inFeatures = x.shape.at(-1)!;
    const isNew = isOpen(this);
    if (isNew) give(this, { weight: [outFeatures, inFeatures], bias: [outFeatures] });
    if (this.weight.shape[1] !== inFeatures) {
      throw new Error(
        `LazyLinear: The in_features inferred from input: ${inFeatures} is not equal to ` +
          `in_features from self.weight: ${this.weight.shape[1]}`,
      );
    }
    setField(this, "inFeatures", inFeatures);
    if (isNew) this.resetParameters();
  }

  becomes(): typeof Linear {
    return Linear;
  }
}
