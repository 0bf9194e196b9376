import * as tf from "@tensorflow/tfjs-core";
import { expandSteps, readOptions } from "../arguments.js";
import { asFloat, checkTensor, dtypeName, listText } from "./check.js";
import {
  batchedShape,
  checkBias,
  checkSpace,
  type Planned,
  readSteps,
  runConv,
} from "./conv-common.js";
import { split } from "./moves.js";
import { opNd } from "./op.js";
import { padTensor } from "./pad-tensor.js";

export interface ConvOptions {
  /** `(out)`, or `null` for none (the default). */
  bias?: tf.Tensor | null;
  /** Default: 1. */
  stride?: number | readonly number[];
  /** Zeros on both sides, `"valid"` (none) or `"same"` (as large as the input). Default: 0. */
  padding?: number | readonly number[] | "same" | "valid";
  /** Default: 1. */
  dilation?: number | readonly number[];
  /** The number of groups of channels that are convolved separately. Default: 1. */
  groups?: number;
}

const CONV: Required<ConvOptions> = { bias: null, stride: 1, padding: 0, dilation: 1, groups: 1 };

/**
 * The checked arguments of a convolution, and its output size; sizes have one number per spatial
 * dimension.
 */
export interface ConvPlan extends Planned {
  groups: number;
  stride: number[];
  dilation: number[];
  pads: [number, number][];
}

/**
 * Cross-correlation over one dimension.
 *
 * Shapes: input `(N, C, L)` or `(C, L)`, weight `(out, C / groups, K)`, bias `(out)` →
 * `(N, out, L')`, `L' = ⌊(L + 2 padding - dilation (K - 1) - 1) / stride⌋ + 1`.
 *
 * @throws if channels, groups and sizes do not fit.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html
 */
export const conv1d = /* @__PURE__ */ opNd("conv", 1, convNd);

/**
 * Cross-correlation over two dimensions.
 *
 * Shapes: input `(N, C, H, W)` or `(C, H, W)`, weight `(out, C / groups, KH, KW)`, bias `(out)` →
 * `(N, out, H', W')`.
 *
 * @throws if channels, groups and sizes do not fit.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html
 */
export const conv2d = /* @__PURE__ */ opNd("conv", 2, convNd);

/**
 * Cross-correlation over three dimensions.
 *
 * Shapes: input `(N, C, D, H, W)` or `(C, D, H, W)`, weight `(out, C / groups, KD, KH, KW)`, bias
 * `(out)` → `(N, out, D', H', W')`.
 *
 * @throws if channels, groups and sizes do not fit.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv3d.html
 */
export const conv3d = /* @__PURE__ */ opNd("conv", 3, convNd);

function convNd(
  name: string,
  dims: number,
  input: tf.Tensor,
  weight: tf.Tensor,
  options?: ConvOptions,
): tf.Tensor {
  const plan = planConv(name, dims, input, weight, options);
  const isDilated = plan.dilation.some((d) => d > 1);
  const convolve = dims < 3 ? convolve2d : isDilated ? convolveByDepth : convolve3d;
  return runConv("conv", input, weight, plan, () => {
    const x = asFloat(input);
    return convolve(x.rank === dims + 2 ? x : tf.expandDims(x, 0), asFloat(weight), plan);
  });
}

/** Reads and checks the arguments of a convolution. */
function planConv(
  name: string,
  dims: number,
  input: tf.Tensor,
  weight: tf.Tensor,
  options: ConvOptions | undefined,
): ConvPlan {
  const given = readOptions(name, CONV, options);
  const { bias, groups } = given;
  checkTensor(name, input);
  checkTensor(name, weight, "weight", 2);
  const shape = batchedShape(name, dims, input);
  const { stride, dilation } = readSteps(name, dims, input, weight, given);
  const [n, channels, ...size] = shape as [number, number, ...number[]];
  const [outChannels, perGroup, ...kernel] = weight.shape as [number, number, ...number[]];
  if (channels !== perGroup * groups) {
    throw new Error(
      `${name}(): Given groups=${groups}, weight of size ${listText(weight.shape)}, expected ` +
        `input${listText(shape)} to have ${perGroup * groups} channels, ` +
        `but got ${channels} channels instead`,
    );
  }
  const reach = kernel.map((k, i) => dilation[i]! * (k - 1) + 1);
  const pads = readPadding(name, dims, given.padding, reach, stride);
  const padded = size.map((s, i) => s + pads[i]![0] + pads[i]![1]);
  if (padded.some((s, i) => s < reach[i]!)) {
    throw new Error(
      `${name}(): Calculated padded input size per channel: (${padded.join(" x ")}). ` +
        `Kernel size: (${reach.join(" x ")}). Kernel size can't be greater than actual input size`,
    );
  }
  checkSpace(name, shape);
  const out = padded.map((s, i) => Math.floor((s - reach[i]!) / stride[i]!) + 1);
  if (bias !== null) {
    checkBias(name, weight, bias, outChannels);
    if (bias.dtype !== input.dtype) {
      throw new TypeError(
        `${name}(): Input type (${dtypeName(input)}) and bias type (${dtypeName(bias)}) ` +
          "should be the same",
      );
    }
  }
  return { bias, groups, stride, dilation, pads, outShape: [n, outChannels, ...out] };
}

function readPadding(
  name: string,
  dims: number,
  padding: Required<ConvOptions>["padding"],
  reach: readonly number[],
  stride: readonly number[],
): [number, number][] {
  if (padding === "valid") return reach.map(() => [0, 0]);
  if (padding === "same") {
    if (stride.some((s) => s !== 1)) {
      throw new Error(`${name}(): padding='same' is not supported for strided convolutions`);
    }
    // If the total is odd, the additional one goes to the right.
    return reach.map((r) => [Math.floor((r - 1) / 2), Math.ceil((r - 1) / 2)]);
  }
  if (typeof padding === "string") {
    throw new Error(`${name}(): Invalid padding string: '${String(padding)}'`);
  }
  const sizes = expandSteps(`${name}(): padding`, padding, dims);
  if (sizes.some((p) => p < 0)) {
    throw new Error(`${name}(): negative padding is not supported, got ${listText(sizes)}`);
  }
  return sizes.map((p) => [p, p]);
}

/** One and two dimensions, by tfjs' conv2d; one dimension is an image of height 1. */
function convolve2d(input: tf.Tensor, weight: tf.Tensor, plan: ConvPlan): tf.Tensor {
  const { groups } = plan;
  const lift = plan.stride.length === 1;
  const x = lift ? tf.expandDims(input, 2) : input;
  const w = lift ? tf.expandDims(weight, 2) : weight;
  const stride = (lift ? [1, ...plan.stride] : plan.stride) as [number, number];
  const pads = lift ? [[0, 0] as [number, number], ...plan.pads] : plan.pads;
  const dilation = (lift ? [1, ...plan.dilation] : plan.dilation) as [number, number];
  // tfjs refuses stride and dilation together: so it computes all positions, and every stride-th is
  // taken. (Inserting zeros into the kernel would be no slower, but zero times infinity is NaN.)
  const isApart = stride.some((n) => n > 1) && dilation.some((n) => n > 1);
  const steps: [number, number] = isApart ? [1, 1] : stride;
  const nhwc = tf.transpose(x, [0, 2, 3, 1]) as tf.Tensor4D;
  const pad: tf.backend_util.ExplicitPadding = [[0, 0], pads[0]!, pads[1]!, [0, 0]];
  let y: tf.Tensor;
  if (groups > 1 && w.shape[1] === 1) {
    // Depthwise: tfjs expects (KH, KW, C, multiplier), and puts the outputs of a channel next to
    // each other.
    const [out, , kh, kw] = w.shape as [number, number, number, number];
    const kernel = tf.transpose(tf.reshape(w, [groups, out / groups, kh, kw]), [2, 3, 0, 1]);
    y = tf.depthwiseConv2d(nhwc, kernel as tf.Tensor4D, steps, pad, "NHWC", dilation);
  } else {
    const parts = split(nhwc, groups, 3);
    const kernels = split(tf.transpose(w, [2, 3, 1, 0]), groups, 3);
    const conv = (part: tf.Tensor, i: number): tf.Tensor =>
      tf.conv2d(part as tf.Tensor4D, kernels[i] as tf.Tensor4D, steps, pad, "NHWC", dilation);
    y = tf.concat(parts.map(conv), 3);
  }
  if (isApart) y = tf.stridedSlice(y, [0, 0, 0, 0], y.shape, [1, ...stride, 1]);
  const nchw = tf.transpose(y, [0, 3, 1, 2]);
  return lift ? tf.squeeze(nchw, [2]) : nchw;
}

/** Three dimensions. tfjs' conv3d cannot pad unevenly, so the input is padded first. */
function convolve3d(input: tf.Tensor, weight: tf.Tensor, plan: ConvPlan): tf.Tensor {
  const { groups, stride } = plan;
  const ndhwc = tf.transpose(input, [0, 2, 3, 4, 1]);
  const isPadded = plan.pads.some(([a, b]) => a || b);
  const x = isPadded ? padTensor(ndhwc, [[0, 0], ...plan.pads, [0, 0]]) : ndhwc;
  const parts = split(x, groups, 4);
  const kernels = split(weight, groups, 0);
  const outputs = parts.map((part, i) => {
    const kernel = tf.transpose(kernels[i]!, [2, 3, 4, 1, 0]) as tf.Tensor5D;
    return tf.conv3d(part as tf.Tensor5D, kernel, stride as [number, number, number], "valid");
  });
  return tf.transpose(tf.concat(outputs, 4), [0, 4, 1, 2, 3]);
}

/**
 * Not every backend's conv3d supports dilation: adds up two-dimensional convolutions for each depth
 * of the kernel.
 */
function convolveByDepth(input: tf.Tensor, weight: tf.Tensor, plan: ConvPlan): tf.Tensor {
  const [step, ...stride] = plan.stride as [number, ...number[]];
  const [dilated, ...dilation] = plan.dilation as [number, ...number[]];
  const [around, ...pads] = plan.pads as [[number, number], ...[number, number][]];
  const [n, out, depth, ...size] = plan.outShape as [number, number, number, ...number[]];
  const [, channels, , ...image] = input.shape as [number, number, number, ...number[]];
  const [, perGroup, taps, ...kernel] = weight.shape as [number, number, number, ...number[]];
  const area = channels * tf.util.sizeFromShape(image);
  const images = tf.reshape(tf.transpose(input, [0, 2, 1, 3, 4]), [n, -1, area]);
  const padded = tf.pad(images, [[0, 0], around, [0, 0]]);
  const parts = split(weight, taps, 2).map((part, i) => {
    const begin = i * dilated;
    const end = begin + (depth - 1) * step + 1;
    const met = tf.stridedSlice(padded, [0, begin, 0], [n, end, area], [1, step, 1]);
    const x = tf.reshape(met, [n * depth, channels, ...image]);
    const plane = tf.reshape(part, [out, perGroup, ...kernel]);
    return convolve2d(x, plane, { ...plan, stride, dilation, pads });
  });
  const y = tf.reshape(tf.addN(parts), [n, depth, out, ...size]);
  return tf.transpose(y, [0, 2, 1, 3, 4]);
}
