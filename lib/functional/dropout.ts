import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkTensor, dtypeName } from "./check.js";
import { op } from "./op.js";
import { checkProbability, sampler } from "./sampler.js";

export interface DropoutOptions {
  /** The probability of an element, or a channel, to be dropped. Default: 0.5. */
  p?: number;
  /** Whether to drop anything. Default: `true`, but `false` for the alpha dropouts. */
  training?: boolean;
}

/** What is dropped together: single elements, or whole channels. */
type Grain = "element" | "channel";

const SELU_MINIMUM = 1.7580993408473766;

/** Checks the arguments. Returns `p`, or `null` if the input passes unchanged. */
function readDropout(
  name: string,
  input: tf.Tensor,
  training: boolean,
  options: DropoutOptions | undefined,
): number | null {
  const read = readOptions<Required<DropoutOptions>>(name, { p: 0.5, training }, options);
  checkTensor(name, input);
  checkProbability(read.p);
  return read.training && read.p > 0 && input.size > 0 ? read.p : null;
}

/** A mask with 1 for what is kept and 0 for what is dropped; broadcasts against the input. */
function drawKept(input: tf.Tensor, p: number, grain: Grain): tf.Tensor {
  const { rank, shape } = input;
  checkScaled(input);
  if (grain === "channel" && rank < 2) {
    throw new RangeError(
      `Feature dropout requires at least 2 dimensions in the input, but got ${rank}`,
    );
  }
  const drawn = grain === "element" ? shape : shape.map((size, i) => (i < 2 ? size : 1));
  return tf.tensor(sampler().bernoulli(tf.util.sizeFromShape(drawn), 1 - p), drawn);
}

/** Refuses inputs that are not floats, because kept values are scaled. */
function checkScaled(input: tf.Tensor): void {
  if (input.dtype === "float32") return;
  throw new TypeError(
    `result type Float can't be cast to the desired output type ${dtypeName(input)}`,
  );
}

function drop(input: tf.Tensor, p: number, grain: Grain): tf.Tensor {
  if (p === 1) return tf.mul(input, tf.zerosLike(input));
  return tf.mul(input, tf.div(drawKept(input, p, grain), 1 - p));
}

/** Sets dropped values to SELU's minimum, then scales and shifts to keep mean 0 and variance 1. */
function alphaDrop(input: tf.Tensor, p: number, grain: Grain): tf.Tensor {
  if (p === 1) return tf.mul(input, tf.zerosLike(input));
  const a = 1 / Math.sqrt((SELU_MINIMUM ** 2 * p + 1) * (1 - p));
  const kept = drawKept(input, p, grain);
  const shift = tf.add(tf.mul(tf.sub(kept, 1), SELU_MINIMUM * a), SELU_MINIMUM * a * p);
  return tf.add(tf.mul(input, tf.mul(kept, a)), shift);
}

/**
 * In training, sets each element to 0 with probability p and divides the others by 1 - p; any
 * shape. After the same `manualSeed`, the same elements are dropped as in PyTorch on CPU.
 *
 * @throws if p is not in [0, 1].
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html
 */
export const dropout = /* @__PURE__ */ op(
  "dropout",
  (input: tf.Tensor, options?: DropoutOptions): tf.Tensor => {
    const p = readDropout("dropout", input, true, options);
    return p === null ? input : drop(input, p, "element");
  },
);

/** Channel-wise dropout. An input without a batch dimension gets one while it is computed. */
function channelDropout(
  name: string,
  isUnbatched: (rank: number) => boolean,
): (input: tf.Tensor, options?: DropoutOptions) => tf.Tensor {
  return op(name, (input: tf.Tensor, options?: DropoutOptions): tf.Tensor => {
    const p = readDropout(name, input, true, options);
    if (name === "dropout1d" && input.rank !== 2 && input.rank !== 3) {
      throw new RangeError(
        `dropout1d: Expected 2D or 3D input, but received a ${input.rank}D input.`,
      );
    }
    if (p === null) return input;
    if (!isUnbatched(input.rank)) return drop(input, p, "channel");
    return tf.squeeze(drop(tf.expandDims(input, 0), p, "channel"), [0]);
  });
}

/**
 * {@link dropout} of whole channels of `(N, C, L)` or `(C, L)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout1d.html
 */
export const dropout1d = /* @__PURE__ */ channelDropout("dropout1d", (rank) => rank === 2);

/**
 * {@link dropout} of whole channels of `(N, C, H, W)`. As in PyTorch, three dimensions are taken as
 * `(N, C, L)`, so there is no form without a batch.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout2d.html
 */
export const dropout2d = /* @__PURE__ */ channelDropout("dropout2d", () => false);

/**
 * {@link dropout} of whole channels of `(N, C, D, H, W)` or `(C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout3d.html
 */
export const dropout3d = /* @__PURE__ */ channelDropout("dropout3d", (rank) => rank !== 5);

/**
 * Dropout that keeps the mean 0 and variance 1 of what SELU gives.
 *
 * Shapes: `(*)` → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.alpha_dropout.html
 */
export const alphaDropout = /* @__PURE__ */ op(
  "alpha_dropout",
  (input: tf.Tensor, options?: DropoutOptions): tf.Tensor => {
    const p = readDropout("alpha_dropout", input, false, options);
    return p === null ? input : alphaDrop(input, p, "element");
  },
);

/**
 * {@link alphaDropout} of whole channels of `(N, C, *)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.feature_alpha_dropout.html
 */
export const featureAlphaDropout = /* @__PURE__ */ op(
  "feature_alpha_dropout",
  (input: tf.Tensor, options?: DropoutOptions): tf.Tensor => {
    const p = readDropout("feature_alpha_dropout", input, false, options);
    return p === null ? input : alphaDrop(input, p, "channel");
  },
);
