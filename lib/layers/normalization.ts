import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { Empty, formatFloat, formatPython, init, Module, Parameter } from "../module/index.js";

export interface LayerNormOptions {
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
  /** Learn a weight and a bias for each element. Default: `true`. */
  elementwiseAffine?: boolean;
  /** With `elementwiseAffine`: learn the bias too. Default: `true`. */
  bias?: boolean;
}

const shapeOf = (size: number | readonly number[]): readonly number[] =>
  typeof size === "number" ? [size] : [...size];

/**
 * `(x - mean) / √(var + eps) · weight + bias` over the last dimensions, those of `normalizedShape`.
 *
 * Shapes: `(*, ...normalizedShape)` → the same; `weight` (starts as 1) and `bias` (as 0) of
 * `normalizedShape`, or `null`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
 */
export class LayerNorm extends Module {
  static override readonly name: string = "LayerNorm";

  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly elementwiseAffine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options?: LayerNormOptions) {
    super();
    const defaults = { eps: 1e-5, elementwiseAffine: true, bias: true };
    const { eps, elementwiseAffine, bias } = readOptions(this.constructor.name, defaults, options);
    this.normalizedShape = shapeOf(normalizedShape);
    this.eps = eps;
    this.elementwiseAffine = elementwiseAffine;
    const empty = (): Parameter => new Parameter(new Empty(this.normalizedShape));
    this.weight = elementwiseAffine ? empty() : null;
    this.bias = elementwiseAffine && bias ? empty() : null;
    this.resetParameters();
  }

  resetParameters(): void {
    if (this.weight) init.ones_(this.weight);
    if (this.bias) init.zeros_(this.bias);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const { normalizedShape, weight, bias, eps } = this;
    return F.layerNorm(x, normalizedShape, { weight, bias, eps });
  }

  override extraRepr(): string {
    return (
      `${formatPython(this.normalizedShape)}, eps=${formatFloat(this.eps)}, ` +
      `elementwise_affine=${formatPython(this.elementwiseAffine)}, ` +
      `bias=${formatPython(this.bias !== null)}`
    );
  }
}

export interface RMSNormOptions {
  /** Added to the mean square. `null` (the default): float32's, 2⁻²³. */
  eps?: number | null;
  /** Learn a weight for each element. Default: `true`. */
  elementwiseAffine?: boolean;
}

/**
 * `x / √(mean(x²) + eps) · weight` over the last dimensions, those of `normalizedShape`.
 *
 * Shapes: `(*, ...normalizedShape)` → the same; `weight` (starts as 1) of `normalizedShape`, or
 * `null`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html
 */
export class RMSNorm extends Module {
  static override readonly name: string = "RMSNorm";

  readonly normalizedShape: readonly number[];
  readonly eps: number | null;
  readonly elementwiseAffine: boolean;
  weight: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options?: RMSNormOptions) {
    super();
    const defaults = { eps: null, elementwiseAffine: true };
    const read = readOptions<Required<RMSNormOptions>>(this.constructor.name, defaults, options);
    this.normalizedShape = shapeOf(normalizedShape);
    this.eps = read.eps;
    this.elementwiseAffine = read.elementwiseAffine;
    this.weight = read.elementwiseAffine ? new Parameter(new Empty(this.normalizedShape)) : null;
    this.resetParameters();
  }

  resetParameters(): void {
    if (this.weight) init.ones_(this.weight);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.rmsNorm(x, this.normalizedShape, { weight: this.weight, eps: this.eps });
  }

  override extraRepr(): string {
    const eps = this.eps === null ? "None" : formatFloat(this.eps);
    return (
      `${formatPython(this.normalizedShape)}, eps=${eps}, ` +
      `elementwise_affine=${formatPython(this.elementwiseAffine)}`
    );
  }
}

export interface GroupNormOptions {
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
  /** Learn a weight and a bias for each channel. Default: `true`. */
  affine?: boolean;
  /** With `affine`: learn the bias too. Default: `true`. */
  bias?: boolean;
}

/**
 * `(x - mean) / √(var + eps) · weight + bias`, mean and variance of each group of channels.
 *
 * Shapes: `(N, C, *)` → the same; `weight` (starts as 1) and `bias` (as 0) `(C)`, or `null`.
 *
 * @throws if `numGroups` does not divide `numChannels`.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html
 */
export class GroupNorm extends Module {
  static override readonly name: string = "GroupNorm";

  readonly eps: number;
  readonly affine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(
    readonly numGroups: number,
    readonly numChannels: number,
    options?: GroupNormOptions,
  ) {
    super();
    const defaults = { eps: 1e-5, affine: true, bias: true };
    const { eps, affine, bias } = readOptions(this.constructor.name, defaults, options);
    if (numChannels % numGroups !== 0) {
      throw new RangeError(
        `num_channels (${numChannels}) must be divisible by num_groups (${numGroups})`,
      );
    }
    this.eps = eps;
    this.affine = affine;
    this.weight = affine ? new Parameter(new Empty([numChannels])) : null;
    this.bias = affine && bias ? new Parameter(new Empty([numChannels])) : null;
    this.resetParameters();
  }

  resetParameters(): void {
    if (this.weight) init.ones_(this.weight);
    if (this.bias) init.zeros_(this.bias);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.groupNorm(x, this.numGroups, { weight: this.weight, bias: this.bias, eps: this.eps });
  }

  override extraRepr(): string {
    return (
      `${this.numGroups}, ${this.numChannels}, eps=${formatFloat(this.eps)}, ` +
      `affine=${formatPython(this.affine)}, bias=${formatPython(this.bias !== null)}`
    );
  }
}
