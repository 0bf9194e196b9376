import * as tf from "@tensorflow/tfjs-core";
import { avgPool2d } from "./avg-pooling.js";
import { dtypeName, listText } from "./check.js";
import { padTensor } from "./pad-tensor.js";

export interface Moments {
  /** The mean along the axes, which are kept with size 1. */
  mean: tf.Tensor;
  /** Divided by n, not n - 1. */
  variance: tf.Tensor;
  /** The input minus its mean. */
  centred: tf.Tensor;
}

/** Mean and variance along some axes. */
export function moments(x: tf.Tensor, axes: number[]): Moments {
  const rough = tf.mean(x, axes, true);
  const near = tf.sub(x, rough);
  // The float32 mean of numbers near 1e4 has an error larger than their differences (on wasm, which
  // sums sequentially, of whole units). The mean of the deviations is that error.
  const rest = tf.mean(near, axes, true);
  const centred = tf.sub(near, rest);
  const variance = tf.mean(tf.square(centred), axes, true);
  return { mean: tf.add(rough, rest), variance, centred };
}

/** `centred / √(variance + eps) · weight + bias`, all of them broadcast. */
export function scaleAndShift(
  centred: tf.Tensor,
  variance: tf.Tensor,
  eps: number,
  weight: tf.Tensor | null,
  bias: tf.Tensor | null,
): tf.Tensor {
  const invStd = tf.rsqrt(tf.add(variance, eps));
  const y = tf.mul(centred, weight === null ? invStd : tf.mul(invStd, weight));
  return bias === null ? y : tf.add(y, bias);
}

/** Refuses parameters that are not floats. */
export function checkParameters(vectors: Readonly<Record<string, tf.Tensor | null>>): void {
  for (const [name, vector] of Object.entries(vectors)) {
    if (vector === null || vector.dtype === "float32") continue;
    throw new TypeError(
      "mixed dtype (CPU): expect parameter to have scalar type of Float, " +
        `but got ${name} of ${dtypeName(vector)}`,
    );
  }
}

/** Checks that vectors have one element for each channel. */
export function checkChannels(channels: number, vectors: Record<string, tf.Tensor | null>): void {
  checkParameters(vectors);
  for (const [name, vector] of Object.entries(vectors)) {
    if (vector === null || vector.size === channels) continue;
    throw new RangeError(`${name} should contain ${channels} elements not ${vector.size}`);
  }
}

export function checkEps(op: string, eps: number, training: boolean): void {
  if (eps > 0 || (eps === 0 && !training)) return;
  const rule = training ? "positive during training" : "non-negative";
  throw new RangeError(`${op} eps must be ${rule}, but got ${eps}`);
}

/** Refuses to normalise over a single value, which has no variance. */
export function checkSpread(what: string, count: number, shape: readonly number[]): void {
  if (count !== 1) return;
  throw new RangeError(
    `Expected more than 1 ${what} when training, got input size torch.Size(${listText(shape)})`,
  );
}

/**
 * The mean over neighbouring channels (dimension 1): `before` ones before each channel and `after`
 * ones after it.
 */
export function meanOfNeighbours(x: tf.Tensor, before: number, after: number): tf.Tensor {
  const [n, channels] = x.shape as [number, number];
  const columns = tf.reshape(x, [n, channels, -1]);
  const padded = padTensor(columns, [[0, 0], [before, after], [0, 0]]); // prettier-ignore
  return tf.reshape(avgPool2d(padded, [before + 1 + after, 1], { stride: 1 }), x.shape);
}
