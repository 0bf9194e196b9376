import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { formatPython, Module } from "../module/index.js";

export type SoftmaxOptions = Pick<F.SoftmaxOptions, "dim">;

/**
 * `exp(xᵢ) / Σⱼ exp(xⱼ)` along a dimension; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html
 */
export class Softmax extends Module {
  static override readonly name: string = "Softmax";

  readonly dim: number | null;

  constructor(options?: SoftmaxOptions) {
    super();
    const read = readOptions<Required<SoftmaxOptions>>(
      this.constructor.name,
      { dim: null },
      options,
    );
    this.dim = read.dim;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.softmax(x, { dim: this.dim });
  }

  override extraRepr(): string {
    return `dim=${formatPython(this.dim)}`;
  }
}

/**
 * `log(softmax(x))` along a dimension, without its underflow; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html
 */
export class LogSoftmax extends Module {
  static override readonly name: string = "LogSoftmax";

  readonly dim: number | null;

  constructor(options?: SoftmaxOptions) {
    super();
    const read = readOptions<Required<SoftmaxOptions>>(
      this.constructor.name,
      { dim: null },
      options,
    );
    this.dim = read.dim;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.logSoftmax(x, { dim: this.dim });
  }

  override extraRepr(): string {
    return `dim=${formatPython(this.dim)}`;
  }
}

/**
 * `exp(-xᵢ) / Σⱼ exp(-xⱼ)` along a dimension; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmin.html
 */
export class Softmin extends Module {
  static override readonly name: string = "Softmin";

  readonly dim: number | null;

  constructor(options?: SoftmaxOptions) {
    super();
    const read = readOptions<Required<SoftmaxOptions>>(
      this.constructor.name,
      { dim: null },
      options,
    );
    this.dim = read.dim;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.softmin(x, { dim: this.dim });
  }

  override extraRepr(): string {
    return `dim=${formatPython(this.dim)}`;
  }
}

/**
 * Softmax over the channels of `(N, C, H, W)` or `(C, H, W)`, at each place.
 *
 * @throws if the input has another rank.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax2d.html
 */
export class Softmax2d extends Module {
  static override readonly name: string = "Softmax2d";

  override forward(x: tf.Tensor): tf.Tensor {
    if (x.rank === 3 || x.rank === 4) return F.softmax(x, { dim: -3 });
    throw new Error(`Softmax2d: expected input to be 3D or 4D, got ${x.rank}D instead`);
  }
}
