import * as tf from "@tensorflow/tfjs-core";
import { expandSteps, readOptions } from "../arguments.js";
import { asFloat, checkTensor, dtypeName, listText } from "./check.js";
import { conv1d } from "./conv.js";
import {
  batchedShape,
  checkBias,
  checkSpace,
  type Planned,
  readSteps,
  runConv,
} from "./conv-common.js";
import { opNd } from "./op.js";
import { type Overlap, overlapAdd } from "./overlap.js";

export interface ConvTransposeOptions {
  /** `(out)`, or `null` for none (the default). */
  bias?: tf.Tensor | null;
  /** Default: 1. */
  stride?: number | readonly number[];
  /** The padding of the convolution that this one is the transpose of. Default: 0. */
  padding?: number | readonly number[];
  /** Added to one side of the output. Default: 0. */
  outputPadding?: number | readonly number[];
  /** The number of groups of channels that are convolved separately. Default: 1. */
  groups?: number;
  /** Default: 1. */
  dilation?: number | readonly number[];
}

const OPTIONS: Required<ConvTransposeOptions> = {
  bias: null,
  stride: 1,
  padding: 0,
  outputPadding: 0,
  groups: 1,
  dilation: 1,
};

/**
 * Transposed convolution over one dimension.
 *
 * Shapes: input `(N, C, L)` or `(C, L)`, weight `(C, out / groups, K)`, bias `(out)` →
 * `(N, out, L')`, `L' = (L - 1) stride - 2 padding + dilation (K - 1) + outputPadding + 1`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose1d.html
 */
export const convTranspose1d = /* @__PURE__ */ opNd("conv_transpose", 1, convTransposeNd);

/**
 * Transposed convolution over two dimensions.
 *
 * Shapes: input `(N, C, H, W)` or `(C, H, W)`, weight `(C, out / groups, KH, KW)`, bias `(out)` →
 * `(N, out, H', W')`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html
 */
export const convTranspose2d = /* @__PURE__ */ opNd("conv_transpose", 2, convTransposeNd);

/**
 * Transposed convolution over three dimensions.
 *
 * Shapes: input `(N, C, D, H, W)` or `(C, D, H, W)`, weight `(C, out / groups, KD, KH, KW)`, bias
 * `(out)` → `(N, out, D', H', W')`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose3d.html
 */
export const convTranspose3d = /* @__PURE__ */ opNd("conv_transpose", 3, convTransposeNd);

function convTransposeNd(
  name: string,
  dims: number,
  input: tf.Tensor,
  weight: tf.Tensor,
  options?: ConvTransposeOptions,
): tf.Tensor {
  const plan = planConvTranspose(name.replace("_t", "T"), dims, input, weight, options);
  return runConv("conv_transpose", input, weight, plan, () => convolve(input, weight, plan));
}

/** The checked arguments of a transposed convolution, and its output size. */
export interface ConvTransposePlan extends Overlap, Planned {
  groups: number;
  outputPadding: number[];
}

/** Reads and checks the arguments of a transposed convolution. */
function planConvTranspose(
  name: string,
  dims: number,
  input: tf.Tensor,
  weight: tf.Tensor,
  options: ConvTransposeOptions | undefined,
): ConvTransposePlan {
  const given = readOptions(name, OPTIONS, options);
  checkTensor(name, input);
  checkTensor(name, weight, "weight", 2);
  const { bias, groups } = given;
  const shape = batchedShape(name, dims, input);
  const { stride, dilation } = readSteps(name, dims, input, weight, given);
  const padding = expandSteps(`${name}(): padding`, given.padding, dims);
  const outputPadding = expandSteps(`${name}(): outputPadding`, given.outputPadding, dims);
  const [, perGroup, ...kernel] = weight.shape as [number, number, ...number[]];
  const outChannels = perGroup * groups;
  checkSizes(name, shape, weight, stride, dilation, padding, outputPadding);
  if (bias !== null) {
    checkBias(name, weight, bias, outChannels);
    // PyTorch's transposed convolution adds a float bias to integers, which its other convolutions
    // refuse.
    if (input.dtype !== "float32" && bias.dtype === "float32") {
      throw new TypeError(
        `${name}(): result type Float can't be cast to the desired output type ${dtypeName(input)}`,
      );
    }
  }
  const [n, , ...count] = shape as [number, number, ...number[]];
  const output = count.map((s, i) => {
    const reach = dilation[i]! * (kernel[i]! - 1) + outputPadding[i]!;
    return (s - 1) * stride[i]! - 2 * padding[i]! + reach + 1;
  });
  if (output.some((s) => s < 1)) {
    throw new Error(
      `${name}(): Given input size per channel: (${count.join(" x ")}). Calculated output size per ` +
        `channel: (${output.join(" x ")}). Output size is too small`,
    );
  }
  checkSpace(name, shape);
  const outShape = [n, outChannels, ...output];
  return {
    bias,
    groups,
    kernel,
    stride,
    dilation,
    padding,
    outputPadding,
    count,
    output,
    outShape,
  };
}

function checkSizes(
  name: string,
  shape: readonly number[],
  weight: tf.Tensor,
  stride: readonly number[],
  dilation: readonly number[],
  padding: readonly number[],
  extra: readonly number[],
): void {
  if (shape[1] !== weight.shape[0]) {
    throw new Error(
      `${name}(): Given transposed=1, weight of size ${listText(weight.shape)}, expected ` +
        `input${listText(shape)} to have ${weight.shape[0]} channels, ` +
        `but got ${shape[1]} channels instead`,
    );
  }
  if (padding.some((p) => p < 0)) {
    throw new Error(`${name}(): negative padding is not supported, got ${listText(padding)}`);
  }
  if (extra.some((p, i) => p < 0 || (p >= stride[i]! && p >= dilation[i]!))) {
    throw new Error(
      `${name}(): output padding must be smaller than either stride or dilation, but got ` +
        `output_padding ${listText(extra)}, stride ${listText(stride)}, ` +
        `dilation ${listText(dilation)}`,
    );
  }
}

/**
 * Computed like the gradient of a convolution: the contributions of each pixel to the window around
 * it, added up where windows overlap. Inserting zeros between pixels and convolving would give NaN
 * for an infinite weight.
 */
function convolve(input: tf.Tensor, weight: tf.Tensor, plan: ConvTransposePlan): tf.Tensor {
  const { groups, outShape } = plan;
  const [channels] = weight.shape as [number];
  const pixels = tf.reshape(asFloat(input), [outShape[0]!, channels, -1]);
  // (C, out/g, K) → (g, C/g, out/g·K) → (out·K, C/g, 1)
  const grouped = tf.reshape(asFloat(weight), [groups, channels / groups, -1]);
  const turned = tf.reshape(tf.transpose(grouped, [0, 2, 1]), [-1, channels / groups, 1]);
  return overlapAdd(conv1d(pixels, turned, { groups }), outShape[1]!, plan);
}
