import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloatTensor, checkTensor, listText } from "./check.js";
import { opNd } from "./op.js";
import { resampleAxis } from "./resample-axis.js";
import { adaptiveWindows, type Axis } from "./windows.js";
import { averageOfWindows } from "./window-average.js";
import { maxOfEachWindow, maxOfWindows } from "./window-max.js";

/** One size for all dimensions, or one for each; `null` keeps the size of the input. */
export type AdaptiveSize = number | null | readonly (number | null)[];

export interface AdaptiveMaxPoolOptions {
  /** Give `[output, indices]`: int32, flat positions in each plane of the input. Default: `false`. */
  returnIndices?: boolean;
}

/** An adaptive pooling function: one tensor, or with `returnIndices` two. */
export interface AdaptiveMaxPool {
  (
    input: tf.Tensor,
    outputSize: AdaptiveSize,
    options: { returnIndices: true },
  ): [tf.Tensor, tf.Tensor];
  (input: tf.Tensor, outputSize: AdaptiveSize, options?: { returnIndices?: false }): tf.Tensor;
  (
    input: tf.Tensor,
    outputSize: AdaptiveSize,
    options?: AdaptiveMaxPoolOptions,
  ): tf.Tensor | [tf.Tensor, tf.Tensor];
}

/** Checks the arguments; gives the input's `(planes, ...spatial)` and the output's spatial size. */
function readAdaptive(
  name: string,
  n: number,
  input: tf.Tensor,
  outputSize: AdaptiveSize,
): { planes: number; spatial: number[]; output: number[]; shape: number[] } {
  checkTensor(name, input);
  const { rank } = input;
  if (rank !== n + 1 && rank !== n + 2) {
    throw new RangeError(
      `${name}(): Expected ${n + 1}D or ${n + 2}D tensor, but got ${listText(input.shape)}`,
    );
  }
  const lead = input.shape.slice(0, -n);
  const spatial = input.shape.slice(-n);
  // Means in one or two dimensions accept an input without channels, as in PyTorch.
  if (input.shape.slice(/max|3d/.test(name) ? 1 : -n).includes(0)) {
    throw new RangeError(
      `${name}(): Expected input to have non-zero size for non-batch dimensions, but input has ` +
        `sizes ${listText(input.shape)} with dimension ${input.shape.lastIndexOf(0)} being empty`,
    );
  }
  const sizes = Array.isArray(outputSize)
    ? (outputSize as (number | null)[])
    : new Array<number | null>(n).fill(outputSize as number | null);
  if (sizes.length !== n) {
    throw new RangeError(`${name}: output_size must be ${n}, but got ${listText(sizes)}`);
  }
  const output = sizes.map((size, d) => size ?? spatial[d]!);
  if (!output.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new RangeError(
      `${name}: elements of output_size must be greater than or equal to 0 ` +
        `but received {${output.join(", ")}}`,
    );
  }
  return { planes: tf.util.sizeFromShape(lead), spatial, output, shape: [...lead, ...output] };
}

/**
 * If each output size divides its input size, all windows are equal: gives them as sliding windows.
 */
function equalWindows(spatial: readonly number[], output: readonly number[]): Axis[] | null {
  if (!spatial.every((size, d) => output[d]! > 0 && size % output[d]! === 0)) return null;
  return spatial.map((input, d) => {
    const kernel = input / output[d]!;
    return { input, kernel, stride: kernel, padding: 0, dilation: 1, output: output[d]! };
  });
}

function adaptiveAvgPoolNd(
  name: string,
  n: number,
  input: tf.Tensor,
  outputSize: AdaptiveSize,
): tf.Tensor {
  const { planes, spatial, output, shape } = readAdaptive(name, n, input, outputSize);
  checkFloatTensor(name, input);
  if (tf.util.sizeFromShape(shape) === 0) return tf.zeros(shape);
  if (tf.util.sizeFromShape(output) === 1)
    return tf.reshape(tf.mean(tf.reshape(input, [planes, -1]), 1), shape);
  const axes = equalWindows(spatial, output);
  if (axes)
    return tf.reshape(averageOfWindows(tf.reshape(input, [planes, ...spatial]), axes), shape);

  // Windows of different sizes, along one dimension after the other.
  return spatial.reduceRight((x, size, d) => {
    const positions = adaptiveWindows(size, output[d]!);
    const weights = positions.map((window) => window.map(() => 1 / window.length));
    return resampleAxis(x, d - n + input.rank, { positions, weights });
  }, input);
}

function adaptiveMaxPoolNd(
  name: string,
  n: number,
  input: tf.Tensor,
  outputSize: AdaptiveSize,
  options?: AdaptiveMaxPoolOptions,
): tf.Tensor | [tf.Tensor, tf.Tensor] {
  const { returnIndices } = readOptions(name, { returnIndices: false }, options);
  const { planes, spatial, output, shape } = readAdaptive(name, n, input, outputSize);
  checkFloatTensor(name, input);
  const axes = equalWindows(spatial, output);
  if (axes && !returnIndices) {
    return tf.reshape(maxOfWindows(tf.reshape(input, [planes, ...spatial]), axes), shape);
  }
  const windows = spatial.map((size, d) => adaptiveWindows(size, output[d]!));
  const [values, indices] = maxOfEachWindow(tf.reshape(input, [planes, ...spatial]), windows);
  const result = tf.reshape(values, shape);
  return returnIndices ? [result, tf.reshape(indices, shape)] : result;
}

/**
 * The mean of `outputSize` windows that share the input: window i is `⌊i·L/O⌋ … ⌈(i+1)·L/O⌉ - 1`.
 *
 * Shapes: `(N, C, L)` or `(C, L)` → the same with O in the place of L.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool1d.html
 */
export const adaptiveAvgPool1d = /* @__PURE__ */ opNd("adaptive_avg_pool", 1, adaptiveAvgPoolNd);

/**
 * The mean of windows that share the input, as {@link adaptiveAvgPool1d} over `(N, C, H, W)` or
 * `(C, H, W)`; a `null` size keeps the input's.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool2d.html
 */
export const adaptiveAvgPool2d = /* @__PURE__ */ opNd("adaptive_avg_pool", 2, adaptiveAvgPoolNd);

/**
 * The mean of windows that share the input, as {@link adaptiveAvgPool1d} over `(N, C, D, H, W)` or
 * `(C, D, H, W)`; a `null` size keeps the input's.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool3d.html
 */
export const adaptiveAvgPool3d = /* @__PURE__ */ opNd("adaptive_avg_pool", 3, adaptiveAvgPoolNd);

/**
 * The maximum of `outputSize` windows that share the input, those of {@link adaptiveAvgPool1d}.
 *
 * Shapes: `(N, C, L)` or `(C, L)` → the same with O in the place of L; with `returnIndices` also where
 * each maximum was, as int32.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool1d.html
 */
export const adaptiveMaxPool1d = /* @__PURE__ */ opNd(
  "adaptive_max_pool",
  1,
  adaptiveMaxPoolNd,
) as AdaptiveMaxPool;

/**
 * The maximum of windows that share the input, over `(N, C, H, W)` or `(C, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool2d.html
 */
export const adaptiveMaxPool2d = /* @__PURE__ */ opNd(
  "adaptive_max_pool",
  2,
  adaptiveMaxPoolNd,
) as AdaptiveMaxPool;

/**
 * The maximum of windows that share the input, over `(N, C, D, H, W)` or `(C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool3d.html
 */
export const adaptiveMaxPool3d = /* @__PURE__ */ opNd(
  "adaptive_max_pool",
  3,
  adaptiveMaxPoolNd,
) as AdaptiveMaxPool;
