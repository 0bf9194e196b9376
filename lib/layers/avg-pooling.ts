import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { formatPython, Module } from "../module/index.js";

/** `3` → `[3]`: the 1-d layers print their sizes as tuples. */
const single = (size: F.PoolSize): readonly number[] => (typeof size === "number" ? [size] : size);

/** What the average pooling layers print. */
abstract class AvgPoolNd extends Module {
  abstract readonly kernelSize: F.PoolSize;
  abstract readonly stride: F.PoolSize;
  abstract readonly padding: F.PoolSize;

  override extraRepr(): string {
    return (
      `kernel_size=${formatPython(this.kernelSize)}, stride=${formatPython(this.stride)}, ` +
      `padding=${formatPython(this.padding)}`
    );
  }
}

/**
 * The mean of each window: `(N, C, L)` or `(C, L)` → the same with
 * `⌊(L + 2·padding - kernelSize)/stride⌋ + 1` in the place of L.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool1d.html
 */
export class AvgPool1d extends AvgPoolNd {
  static override readonly name: string = "AvgPool1d";

  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;

  constructor(kernelSize: F.PoolSize, options?: F.AvgPool1dOptions) {
    super();
    const read = readOptions<Required<F.AvgPool1dOptions>>(
      this.constructor.name,
      { stride: null, padding: 0, ceilMode: false, countIncludePad: true },
      options,
    );
    this.kernelSize = single(kernelSize);
    this.stride = single(read.stride ?? kernelSize);
    this.padding = single(read.padding);
    this.ceilMode = read.ceilMode;
    this.countIncludePad = read.countIncludePad;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const { stride, padding, ceilMode, countIncludePad } = this;
    return F.avgPool1d(x, this.kernelSize, { stride, padding, ceilMode, countIncludePad });
  }
}

/** What {@link AvgPool2d} and {@link AvgPool3d} have in common. */
abstract class AvgPool2dOr3d extends AvgPoolNd {
  readonly stride: F.PoolSize;
  readonly padding: F.PoolSize;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
  readonly divisorOverride: number | null;

  constructor(
    readonly kernelSize: F.PoolSize,
    options?: F.AvgPoolOptions,
  ) {
    super();
    const read = readOptions<Required<F.AvgPoolOptions>>(
      this.constructor.name,
      { stride: null, padding: 0, ceilMode: false, countIncludePad: true, divisorOverride: null },
      options,
    );
    this.stride = read.stride ?? kernelSize;
    this.padding = read.padding;
    this.ceilMode = read.ceilMode;
    this.countIncludePad = read.countIncludePad;
    this.divisorOverride = read.divisorOverride;
  }

  protected pool(pool: typeof F.avgPool2d, x: tf.Tensor): tf.Tensor {
    const { stride, padding, ceilMode, countIncludePad, divisorOverride } = this;
    const options = { stride, padding, ceilMode, countIncludePad, divisorOverride };
    return pool(x, this.kernelSize, options);
  }
}

/**
 * The mean of each window, as {@link AvgPool1d} over `(N, C, H, W)` or `(C, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
 */
export class AvgPool2d extends AvgPool2dOr3d {
  static override readonly name: string = "AvgPool2d";

  override forward(x: tf.Tensor): tf.Tensor {
    return this.pool(F.avgPool2d, x);
  }
}

/**
 * The mean of each window, as {@link AvgPool1d} over `(N, C, D, H, W)` or `(C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool3d.html
 */
export class AvgPool3d extends AvgPool2dOr3d {
  static override readonly name: string = "AvgPool3d";

  override forward(x: tf.Tensor): tf.Tensor {
    return this.pool(F.avgPool3d, x);
  }
}
