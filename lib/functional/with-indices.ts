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

/** `maxPool1d` with `returnIndices`. */
export function maxPool1dWithIndices(x: tf.Tensor, kernel: PoolSize, options?: Max): WithIndices {
  return maxPool1d(x, kernel, { ...options, returnIndices: true });
}

/** `maxPool2d` with `returnIndices`. */
export function maxPool2dWithIndices(x: tf.Tensor, kernel: PoolSize, options?: Max): WithIndices {
  return maxPool2d(x, kernel, { ...options, returnIndices: true });
}

/** `maxPool3d` with `returnIndices`. */
export function maxPool3dWithIndices(x: tf.Tensor, kernel: PoolSize, options?: Max): WithIndices {
  return maxPool3d(x, kernel, { ...options, returnIndices: true });
}

/** `adaptiveMaxPool1d` with `returnIndices`. */
export function adaptiveMaxPool1dWithIndices(x: tf.Tensor, size: AdaptiveSize): WithIndices {
  return adaptiveMaxPool1d(x, size, { returnIndices: true });
}

/** `adaptiveMaxPool2d` with `returnIndices`. */
export function adaptiveMaxPool2dWithIndices(x: tf.Tensor, size: AdaptiveSize): WithIndices {
  return adaptiveMaxPool2d(x, size, { returnIndices: true });
}

/** `adaptiveMaxPool3d` with `returnIndices`. */
export function adaptiveMaxPool3dWithIndices(x: tf.Tensor, size: AdaptiveSize): WithIndices {
  return adaptiveMaxPool3d(x, size, { returnIndices: true });
}

/** `fractionalMaxPool2d` with `returnIndices`. */
export function fractionalMaxPool2dWithIndices(
  x: tf.Tensor,
  kernel: PoolSize,
  options: Fractional,
): WithIndices {
  return fractionalMaxPool2d(x, kernel, { ...options, returnIndices: true });
}

/** `fractionalMaxPool3d` with `returnIndices`. */
export function fractionalMaxPool3dWithIndices(
  x: tf.Tensor,
  kernel: PoolSize,
  options: Fractional,
): WithIndices {
  return fractionalMaxPool3d(x, kernel, { ...options, returnIndices: true });
}
