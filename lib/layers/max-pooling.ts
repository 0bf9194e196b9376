import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { formatPython, Module } from "../module/index.js";

/** The result of a pooling layer: with indices if `R` is true. */
export type Pooled<R extends boolean> = R extends true ? [tf.Tensor, tf.Tensor] : tf.Tensor;

/** The base of the max pooling layers; `R`: whether they return indices too. */
abstract class MaxPoolNd<R extends boolean> extends Module {
  readonly stride: F.PoolSize;
  readonly padding: F.PoolSize;
  readonly dilation: F.PoolSize;
  readonly returnIndices: boolean;
  readonly ceilMode: boolean;

  constructor(
    readonly kernelSize: F.PoolSize,
    options?: F.MaxPoolOptions & { returnIndices?: R },
  ) {
    super();
    const read = readOptions<Required<F.MaxPoolOptions>>(
      this.constructor.name,
      { stride: null, padding: 0, dilation: 1, returnIndices: false, ceilMode: false },
      options,
    );
    this.stride = read.stride ?? kernelSize;
    this.padding = read.padding;
    this.dilation = read.dilation;
    this.returnIndices = read.returnIndices;
    this.ceilMode = read.ceilMode;
  }

  protected pool(pool: F.MaxPool, x: tf.Tensor): Pooled<R> {
    const { stride, padding, dilation, ceilMode, returnIndices } = this;
    const options = { stride, padding, dilation, ceilMode, returnIndices };
    return pool(x, this.kernelSize, options) as Pooled<R>;
  }

  override extraRepr(): string {
    return (
      `kernel_size=${formatPython(this.kernelSize)}, stride=${formatPython(this.stride)}, ` +
      `padding=${formatPython(this.padding)}, dilation=${formatPython(this.dilation)}, ` +
      `ceil_mode=${formatPython(this.ceilMode)}`
    );
  }
}

/**
 * The maximum of each window: `(N, C, L)` or `(C, L)` → the same with
 * `⌊(L + 2·padding - dilation·(kernelSize-1) - 1)/stride⌋ + 1` in the place of L.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html
 */
export class MaxPool1d<R extends boolean = false> extends MaxPoolNd<R> {
  static override readonly name: string = "MaxPool1d";

  override forward(x: tf.Tensor): Pooled<R> {
    return this.pool(F.maxPool1d, x);
  }
}

/**
 * The maximum of each window, as {@link MaxPool1d} over `(N, C, H, W)` or `(C, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
 */
export class MaxPool2d<R extends boolean = false> extends MaxPoolNd<R> {
  static override readonly name: string = "MaxPool2d";

  override forward(x: tf.Tensor): Pooled<R> {
    return this.pool(F.maxPool2d, x);
  }
}

/**
 * The maximum of each window, as {@link MaxPool1d} over `(N, C, D, H, W)` or `(C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool3d.html
 */
export class MaxPool3d<R extends boolean = false> extends MaxPoolNd<R> {
  static override readonly name: string = "MaxPool3d";

  override forward(x: tf.Tensor): Pooled<R> {
    return this.pool(F.maxPool3d, x);
  }
}
