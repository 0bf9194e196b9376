import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloatTensor, checkTensor, listText } from "./check.js";
import { checkParameters, checkSpread, moments, scaleAndShift } from "./norm.js";
import { op, tryKernel } from "./op.js";

export interface LayerNormOptions {
  /** In the shape `normalizedShape`, or `null` for none (the default). */
  weight?: tf.Tensor | null;
  /** In the shape `normalizedShape`, or `null` for none (the default). */
  bias?: tf.Tensor | null;
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
}

export interface GroupNormOptions {
  /** `(C)`, or `null` for none (the default). */
  weight?: tf.Tensor | null;
  /** `(C)`, or `null` for none (the default). */
  bias?: tf.Tensor | null;
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
}

export interface RMSNormOptions {
  /** In the shape `normalizedShape`, or `null` for none (the default). */
  weight?: tf.Tensor | null;
  /** Added to the mean square. `null` (the default): float32's, 2⁻²³. */
  eps?: number | null;
}

const FLOAT32_EPS = 2 ** -23;

/** Checks that the input ends in `normalizedShape`, and returns those axes. */
function readNormalizedShape(
  input: tf.Tensor,
  normalizedShape: number | readonly number[],
  vectors: Record<string, tf.Tensor | null>,
): number[] {
  const want = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
  if (want.length === 0) {
    throw new RangeError(
      "Expected normalized_shape to be at least 1-dimensional, i.e., " +
        "containing at least one element, but got normalized_shape = []",
    );
  }
  for (const [name, vector] of Object.entries(vectors)) {
    if (vector === null || tf.util.arraysEqual(vector.shape, want)) continue;
    throw new RangeError(
      `Expected ${name} to be of same shape as normalized_shape, but got ${name} of shape ` +
        `${listText(vector.shape)} and normalized_shape = ${listText(want)}`,
    );
  }
  const { rank, shape } = input;
  if (rank < want.length || !tf.util.arraysEqual(shape.slice(rank - want.length), want)) {
    throw new RangeError(
      `Given normalized_shape=${listText(want)}, expected input with shape ` +
        `${listText(["*", ...want])}, but got input of size${listText(shape)}`,
    );
  }
  return want.map((_, i) => rank - want.length + i);
}

/**
 * `(x - mean) / √(var + eps) · weight + bias` over the last dimensions, those of `normalizedShape`.
 *
 * Shapes: input `(*, ...normalizedShape)` → the same.
 *
 * @throws if the input does not end in `normalizedShape`.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html
 */
export const layerNorm = /* @__PURE__ */ op(
  "layer_norm",
  (
    input: tf.Tensor,
    normalizedShape: number | readonly number[],
    options?: LayerNormOptions,
  ): tf.Tensor => {
    const defaults = { weight: null, bias: null, eps: 1e-5 };
    const read = readOptions<Required<LayerNormOptions>>("layerNorm", defaults, options);
    const { weight, bias, eps } = read;
    checkTensor("layer_norm", input);
    checkFloatTensor("layer_norm", input);
    const axes = readNormalizedShape(input, normalizedShape, { weight, bias });
    checkParameters({ weight, bias });
    if (input.size === 0) return tf.zeros(input.shape);
    const own = tryKernel("layer norm", input, axes, eps, weight, bias);
    if (own) return own as tf.Tensor;
    const { centred, variance } = moments(input, axes);
    return scaleAndShift(centred, variance, eps, weight, bias);
  },
);

/**
 * `x / √(mean(x²) + eps) · weight` over the last dimensions, those of `normalizedShape`.
 *
 * Shapes: input `(*, ...normalizedShape)` → the same.
 *
 * @throws if the input does not end in `normalizedShape`.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.rms_norm.html
 */
export const rmsNorm = /* @__PURE__ */ op(
  "rms_norm",
  (
    input: tf.Tensor,
    normalizedShape: number | readonly number[],
    options?: RMSNormOptions,
  ): tf.Tensor => {
    const defaults = { weight: null, eps: null };
    const read = readOptions<Required<RMSNormOptions>>("rmsNorm", defaults, options);
    const { weight, eps } = read;
    checkTensor("rms_norm", input);
    checkFloatTensor("rms_norm", input);
    const axes = readNormalizedShape(input, normalizedShape, { weight });
    if (input.size === 0) return tf.zeros(input.shape);
    const own = tryKernel("rms norm", input, axes, eps ?? FLOAT32_EPS, weight);
    if (own) return own as tf.Tensor;
    const meanSquare = tf.mean(tf.square(input), axes, true);
    return scaleAndShift(input, meanSquare, eps ?? FLOAT32_EPS, weight, null);
  },
);

function checkGroups(
  { rank, shape, size }: tf.Tensor,
  numGroups: number,
  vectors: Record<string, tf.Tensor | null>,
): void {
  if (rank < 2) {
    throw new RangeError(`Expected at least 2 dimensions for input tensor but received ${rank}`);
  }
  const [n, channels] = shape as [number, number];
  if (!(numGroups > 0)) {
    throw new RangeError(`Expected num groups to be greater than 0, got ${numGroups}`);
  }
  if (channels === 0)
    throw new RangeError("Expected number of channels to be greater than 0, got 0");
  if (shape.slice(2).includes(0)) throw new RangeError("Expected HxW to be greater than 0, got 0");
  if (channels % numGroups !== 0) {
    throw new RangeError(
      "Expected number of channels in input to be divisible by num_groups, " +
        `but got input of shape ${listText(shape)} and num_groups=${numGroups}`,
    );
  }
  for (const [name, vector] of Object.entries(vectors)) {
    if (vector === null || (vector.rank === 1 && vector.size === channels)) continue;
    throw new RangeError(
      `Expected ${name} to be a vector of size equal to the number of channels in input, ` +
        `but got ${name} of shape ${listText(vector.shape)} and input of shape ${listText(shape)}`,
    );
  }
  if (n === 1) checkSpread("value per channel", size / numGroups, shape);
}

/**
 * `(x - mean) / √(var + eps) · weight + bias`, mean and variance of each group of C/numGroups
 * channels of each sample.
 *
 * Shapes: input `(N, C, *)` → the same; weight and bias `(C)`.
 *
 * @throws if the groups do not divide the channels.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.group_norm.html
 */
export const groupNorm = /* @__PURE__ */ op(
  "group_norm",
  (input: tf.Tensor, numGroups: number, options?: GroupNormOptions): tf.Tensor => {
    const defaults = { weight: null, bias: null, eps: 1e-5 };
    const read = readOptions<Required<GroupNormOptions>>("groupNorm", defaults, options);
    const { weight, bias, eps } = read;
    checkTensor("group_norm", input);
    checkFloatTensor("group_norm", input);
    checkGroups(input, numGroups, { weight, bias });
    checkParameters({ weight, bias });
    if (input.size === 0) return tf.zeros(input.shape);
    const own = tryKernel("group norm", input, numGroups, eps, weight, bias);
    if (own) return own as tf.Tensor;
    const [n, channels] = input.shape as [number, number];
    const size = channels / numGroups;
    const { centred, variance } = moments(
      tf.reshape(input, [n, numGroups, size, input.size / (n * channels)]),
      [2, 3],
    );
    const perGroup = (vector: tf.Tensor | null): tf.Tensor | null =>
      vector && tf.reshape(vector, [1, numGroups, size, 1]);
    const y = scaleAndShift(centred, variance, eps, perGroup(weight), perGroup(bias));
    return tf.reshape(y, input.shape);
  },
);
