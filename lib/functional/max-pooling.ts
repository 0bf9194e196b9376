import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloatTensor, checkNumberTensor } from "./check.js";
import { opNd } from "./op.js";
import { type PoolSize, readWindows } from "./pooling-windows.js";
import { slidingWindows } from "./windows.js";
import { maxOfEachWindow, maxOfWindows } from "./window-max.js";

export interface MaxPoolOptions {
  /** Default: the kernel size. */
  stride?: PoolSize | null;
  /** Implicit -∞ on both sides, at most half the kernel size. Default: 0. */
  padding?: PoolSize;
  /** Distance of the elements in a window. Default: 1. */
  dilation?: PoolSize;
  /** Also take a last window that is only partly inside. Default: `false`. */
  ceilMode?: boolean;
  /** Give `[output, indices]`: int32, flat positions in each plane of the input. Default: `false`. */
  returnIndices?: boolean;
}

/** A pooling function: one tensor, or with `returnIndices` two. */
export interface MaxPool {
  (
    input: tf.Tensor,
    kernelSize: PoolSize,
    options: MaxPoolOptions & { returnIndices: true },
  ): [tf.Tensor, tf.Tensor];
  (
    input: tf.Tensor,
    kernelSize: PoolSize,
    options?: MaxPoolOptions & { returnIndices?: false },
  ): tf.Tensor;
  (
    input: tf.Tensor,
    kernelSize: PoolSize,
    options?: MaxPoolOptions,
  ): tf.Tensor | [tf.Tensor, tf.Tensor];
}

const MAX_POOL: Required<MaxPoolOptions> = {
  stride: null,
  padding: 0,
  dilation: 1,
  ceilMode: false,
  returnIndices: false,
};

function maxPoolNd(
  name: string,
  n: number,
  input: tf.Tensor,
  kernelSize: PoolSize,
  given?: MaxPoolOptions,
): tf.Tensor | [tf.Tensor, tf.Tensor] {
  const options = readOptions<Required<MaxPoolOptions>>(name, MAX_POOL, given);
  checkNumberTensor(name, input);
  const read = readWindows(name, n, input, kernelSize, options);
  const { axes } = read;
  // Only PyTorch's one-dimensional kernel without indices requires floats.
  if (n === 1 && !options.returnIndices) checkFloatTensor(name, input);
  const planes = tf.reshape(input, read.shape);
  const shape = [...input.shape.slice(0, -n), ...axes.map(({ output }) => output)];
  if (!options.returnIndices) return tf.reshape(maxOfWindows(planes, axes, options), shape);
  const [values, indices] = maxOfEachWindow(planes, axes.map(slidingWindows));
  return [tf.reshape(values, shape), tf.reshape(indices, shape)];
}

/**
 * The maximum of each window.
 *
 * Shapes: `(N, C, L)` or `(C, L)` → the same with `⌊(L + 2·padding - dilation·(kernel-1) - 1)/stride⌋ + 1`
 * (rounded up in ceil mode, but the last window starts inside). NaN counts as the largest.
 *
 * @throws if the padding is more than half the kernel, or the output would be empty.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool1d.html
 */
export const maxPool1d = /* @__PURE__ */ opNd("max_pool", 1, maxPoolNd) as MaxPool;

/**
 * The maximum of each window, as {@link maxPool1d} over `(N, C, H, W)` or `(C, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html
 */
export const maxPool2d = /* @__PURE__ */ opNd("max_pool", 2, maxPoolNd) as MaxPool;

/**
 * The maximum of each window, as {@link maxPool1d} over `(N, C, D, H, W)` or `(C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool3d.html
 */
export const maxPool3d = /* @__PURE__ */ opNd("max_pool", 3, maxPoolNd) as MaxPool;
