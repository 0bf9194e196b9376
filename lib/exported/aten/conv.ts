import type * as tf from "@tensorflow/tfjs-core";
import * as F from "../../functional/index.js";
import { defineOps } from "./support/define.js";
import { permuteAxes } from "./support/shape.js";

type Sizes = readonly number[];
type Maybe = tf.Tensor | null;

/** PyTorch accepts one number, or a list of one, for all dimensions. */
const each = (sizes: Sizes | number, n: number): number[] => {
  const list = typeof sizes === "number" ? [sizes] : sizes;
  return list.length === n ? [...list] : new Array<number>(n).fill(list[0]!);
};

const CONV = { 1: F.conv1d, 2: F.conv2d, 3: F.conv3d };
const TRANSPOSED = { 1: F.convTranspose1d, 2: F.convTranspose2d, 3: F.convTranspose3d };

type Dims = 1 | 2 | 3;

// Missing arguments get the defaults of functional.
const conv =
  (n: Dims) =>
  (
    input: tf.Tensor,
    weight: tf.Tensor,
    bias?: Maybe,
    stride?: Sizes | number,
    padding?: Sizes | number | "same" | "valid",
    dilation?: Sizes | number,
    groups?: number,
  ): tf.Tensor =>
    CONV[n](input, weight, { bias, stride, padding, dilation, groups });

const convTranspose =
  (n: Dims) =>
  (
    input: tf.Tensor,
    weight: tf.Tensor,
    bias?: Maybe,
    stride?: Sizes | number,
    padding?: Sizes | number,
    outputPadding?: Sizes | number,
    groups?: number,
    dilation?: Sizes | number,
  ): tf.Tensor =>
    TRANSPOSED[n](input, weight, {
      bias,
      stride,
      padding,
      outputPadding,
      groups,
      dilation,
    });

/** The op for all convolutions in decomposed programs; the rank of the weight determines which. */
function convolution(
  input: tf.Tensor,
  weight: tf.Tensor,
  bias: Maybe,
  stride: Sizes,
  padding: Sizes,
  dilation: Sizes,
  transposed: boolean,
  outputPadding: Sizes,
  groups: number,
): tf.Tensor {
  const n = (weight.rank - 2) as Dims;
  return transposed
    ? convTranspose(n)(input, weight, bias, stride, padding, outputPadding, groups, dilation)
    : conv(n)(input, weight, bias, stride, padding, dilation, groups);
}

export const convOps = defineOps({
  ...Object.fromEntries(
    ([1, 2, 3] as const).flatMap((n) => [
      [
        `conv${n}d|conv${n}d.padding(input, weight, bias, stride, padding, dilation, groups)`,
        conv(n),
      ],
      [
        `conv_transpose${n}d|conv_transpose${n}d.input(input, weight, bias, stride, padding, output_padding, groups, dilation)`,
        convTranspose(n),
      ],
    ]),
  ),
  "convolution|_convolution|_convolution.deprecated(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups, benchmark, deterministic, cudnn_enabled, allow_tf32)":
    convolution,
  "_conv_depthwise2d(self, weight, kernel_size, bias, stride, padding, dilation)": (
    self: tf.Tensor,
    weight: tf.Tensor,
    _kernelSize: Sizes,
    bias: Maybe,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
  ) => conv(2)(self, weight, bias, stride, padding, dilation, weight.shape[0]),
  "conv_tbc(self, weight, bias, pad)": (
    self: tf.Tensor,
    weight: tf.Tensor,
    bias: tf.Tensor,
    padding = 0,
  ) => {
    // Time, batch, channels; the weight is (K, in, out).
    const y = F.conv1d(permuteAxes(self, [1, 2, 0]), permuteAxes(weight, [2, 1, 0]), {
      bias,
      padding,
    });
    return permuteAxes(y, [2, 0, 1]);
  },
  "im2col(self, kernel_size, dilation, padding, stride)": (
    self: tf.Tensor,
    kernelSize: Sizes,
    dilation: Sizes,
    padding: Sizes,
    stride: Sizes,
  ) =>
    F.unfold(self, each(kernelSize, 2), {
      dilation: each(dilation, 2),
      padding: each(padding, 2),
      stride: each(stride, 2),
    }),
  "col2im(self, output_size, kernel_size, dilation, padding, stride)": (
    self: tf.Tensor,
    outputSize: Sizes,
    kernelSize: Sizes,
    dilation: Sizes,
    padding: Sizes,
    stride: Sizes,
  ) =>
    F.fold(self, outputSize, each(kernelSize, 2), {
      dilation: each(dilation, 2),
      padding: each(padding, 2),
      stride: each(stride, 2),
    }),
});
