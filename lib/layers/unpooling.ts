import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { formatPython, Module } from "../module/index.js";

export interface MaxUnpoolOptions {
  /** Default: the kernel size. */
  stride?: F.PoolSize | null;
  /** The padding of the pooling. Default: 0. */
  padding?: F.PoolSize;
}

export interface UnpoolOptions {
  /**
   * The input size of the pooling, spatial or whole; different sizes may be pooled to the same one.
   */
  outputSize?: readonly number[] | null;
}

const expand = (size: F.PoolSize, n: number): readonly number[] =>
  typeof size === "number" ? new Array<number>(n).fill(size) : size;

/** What the unpooling layers have in common. */
abstract class MaxUnpoolNd extends Module {
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];

  constructor(kernelSize: F.PoolSize, options?: MaxUnpoolOptions) {
    super();
    const n = this.dims();
    const defaults: Required<MaxUnpoolOptions> = { stride: null, padding: 0 };
    const { stride, padding } = readOptions(this.constructor.name, defaults, options);
    this.kernelSize = expand(kernelSize, n);
    this.stride = expand(stride ?? kernelSize, n);
    this.padding = expand(padding, n);
  }

  /** How many dimensions the windows have. */
  protected abstract dims(): number;

  protected unpool(
    unpool: typeof F.maxUnpool1d,
    x: tf.Tensor,
    indices: tf.Tensor,
    options?: UnpoolOptions,
  ): tf.Tensor {
    const { stride, padding } = this;
    return unpool(x, indices, this.kernelSize, { ...options, stride, padding });
  }

  override extraRepr(): string {
    return (
      `kernel_size=${formatPython(this.kernelSize)}, stride=${formatPython(this.stride)}, ` +
      `padding=${formatPython(this.padding)}`
    );
  }
}

/**
 * Puts maxima back where {@link MaxPool1d} found them, with zeros elsewhere.
 *
 * Shapes: input and indices `(N, C, L)` or `(C, L)` → the same with `outputSize`, or else
 * `(size - 1)·stride - 2·padding + kernelSize`, in the place of L.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxUnpool1d.html
 */
export class MaxUnpool1d extends MaxUnpoolNd {
  static override readonly name: string = "MaxUnpool1d";

  protected override dims(): number {
    return 1;
  }

  override forward(x: tf.Tensor, indices: tf.Tensor, options?: UnpoolOptions): tf.Tensor {
    return this.unpool(F.maxUnpool1d, x, indices, options);
  }
}

/**
 * Puts maxima back where {@link MaxPool2d} found them, with zeros elsewhere.
 *
 * Shapes: input and indices `(N, C, H, W)` or `(C, H, W)` → the same with `outputSize`, or else
 * `(size - 1)·stride - 2·padding + kernelSize`, in the place of H, W.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxUnpool2d.html
 */
export class MaxUnpool2d extends MaxUnpoolNd {
  static override readonly name: string = "MaxUnpool2d";

  protected override dims(): number {
    return 2;
  }

  override forward(x: tf.Tensor, indices: tf.Tensor, options?: UnpoolOptions): tf.Tensor {
    return this.unpool(F.maxUnpool2d, x, indices, options);
  }
}

/**
 * Puts maxima back where {@link MaxPool3d} found them, with zeros elsewhere.
 *
 * Shapes: input and indices `(N, C, D, H, W)` or `(C, D, H, W)` → the same with `outputSize`, or else
 * `(size - 1)·stride - 2·padding + kernelSize`, in the place of D, H, W.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxUnpool3d.html
 */
export class MaxUnpool3d extends MaxUnpoolNd {
  static override readonly name: string = "MaxUnpool3d";

  protected override dims(): number {
    return 3;
  }

  override forward(x: tf.Tensor, indices: tf.Tensor, options?: UnpoolOptions): tf.Tensor {
    return this.unpool(F.maxUnpool3d, x, indices, options);
  }
}
