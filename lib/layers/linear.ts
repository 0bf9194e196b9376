import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { Empty, formatPython, init, Module, Parameter } from "../module/index.js";

export interface LinearOptions {
  /** Learn an additive bias. Default: `true`. */
  bias?: boolean;
}

/**
 * `y = x Wᵀ + b`.
 *
 * Shapes: `(*, inFeatures)` → `(*, outFeatures)`; `weight` `(outFeatures, inFeatures)`, `bias`
 * `(outFeatures)` or `null`. Both start as U(-k, k), k = 1/√inFeatures.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
 */
export class Linear extends Module {
  static override readonly name: string = "Linear";

  weight: Parameter;
  bias: Parameter | null;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    options?: LinearOptions,
  ) {
    super();
    const { bias } = readOptions(this.constructor.name, { bias: true }, options);
    this.weight = new Parameter(new Empty([outFeatures, inFeatures]));
    this.bias = bias ? new Parameter(new Empty([outFeatures])) : null;
    this.resetParameters();
  }

  resetParameters(): void {
    init.kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    const k = this.inFeatures > 0 ? 1 / Math.sqrt(this.inFeatures) : 0;
    if (this.bias) init.uniform_(this.bias, { a: -k, b: k });
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.linear(x, this.weight, { bias: this.bias });
  }

  override extraRepr(): string {
    const bias = formatPython(this.bias !== null);
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${bias}`;
  }
}

/**
 * Gives its input back, whatever arguments it is built or called with.
 *
 * Shapes: `(*)` → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Identity.html
 */
export class Identity extends Module {
  static override readonly name: string = "Identity";

  constructor(..._ignored: unknown[]) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return x;
  }
}

/**
 * `y = x₁ᵀ A x₂ + b`.
 *
 * Shapes: `(*, in1Features)`, `(*, in2Features)` → `(*, outFeatures)`; `weight`
 * `(outFeatures, in1Features, in2Features)`, `bias` `(outFeatures)` or `null`. Both start as
 * U(-k, k), k = 1/√in1Features.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Bilinear.html
 */
export class Bilinear extends Module {
  static override readonly name: string = "Bilinear";

  weight: Parameter;
  bias: Parameter | null;

  constructor(
    readonly in1Features: number,
    readonly in2Features: number,
    readonly outFeatures: number,
    options?: LinearOptions,
  ) {
    super();
    const { bias } = readOptions(this.constructor.name, { bias: true }, options);
    if (in1Features <= 0) {
      throw new Error(`in1_features must be > 0, but got ${in1Features}`);
    }
    this.weight = new Parameter(new Empty([outFeatures, in1Features, in2Features]));
    this.bias = bias ? new Parameter(new Empty([outFeatures])) : null;
    this.resetParameters();
  }

  resetParameters(): void {
    const k = 1 / Math.sqrt(this.in1Features);
    init.uniform_(this.weight, { a: -k, b: k });
    if (this.bias) init.uniform_(this.bias, { a: -k, b: k });
  }

  override forward(x1: tf.Tensor, x2: tf.Tensor): tf.Tensor {
    return F.bilinear(x1, x2, this.weight, { bias: this.bias });
  }

  override extraRepr(): string {
    return (
      `in1_features=${this.in1Features}, in2_features=${this.in2Features}, ` +
      `out_features=${this.outFeatures}, bias=${formatPython(this.bias !== null)}`
    );
  }
}
