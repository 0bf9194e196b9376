import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { crossMapLrn2d } from "../functional/cross-map-lrn.js";
import * as F from "../functional/index.js";
import { formatFloat, formatPython, Module } from "../module/index.js";

/** The base of both: PyTorch's defaults, and its repr without k. */
abstract class ResponseNorm extends Module {
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  constructor(
    readonly size: number,
    options?: F.LocalResponseNormOptions,
  ) {
    super();
    const { alpha, beta, k } = readOptions(
      this.constructor.name,
      { alpha: 1e-4, beta: 0.75, k: 1 },
      options,
    );
    this.alpha = alpha;
    this.beta = beta;
    this.k = k;
  }

  protected factors(): string {
    return `${this.size}, alpha=${formatFloat(this.alpha)}, beta=${formatFloat(this.beta)}`;
  }
}

/**
 * `x / (k + alpha · mean(x²))^beta`, the mean over `size` neighbouring channels: `(N, C, *)` → the
 * same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html
 */
export class LocalResponseNorm extends ResponseNorm {
  static override readonly name: string = "LocalResponseNorm";

  override forward(x: tf.Tensor): tf.Tensor {
    const { size, alpha, beta, k } = this;
    return F.localResponseNorm(x, size, { alpha, beta, k });
  }

  override extraRepr(): string {
    return `${this.factors()}, k=${formatFloat(this.k)}`;
  }
}

/**
 * {@link LocalResponseNorm} as Torch7 computed it, with its counting of neighbours: `(N, C, H, W)`
 * → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossMapLRN2d.html
 */
export class CrossMapLRN2d extends ResponseNorm {
  static override readonly name: string = "CrossMapLRN2d";

  override forward(x: tf.Tensor): tf.Tensor {
    const { size, alpha, beta, k } = this;
    return crossMapLrn2d(x, size, { alpha, beta, k });
  }

  override extraRepr(): string {
    return `${this.factors()}, k=${formatPython(this.k)}`;
  }
}
