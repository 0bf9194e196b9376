import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { formatFloat, formatPython, Module } from "../module/index.js";
import { type InplaceOptions, inplaceText } from "./inplace.js";

/**
 * `x` where it is positive, else `alpha · (exp(x) - 1)`; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ELU.html
 */
export class ELU extends Module {
  static override readonly name: string = "ELU";

  readonly alpha: number;
  readonly inplace: boolean;

  constructor(options?: F.ELUOptions & InplaceOptions) {
    super();
    const read = readOptions(this.constructor.name, { alpha: 1, inplace: false }, options);
    this.alpha = read.alpha;
    this.inplace = read.inplace;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.elu(x, { alpha: this.alpha });
  }

  override extraRepr(): string {
    return `alpha=${formatFloat(this.alpha)}${inplaceText(this)}`;
  }
}

/**
 * `max(0, x) + min(0, alpha · (exp(x / alpha) - 1))`; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.CELU.html
 */
export class CELU extends Module {
  static override readonly name: string = "CELU";

  readonly alpha: number;
  readonly inplace: boolean;

  constructor(options?: F.ELUOptions & InplaceOptions) {
    super();
    const read = readOptions(this.constructor.name, { alpha: 1, inplace: false }, options);
    this.alpha = read.alpha;
    this.inplace = read.inplace;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.celu(x, { alpha: this.alpha });
  }

  override extraRepr(): string {
    return `alpha=${formatFloat(this.alpha)}${inplaceText(this)}`;
  }
}

/**
 * `x` where it is positive, else `negativeSlope · x`; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html
 */
export class LeakyReLU extends Module {
  static override readonly name: string = "LeakyReLU";

  readonly negativeSlope: number;
  readonly inplace: boolean;

  constructor(options?: F.LeakyReLUOptions & InplaceOptions) {
    super();
    const read = readOptions(
      this.constructor.name,
      { negativeSlope: 0.01, inplace: false },
      options,
    );
    this.negativeSlope = read.negativeSlope;
    this.inplace = read.inplace;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.leakyRelu(x, { negativeSlope: this.negativeSlope });
  }

  override extraRepr(): string {
    return `negative_slope=${formatFloat(this.negativeSlope)}${inplaceText(this)}`;
  }
}

/**
 * `min(max(minVal, x), maxVal)`; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html
 */
export class Hardtanh extends Module {
  static override readonly name: string = "Hardtanh";

  readonly minVal: number;
  readonly maxVal: number;
  readonly inplace: boolean;

  constructor(options?: F.HardtanhOptions & InplaceOptions) {
    super();
    const { name } = this.constructor;
    const read = readOptions(name, { minVal: -1, maxVal: 1, inplace: false }, options);
    if (read.maxVal <= read.minVal) {
      throw new RangeError(
        `${name}: max_val (${read.maxVal}) must be greater than min_val (${read.minVal})`,
      );
    }
    this.minVal = read.minVal;
    this.maxVal = read.maxVal;
    this.inplace = read.inplace;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.hardtanh(x, { minVal: this.minVal, maxVal: this.maxVal });
  }

  override extraRepr(): string {
    return `min_val=${formatFloat(this.minVal)}, max_val=${formatFloat(this.maxVal)}${inplaceText(this)}`;
  }
}

/**
 * `x` where it is positive, else `a · x`, a drawn in training and else its mean; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.RReLU.html
 */
export class RReLU extends Module {
  static override readonly name: string = "RReLU";

  readonly lower: number;
  readonly upper: number;
  readonly inplace: boolean;

  constructor(options?: Omit<F.RReLUOptions, "training"> & InplaceOptions) {
    super();
    const read = readOptions(
      this.constructor.name,
      { lower: 1 / 8, upper: 1 / 3, inplace: false },
      options,
    );
    this.lower = read.lower;
    this.upper = read.upper;
    this.inplace = read.inplace;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.rrelu(x, { lower: this.lower, upper: this.upper, training: this.training });
  }

  override extraRepr(): string {
    return `lower=${formatFloat(this.lower)}, upper=${formatFloat(this.upper)}${inplaceText(this)}`;
  }
}

/**
 * `log(1 + exp(beta · x)) / beta`, and x where `beta · x` is above the threshold; any shape.
 *
 * PyTorch prints both as they were given. JavaScript cannot tell its 2 from 2.0: printed here, the
 * defaults are floats and other whole numbers ints.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Softplus.html
 */
export class Softplus extends Module {
  static override readonly name: string = "Softplus";

  readonly beta: number;
  readonly threshold: number;

  constructor(options?: F.SoftplusOptions) {
    super();
    const read = readOptions(this.constructor.name, { beta: 1, threshold: 20 }, options);
    this.beta = read.beta;
    this.threshold = read.threshold;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.softplus(x, { beta: this.beta, threshold: this.threshold });
  }

  override extraRepr(): string {
    const { beta, threshold } = this;
    const text = (value: number, usual: number): string =>
      value === usual ? formatFloat(value) : formatPython(value);
    return `beta=${text(beta, 1)}, threshold=${text(threshold, 20)}`;
  }
}

/**
 * 0 where `-lambd ≤ x ≤ lambd`, else `x`; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardshrink.html
 */
export class Hardshrink extends Module {
  static override readonly name: string = "Hardshrink";

  readonly lambd: number;

  constructor(options?: F.ShrinkOptions) {
    super();
    const read = readOptions(this.constructor.name, { lambd: 0.5 }, options);
    this.lambd = read.lambd;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.hardshrink(x, { lambd: this.lambd });
  }

  override extraRepr(): string {
    return formatFloat(this.lambd);
  }
}

/**
 * `x - lambd` above `lambd`, `x + lambd` below `-lambd`, 0 between; any shape.
 *
 * PyTorch prints `lambd` as it was given: here a whole number is printed as an int.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Softshrink.html
 */
export class Softshrink extends Module {
  static override readonly name: string = "Softshrink";

  readonly lambd: number;

  constructor(options?: F.ShrinkOptions) {
    super();
    const read = readOptions(this.constructor.name, { lambd: 0.5 }, options);
    this.lambd = read.lambd;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.softshrink(x, { lambd: this.lambd });
  }

  override extraRepr(): string {
    return formatPython(this.lambd);
  }
}

/**
 * `x` where it is above `threshold`, else `value`; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Threshold.html
 */
export class Threshold extends Module {
  static override readonly name: string = "Threshold";

  readonly inplace: boolean;

  constructor(
    readonly threshold: number,
    readonly value: number,
    options?: InplaceOptions,
  ) {
    super();
    this.inplace = readOptions(this.constructor.name, { inplace: false }, options).inplace;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.threshold(x, this.threshold, this.value);
  }

  override extraRepr(): string {
    const [threshold, value] = [formatFloat(this.threshold), formatFloat(this.value)];
    return `threshold=${threshold}, value=${value}${inplaceText(this)}`;
  }
}
