import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { formatPython, Module } from "../module/index.js";
import type { Pooled } from "./max-pooling.js";

/** What the adaptive pooling layers have in common: the size that comes out. */
abstract class AdaptivePoolNd extends Module {
  constructor(readonly outputSize: F.AdaptiveSize) {
    super();
  }

  override extraRepr(): string {
    return `output_size=${formatPython(this.outputSize)}`;
  }
}

/**
 * The mean of `outputSize` windows that share the input: `(N, C, L)` or `(C, L)` → the same with
 * `outputSize` in the place of L.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool1d.html
 */
export class AdaptiveAvgPool1d extends AdaptivePoolNd {
  static override readonly name: string = "AdaptiveAvgPool1d";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.adaptiveAvgPool1d(x, this.outputSize);
  }
}

/**
 * The mean of windows that share the input: `(N, C, H, W)` or `(C, H, W)` → the same with
 * `outputSize` in the place of `(H, W)`; a `null` keeps the input's.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
 */
export class AdaptiveAvgPool2d extends AdaptivePoolNd {
  static override readonly name: string = "AdaptiveAvgPool2d";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.adaptiveAvgPool2d(x, this.outputSize);
  }
}

/**
 * The mean of windows that share the input: `(N, C, D, H, W)` or `(C, D, H, W)` → the same with
 * `outputSize` in the place of `(D, H, W)`; a `null` keeps the input's.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool3d.html
 */
export class AdaptiveAvgPool3d extends AdaptivePoolNd {
  static override readonly name: string = "AdaptiveAvgPool3d";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.adaptiveAvgPool3d(x, this.outputSize);
  }
}

/** `R`: whether indices are returned too. */
abstract class AdaptiveMaxPoolNd<R extends boolean> extends AdaptivePoolNd {
  readonly returnIndices: boolean;

  constructor(outputSize: F.AdaptiveSize, options?: { returnIndices?: R }) {
    super(outputSize);
    const defaults: F.AdaptiveMaxPoolOptions = { returnIndices: false };
    this.returnIndices = readOptions(this.constructor.name, defaults, options).returnIndices!;
  }

  protected pool(pool: F.AdaptiveMaxPool, x: tf.Tensor): Pooled<R> {
    return pool(x, this.outputSize, { returnIndices: this.returnIndices }) as Pooled<R>;
  }
}

/**
 * The maximum of the windows of {@link AdaptiveAvgPool1d}.
 *
 * Shapes: `(N, C, L)` or `(C, L)` → the same with `outputSize` in the place of L; with `returnIndices` also
 * where each maximum was in its plane, as int32.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool1d.html
 */
export class AdaptiveMaxPool1d<R extends boolean = false> extends AdaptiveMaxPoolNd<R> {
  static override readonly name: string = "AdaptiveMaxPool1d";

  override forward(x: tf.Tensor): Pooled<R> {
    return this.pool(F.adaptiveMaxPool1d, x);
  }
}

/**
 * The maximum of the windows of {@link AdaptiveAvgPool2d}.
 *
 * Shapes: `(N, C, H, W)` or `(C, H, W)` → the same with `outputSize` in the place of H, W; with `returnIndices` also
 * where each maximum was in its plane, as int32.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html
 */
export class AdaptiveMaxPool2d<R extends boolean = false> extends AdaptiveMaxPoolNd<R> {
  static override readonly name: string = "AdaptiveMaxPool2d";

  override forward(x: tf.Tensor): Pooled<R> {
    return this.pool(F.adaptiveMaxPool2d, x);
  }
}

/**
 * The maximum of the windows of {@link AdaptiveAvgPool3d}.
 *
 * Shapes: `(N, C, D, H, W)` or `(C, D, H, W)` → the same with `outputSize` in the place of D, H, W; with `returnIndices` also
 * where each maximum was in its plane, as int32.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool3d.html
 */
export class AdaptiveMaxPool3d<R extends boolean = false> extends AdaptiveMaxPoolNd<R> {
  static override readonly name: string = "AdaptiveMaxPool3d";

  override forward(x: tf.Tensor): Pooled<R> {
    return this.pool(F.adaptiveMaxPool3d, x);
  }
}
