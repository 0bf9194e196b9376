import type * as tf from "@tensorflow/tfjs-core";
import {
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  type AdaptiveSize,
} from "./adaptive-pooling.js";
import { fractionalMaxPool2d, fractionalMaxPool3d } from "./fractional-pooling.js";
import type { FractionalMaxPoolOptions } from "./fractional-pooling.js";
import { maxPool1d, maxPool2d, maxPool3d, type MaxPoolOptions } from "./max-pooling.js";
import type { PoolSize } from "./pooling-windows.js";

type WithIndices = [output: tf.Tensor, indices: tf.Tensor];
type Max = Omit<MaxPoolOptions, "returnIndices">;
type Fractional = Omit<FractionalMaxPoolOptions, "returnIndices">;

/**
 * {@link maxPool1d} with `returnIndices`: `[output, indices]`. Indices are flat positions in the
 * input's plane, as int32.
 *
 * Shapes: `(N, C, L)` or `(C, L)` → both the same with the output's size.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool1d.html
 */
export function maxPool1dWithIndices(x: tf.Tensor, kernel: PoolSize, options?: Max): WithIndices {
  return maxPool1d(x, kernel, { ...options, returnIndices: true });
}

/**
 * {@link maxPool2d} with `returnIndices`: `[output, indices]`. Indices are flat positions in the
 * input's plane, as int32.
 *
 * Shapes: `(N, C, H, W)` or `(C, H, W)` → both the same with the output's size.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html
 */
export function maxPool2dWithIndices(x: tf.Tensor, kernel: PoolSize, options?: Max): WithIndices {
  return maxPool2d(x, kernel, { ...options, returnIndices: true });
}

/**
 * {@link maxPool3d} with `returnIndices`: `[output, indices]`. Indices are flat positions in the
 * input's plane, as int32.
 *
 * Shapes: `(N, C, D, H, W)` or `(C, D, H, W)` → both the same with the output's size.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool3d.html
 */
export function maxPool3dWithIndices(x: tf.Tensor, kernel: PoolSize, options?: Max): WithIndices {
  return maxPool3d(x, kernel, { ...options, returnIndices: true });
}

/**
 * {@link adaptiveMaxPool1d} with `returnIndices`: `[output, indices]`. Indices are flat positions
 * in the input's plane, as int32.
 *
 * Shapes: `(N, C, L)` or `(C, L)` → both the same with the output's size.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool1d.html
 */
export function adaptiveMaxPool1dWithIndices(x: tf.Tensor, size: AdaptiveSize): WithIndices {
  return adaptiveMaxPool1d(x, size, { returnIndices: true });
}

/**
 * {@link adaptiveMaxPool2d} with `returnIndices`: `[output, indices]`. Indices are flat positions
 * in the input's plane, as int32.
 *
 * Shapes: `(N, C, H, W)` or `(C, H, W)` → both the same with the output's size.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool2d.html
 */
export function adaptiveMaxPool2dWithIndices(x: tf.Tensor, size: AdaptiveSize): WithIndices {
  return adaptiveMaxPool2d(x, size, { returnIndices: true });
}

/**
 * {@link adaptiveMaxPool3d} with `returnIndices`: `[output, indices]`. Indices are flat positions
 * in the input's plane, as int32.
 *
 * Shapes: `(N, C, D, H, W)` or `(C, D, H, W)` → both the same with the output's size.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool3d.html
 */
export function adaptiveMaxPool3dWithIndices(x: tf.Tensor, size: AdaptiveSize): WithIndices {
  return adaptiveMaxPool3d(x, size, { returnIndices: true });
}

/**
 * {@link fractionalMaxPool2d} with `returnIndices`: `[output, indices]`. Indices are flat positions
 * in the input's plane, as int32.
 *
 * Shapes: `(N, C, H, W)` or `(C, H, W)` → both the same with the output's size.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool2d.html
 */
export function fractionalMaxPool2dWithIndices(
  x: tf.Tensor,
  kernel: PoolSize,
  options: Fractional,
): WithIndices {
  return fractionalMaxPool2d(x, kernel, { ...options, returnIndices: true });
}

/**
 * {@link fractionalMaxPool3d} with `returnIndices`: `[output, indices]`. Indices are flat positions
 * in the input's plane, as int32.
 *
 * Shapes: `(N, C, D, H, W)` or `(C, D, H, W)` → both the same with the output's size.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool3d.html
 */
export function fractionalMaxPool3dWithIndices(
  x: tf.Tensor,
  kernel: PoolSize,
  options: Fractional,
): WithIndices {
  return fractionalMaxPool3d(x, kernel, { ...options, returnIndices: true });
}
