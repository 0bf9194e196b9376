import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { Empty, formatPython, init, Module, Parameter } from "../module/index.js";

/**
 * `a · sigmoid(b)`, a and b the halves of the input along a dimension.
 *
 * Shapes: `(*, 2 N, *)` → `(*, N, *)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.GLU.html
 */
export class GLU extends Module {
  static override readonly name: string = "GLU";

  readonly dim: number;

  constructor(options?: F.GLUOptions) {
    super();
    const read = readOptions(this.constructor.name, { dim: -1 }, options);
    this.dim = read.dim;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.glu(x, { dim: this.dim });
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/**
 * `x · Φ(x)`, Φ the standard normal distribution function; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.GELU.html
 */
export class GELU extends Module {
  static override readonly name: string = "GELU";

  readonly approximate: "none" | "tanh";

  constructor(options?: F.GELUOptions) {
    super();
    const read = readOptions<Required<F.GELUOptions>>(
      this.constructor.name,
      { approximate: "none" },
      options,
    );
    this.approximate = read.approximate;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.gelu(x, { approximate: this.approximate });
  }

  override extraRepr(): string {
    return `approximate=${formatPython(this.approximate)}`;
  }
}

export interface PReLUOptions {
  /** 1, or the number of channels. Default: 1. */
  numParameters?: number;
  /** The initial slope. Default: 0.25. */
  init?: number;
}

/**
 * `x` where it is positive, else `weight · x`, the weight learned.
 *
 * Shapes: `(N, C, *)` → the same; weight `(1)` or `(C)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.PReLU.html
 */
export class PReLU extends Module {
  static override readonly name: string = "PReLU";

  readonly numParameters: number;
  readonly init: number;
  weight: Parameter;

  constructor(options?: PReLUOptions) {
    super();
    const { numParameters, init } = readOptions(
      this.constructor.name,
      { numParameters: 1, init: 0.25 },
      options,
    );
    this.numParameters = numParameters;
    this.init = init;
    this.weight = new Parameter(new Empty([numParameters]));
    this.resetParameters();
  }

  resetParameters(): void {
    init.constant_(this.weight, this.init);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.prelu(x, this.weight);
  }

  override extraRepr(): string {
    return `num_parameters=${this.numParameters}`;
  }
}
