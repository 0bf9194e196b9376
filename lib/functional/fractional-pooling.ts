import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloatTensor, listText } from "./check.js";
import { opNd } from "./op.js";
import { planeShape, planeTaps, type PoolSize, readSize } from "./pooling-windows.js";
import type { Windows } from "./windows.js";
import { sampler } from "./sampler.js";
import { maxOfTaps } from "./window-max.js";

export interface FractionalMaxPoolOptions {
  /** The output's spatial size; this or `outputRatio` is required. */
  outputSize?: PoolSize | null;
  /** The output's size relative to the input's, between 0 and 1; one for all, or one for each. */
  outputRatio?: number | readonly number[] | null;
  /** Give `[output, indices]`: int32, flat positions in each plane of the input. Default: `false`. */
  returnIndices?: boolean;
  /** Where the windows start, `(N, C, dimensions)`, from [0, 1). Default: drawn. */
  _randomSamples?: tf.Tensor | null;
}

/** A fractional pooling function: one tensor, or with `returnIndices` two. */
export interface FractionalMaxPool {
  (
    input: tf.Tensor,
    kernelSize: PoolSize,
    options: FractionalMaxPoolOptions & { returnIndices: true },
  ): [tf.Tensor, tf.Tensor];
  (
    input: tf.Tensor,
    kernelSize: PoolSize,
    options: FractionalMaxPoolOptions & { returnIndices?: false },
  ): tf.Tensor;
  (
    input: tf.Tensor,
    kernelSize: PoolSize,
    options: FractionalMaxPoolOptions,
  ): tf.Tensor | [tf.Tensor, tf.Tensor];
}

const FRACTIONAL: Required<FractionalMaxPoolOptions> = {
  outputSize: null,
  outputRatio: null,
  returnIndices: false,
  _randomSamples: null,
};

/** The starts of `output` windows of size `kernel`, computed in float32 as in PyTorch. */
function starts(sample: number, input: number, output: number, kernel: number): number[] {
  const f = Math.fround;
  const alpha = f((input - kernel) / (output - 1));
  const offset = Math.trunc(f(f(sample) * alpha));
  return Array.from({ length: output }, (_, i) =>
    i === output - 1 ? input - kernel : Math.trunc(f(f(i + f(sample)) * alpha)) - offset,
  );
}

function readOutput(
  name: string,
  spatial: readonly number[],
  kernels: readonly number[],
  { outputSize, outputRatio }: Required<FractionalMaxPoolOptions>,
): number[] {
  const n = spatial.length;
  if (outputSize === null && outputRatio === null) {
    throw new RangeError(`${name} requires specifying either an output_size or an output_ratio`);
  }
  const ratio = (d: number): number =>
    typeof outputRatio === "number" ? outputRatio : outputRatio![d]!;
  const output =
    outputSize === null
      ? spatial.map((size, d) => Math.trunc(size * ratio(d)))
      : readSize(name, "output_size", outputSize, n, false);
  spatial.forEach((size, d) => {
    if (kernels[d]! <= 0) {
      throw new RangeError(
        `${name}(): kernel size should be greater than zero, but got ${kernels.join("x")}`,
      );
    }
    // In three dimensions PyTorch requires one more element.
    if (output[d]! >= 0 && output[d]! + kernels[d]! - (n < 3 ? 1 : 0) <= size) return;
    throw new RangeError(
      `${name}(): pool size ${kernels[d]} too large relative to input size ${size} ` +
        `with output size ${output[d]} (dim ${d})`,
    );
  });
  return output;
}

/** The random samples of each plane, read back because they decide which elements are used. */
function readSamples(
  name: string,
  n: number,
  input: tf.Tensor,
  samples: tf.Tensor | null,
): ArrayLike<number> {
  const [batch, channels] = [input.rank === n + 1 ? 1 : input.shape[0], input.shape.at(-n - 1)!];
  if (samples === null) return sampler().uniform(batch * channels * n, { from: 0, to: 1 });
  const [b, c, d] = samples.shape;
  if (samples.rank === 3 && b >= batch && c === channels && d === n) return samples.dataSync();
  throw new RangeError(
    `${name}(): Expect _random_samples of shape (${batch}, ${channels}, ${n}); ` +
      `got ${listText(samples.shape)}`,
  );
}

function fractionalMaxPoolNd(
  name: string,
  n: number,
  input: tf.Tensor,
  kernelSize: PoolSize,
  given: FractionalMaxPoolOptions,
): tf.Tensor | [tf.Tensor, tf.Tensor] {
  const options = readOptions<Required<FractionalMaxPoolOptions>>(name, FRACTIONAL, given);
  checkFloatTensor(name, input);
  const [planes, ...spatial] = planeShape(name, input, n, 1) as [number, ...number[]];
  const kernels = readSize(name, "kernel_size", kernelSize, n, false);
  const output = readOutput(name, spatial, kernels, options);
  const shape = [...input.shape.slice(0, -n), ...output];
  if (shape.includes(0)) {
    const none = tf.zeros(shape, input.dtype);
    return options.returnIndices ? [none, tf.zeros(shape, "int32")] : none;
  }
  const samples = readSamples(name, n, input, options._randomSamples);

  const taps = tf.util.sizeFromShape(kernels);
  const perPlane = tf.util.sizeFromShape(output) * taps;
  const positions = new Int32Array(planes * perPlane);
  for (let plane = 0; plane < planes; plane += 1) {
    const windows = spatial.map((size, d): Windows => {
      // In two dimensions the first sample belongs to the width.
      const sample = samples[plane * n + (n === 2 ? 1 - d : d)]!;
      const from = starts(sample, size, output[d]!, kernels[d]!);
      return from.map((start) => Array.from({ length: kernels[d]! }, (_, k) => start + k));
    });
    const first = plane * tf.util.sizeFromShape(spatial);
    positions.set(
      planeTaps(windows, spatial).map((place) => first + place),
      plane * perPlane,
    );
  }
  const flat = tf.reshape(input, [planes, tf.util.sizeFromShape(spatial)]);
  const [values, indices] = maxOfTaps(flat, { positions, taps });
  const result = tf.reshape(values, shape);
  return options.returnIndices ? [result, tf.reshape(indices, shape)] : result;
}

/**
 * The maximum of windows whose distance varies at random about (input - kernel) / (output - 1).
 *
 * Shapes: `(N, C, H, W)` or `(C, H, W)` → the same with the output size in the place of `(H, W)`.
 *
 * @throws if the kernel does not fit the sizes, or neither size nor ratio is given.
 * @see https://arxiv.org/abs/1412.6071
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool2d.html
 */
export const fractionalMaxPool2d = /* @__PURE__ */ opNd(
  "fractional_max_pool",
  2,
  fractionalMaxPoolNd,
) as FractionalMaxPool;

/**
 * The maximum of windows of random distance, as {@link fractionalMaxPool2d} over
 * `(N, C, D, H, W)` or `(C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fractional_max_pool3d.html
 */
export const fractionalMaxPool3d = /* @__PURE__ */ opNd(
  "fractional_max_pool",
  3,
  fractionalMaxPoolNd,
) as FractionalMaxPool;
