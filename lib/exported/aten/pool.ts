import * as tf from "@tensorflow/tfjs-core";
import * as F from "../../functional/index.js";
import { defineOps } from "./support/define.js";
import { toDtype, toFloat } from "./support/dtype.js";
import { scatterInto } from "./support/scatter.js";

type Sizes = readonly number[];
type Dims = 1 | 2 | 3;

const each = (sizes: Sizes, n: number): number[] =>
  sizes.length === n ? [...sizes] : new Array<number>(n).fill(sizes[0]!);

const MAX = { 1: F.maxPool1d, 2: F.maxPool2d, 3: F.maxPool3d };
const AVG = { 1: F.avgPool1d, 2: F.avgPool2d, 3: F.avgPool3d };
const ADAPTIVE_MAX = { 1: F.adaptiveMaxPool1d, 2: F.adaptiveMaxPool2d, 3: F.adaptiveMaxPool3d };
const ADAPTIVE_AVG = { 1: F.adaptiveAvgPool1d, 2: F.adaptiveAvgPool2d, 3: F.adaptiveAvgPool3d };

const maxPool =
  (n: Dims, returnIndices: boolean) =>
  (
    self: tf.Tensor,
    kernelSize: Sizes,
    stride: Sizes = [],
    padding: Sizes | number = 0,
    dilation: Sizes | number = 1,
    ceilMode = false,
  ): tf.Tensor | [tf.Tensor, tf.Tensor] => {
    const options = { stride, padding, dilation, ceilMode, returnIndices };
    const result = MAX[n](toFloat(self), kernelSize, options);
    if (result instanceof tf.Tensor) return toDtype(result, self.dtype);
    return [toDtype(result[0], self.dtype), result[1]];
  };

const avgPool =
  (n: Dims) =>
  (
    self: tf.Tensor,
    kernelSize: Sizes,
    stride: Sizes = [],
    padding: Sizes | number = 0,
    ceilMode = false,
    countIncludePad = true,
    divisorOverride: number | null = null,
  ): tf.Tensor => {
    const options = { stride, padding, ceilMode, countIncludePad };
    const whole = n === 1 ? options : { ...options, divisorOverride };
    return toDtype(AVG[n](toFloat(self), kernelSize, whole), self.dtype);
  };

/** Puts maxima back at their indices, in planes of any size that has these. */
function unpool(self: tf.Tensor, indices: tf.Tensor, outputSize: Sizes): tf.Tensor {
  const lead = self.shape.slice(0, -outputSize.length);
  if (self.size === 0) return tf.zeros([...lead, ...outputSize], self.dtype);
  const area = tf.util.sizeFromShape([...outputSize]);
  const planes = tf.util.sizeFromShape(lead);
  const first = tf.reshape(tf.range(0, planes * area, area, "int32"), [planes, 1]);
  const places = tf.reshape(tf.add(tf.reshape(indices, [planes, -1]), first), [-1]);
  const zeros = tf.zeros([planes * area, 1], self.dtype);
  const written = scatterInto(zeros, places, tf.reshape(self, [-1, 1]), false);
  return tf.reshape(written, [...lead, ...outputSize]);
}

export const poolOps = defineOps({
  ...Object.fromEntries<(...args: never[]) => unknown>(
    ([1, 2, 3] as const).flatMap((n): [string, (...args: never[]) => unknown][] => [
      [`max_pool${n}d(self, kernel_size, stride, padding, dilation, ceil_mode)`, maxPool(n, false)],
      [
        `max_pool${n}d_with_indices(self, kernel_size, stride, padding, dilation, ceil_mode)`,
        maxPool(n, true),
      ],
      [
        `avg_pool${n}d(self, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)`,
        avgPool(n),
      ],
      [
        `adaptive_max_pool${n}d(self, output_size)`,
        (self: tf.Tensor, size: Sizes) =>
          ADAPTIVE_MAX[n](self, each(size, n), { returnIndices: true }),
      ],
      [
        `adaptive_avg_pool${n}d|_adaptive_avg_pool${n}d(self, output_size)`,
        (self: tf.Tensor, size: Sizes) => ADAPTIVE_AVG[n](self, each(size, n)),
      ],
    ]),
  ),
  "fractional_max_pool2d(self, kernel_size, output_size, random_samples)": (
    self: tf.Tensor,
    kernelSize: Sizes,
    outputSize: Sizes,
    _randomSamples: tf.Tensor,
  ) => F.fractionalMaxPool2d(self, each(kernelSize, 2), { outputSize: each(outputSize, 2), _randomSamples, returnIndices: true }), // prettier-ignore
  "fractional_max_pool3d(self, kernel_size, output_size, random_samples)": (
    self: tf.Tensor,
    kernelSize: Sizes,
    outputSize: Sizes,
    _randomSamples: tf.Tensor,
  ) => F.fractionalMaxPool3d(self, each(kernelSize, 3), { outputSize: each(outputSize, 3), _randomSamples, returnIndices: true }), // prettier-ignore
  "max_unpool2d(self, indices, output_size)": unpool,
  "max_unpool3d(self, indices, output_size, stride, padding)": unpool,
});
