import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { asFloat, checkTensor } from "../functional/check.js";
import * as F from "../functional/index.js";
import { formatPython, Module } from "../module/index.js";

/** What the power-average pooling layers have in common. */
abstract class LPPoolNd extends Module {
  readonly stride: F.PoolSize | null;
  readonly ceilMode: boolean;

  constructor(
    readonly normType: number,
    readonly kernelSize: F.PoolSize,
    options?: F.LPPoolOptions,
  ) {
    super();
    const defaults: Required<F.LPPoolOptions> = { stride: null, ceilMode: false };
    const { stride, ceilMode } = readOptions(this.constructor.name, defaults, options);
    this.stride = stride;
    this.ceilMode = ceilMode;
  }

  protected pool(pool: typeof F.lpPool1d, x: tf.Tensor): tf.Tensor {
    const { normType, stride, ceilMode } = this;
    checkTensor(this.constructor.name, x);
    // In PyTorch's layers the norm type is a float, so that powers of integers are floats.
    const y = Number.isFinite(normType) ? asFloat(x) : x;
    return pool(y, normType, this.kernelSize, { stride, ceilMode });
  }

  override extraRepr(): string {
    return (
      `norm_type=${formatPython(this.normType)}, kernel_size=${formatPython(this.kernelSize)}, ` +
      `stride=${formatPython(this.stride)}, ceil_mode=${formatPython(this.ceilMode)}`
    );
  }
}

/**
 * `(Σ xᵖ)^(1/p)` of each window: `(N, C, L)` or `(C, L)` → the same with
 * `⌊(L - kernelSize)/stride⌋ + 1` in the place of L. `normType` infinity is the maximum.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LPPool1d.html
 */
export class LPPool1d extends LPPoolNd {
  static override readonly name: string = "LPPool1d";

  override forward(x: tf.Tensor): tf.Tensor {
    return this.pool(F.lpPool1d, x);
  }
}

/**
 * `(Σ xᵖ)^(1/p)` of each window, as {@link LPPool1d} over `(N, C, H, W)` or `(C, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LPPool2d.html
 */
export class LPPool2d extends LPPoolNd {
  static override readonly name: string = "LPPool2d";

  override forward(x: tf.Tensor): tf.Tensor {
    return this.pool(F.lpPool2d, x);
  }
}

/**
 * `(Σ xᵖ)^(1/p)` of each window, as {@link LPPool1d} over `(N, C, D, H, W)` or `(C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LPPool3d.html
 */
export class LPPool3d extends LPPoolNd {
  static override readonly name: string = "LPPool3d";

  override forward(x: tf.Tensor): tf.Tensor {
    return this.pool(F.lpPool3d, x);
  }
}
