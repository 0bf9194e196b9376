import * as tf from "@tensorflow/tfjs-core";
import { expandSteps, readOptions } from "../arguments.js";
import { asFloat, checkTensor, dtypeName, listText } from "./check.js";
import { conv1d, conv2d, conv3d } from "./conv.js";
import { addBatch, checkBias, checkSpace, readSteps, spread } from "./conv-common.js";
import { op } from "./op.js";
import { pad } from "./pad.js";

export interface ConvTransposeOptions {
  /** `(out)`, or `null` for none (the default). */
  bias?: tf.Tensor | null;
  /** Default: 1. */
  stride?: number | readonly number[];
  /** What the convolution that this one transposes had as padding. Default: 0. */
  padding?: number | readonly number[];
  /** Added to one side of the output. Default: 0. */
  outputPadding?: number | readonly number[];
  /** How many groups of channels are convolved apart. Default: 1. */
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
export const convTranspose1d = /* @__PURE__ */ op(
  "conv_transpose1d",
  (input: tf.Tensor, weight: tf.Tensor, options?: ConvTransposeOptions): tf.Tensor =>
    convTransposeNd("convTranspose1d", 1, input, weight, options),
);

/**
 * Transposed convolution over two dimensions.
 *
 * Shapes: input `(N, C, H, W)` or `(C, H, W)`, weight `(C, out / groups, KH, KW)`, bias `(out)` →
 * `(N, out, H', W')`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html
 */
export const convTranspose2d = /* @__PURE__ */ op(
  "conv_transpose2d",
  (input: tf.Tensor, weight: tf.Tensor, options?: ConvTransposeOptions): tf.Tensor =>
    convTransposeNd("convTranspose2d", 2, input, weight, options),
);

/**
 * Transposed convolution over three dimensions.
 *
 * Shapes: input `(N, C, D, H, W)` or `(C, D, H, W)`, weight `(C, out / groups, KD, KH, KW)`, bias
 * `(out)` → `(N, out, D', H', W')`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose3d.html
 */
export const convTranspose3d = /* @__PURE__ */ op(
  "conv_transpose3d",
  (input: tf.Tensor, weight: tf.Tensor, options?: ConvTransposeOptions): tf.Tensor =>
    convTransposeNd("convTranspose3d", 3, input, weight, options),
);

const CONV = { 1: conv1d, 2: conv2d, 3: conv3d };

/**
 * As a convolution: the input with `stride - 1` zeros between its values, padded so far that every
 * kernel place reaches it, and the kernel turned round.
 */
function convTransposeNd(
  name: string,
  dims: 1 | 2 | 3,
  input: tf.Tensor,
  weight: tf.Tensor,
  options: ConvTransposeOptions | undefined,
): tf.Tensor {
  const given = readOptions(name, OPTIONS, options);
  checkTensor(name, input);
  checkTensor(name, weight, "weight", 2);
  const { bias, groups } = given;
  const batched = addBatch(name, dims, input);
  const { stride, dilation } = readSteps(name, dims, batched, weight, given);
  const padding = expandSteps(`${name}(): padding`, given.padding, dims);
  const extra = expandSteps(`${name}(): outputPadding`, given.outputPadding, dims);
  const [channels, perGroup, ...kernel] = weight.shape as [number, number, ...number[]];
  const outChannels = perGroup * groups;
  checkSizes(name, batched, weight, stride, dilation, padding, extra);
  if (bias !== null) {
    checkBias(name, weight, bias, outChannels);
    // PyTorch adds integers to floats here, where its other convolutions refuse them.
    if (input.dtype !== "float32" && bias.dtype === "float32") {
      throw new TypeError(
        `${name}(): result type Float can't be cast to the desired output type ${dtypeName(input)}`,
      );
    }
  }

  const spatial = kernel.map((_, i) => i + 2);
  const reach = kernel.map((k, i) => dilation[i]! * (k - 1));
  const size = batched.shape.slice(2);
  const output = size.map(
    (n, i) => (n - 1) * stride[i]! - 2 * padding[i]! + reach[i]! + extra[i]! + 1,
  );
  if (output.some((n) => n < 1)) {
    throw new Error(
      `${name}(): Given input size per channel: (${size.join(" x ")}). Calculated output size per ` +
        `channel: (${output.join(" x ")}). Output size is too small`,
    );
  }
  checkSpace(name, batched);
  // PyTorch lists the padding of the last dimension first.
  const around = reach.map((r, i) => [r - padding[i]!, r - padding[i]! + extra[i]!]).reverse();
  const x = pad(spread(asFloat(batched), spatial, stride), around.flat());
  // (C, out/g, K) → (g, C/g, out/g, K) → (g, out/g, C/g, K) → (out, C/g, K), turned round.
  const grouped = tf.reshape(asFloat(weight), [groups, channels / groups, perGroup, -1]);
  const turned = tf.reverse(tf.transpose(grouped, [0, 2, 1, 3]), 3);
  const swapped = tf.reshape(turned, [outChannels, channels / groups, ...kernel]);
  let y = CONV[dims](x, swapped, { bias: bias && asFloat(bias), dilation, groups });
  if (input.dtype !== "float32") y = tf.cast(y, input.dtype);
  return input.rank === batched.rank ? y : tf.squeeze(y, [0]);
}

function checkSizes(
  name: string,
  input: tf.Tensor,
  weight: tf.Tensor,
  stride: readonly number[],
  dilation: readonly number[],
  padding: readonly number[],
  extra: readonly number[],
): void {
  if (input.shape[1] !== weight.shape[0]) {
    throw new Error(
      `${name}(): Given transposed=1, weight of size ${listText(weight.shape)}, expected ` +
        `input${listText(input.shape)} to have ${weight.shape[0]} channels, ` +
        `but got ${input.shape[1]} channels instead`,
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
