import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { additiveMask, isPast } from "./attention-masks.js";
import { broadcastShape } from "./broadcast.js";
import { checkFloatTensor, checkTensor, dtypeName, shapeText } from "./check.js";
import { dropout } from "./dropout.js";
import { atLeast, largest } from "./numeric.js";
import { op, tryKernel } from "./op.js";

export interface ScaledDotProductAttentionOptions {
  /**
   * Broadcast to `(N, …, L, S)`: bool (`true`: takes part) or float (added to the scores). Default:
   * `null`.
   */
  attnMask?: tf.Tensor | null;
  /** The probability of dropping a weight; always applied. Default: 0. */
  dropoutP?: number;
  /** Mask what is above the diagonal; not with `attnMask`. Default: `false`. */
  isCausal?: boolean;
  /** Multiplied with `q kᵀ`. Default: `null`, `1/√E`. */
  scale?: number | null;
  /** Let several heads of the query share one of key and value. Default: `false`. */
  enableGqa?: boolean;
}

const SDPA: Required<ScaledDotProductAttentionOptions> = {
  attnMask: null,
  dropoutP: 0,
  isCausal: false,
  scale: null,
  enableGqa: false,
};

/** Sets scores above the diagonal to -∞. Adding -∞ would leave NaN there. */
function maskFuture(scores: tf.Tensor): tf.Tensor {
  const [l, s] = scores.shape.slice(-2) as [number, number];
  if (scores.size === 0) return scores;
  const all = tf.reshape(scores, [-1, l, s]); // of at most three dimensions, see `select`
  const kept = tf.where(isPast(l, s), all, tf.fill(all.shape, -Infinity));
  return tf.reshape(kept, scores.shape);
}

const LEAST = -3.4028234663852886e38;

/** Softmax of the last dimension, in which a row of nothing but -∞ gives 0 instead of NaN. */
function safeSoftmax(scores: tf.Tensor): tf.Tensor {
  if (scores.size === 0) return scores;
  const highest = atLeast(largest(scores, -1), LEAST);
  const powers = tf.exp(tf.sub(scores, highest));
  // In any other row the sum is at least 1, since the maximum contributes exp(0).
  return tf.div(powers, atLeast(tf.sum(powers, -1, true), 1));
}

/** `(…, H, S, E)` → `(…, H·n, S, E)`: each head n times, side by side. */
function repeatHeads(x: tf.Tensor, n: number): tf.Tensor {
  if (n === 1) return x;
  const [heads, s, e] = x.shape.slice(-3) as [number, number, number];
  const split = tf.reshape(x, [-1, 1, s * e]);
  return tf.reshape(tf.tile(split, [1, n, 1]), [...x.shape.slice(0, -3), heads * n, s, e]);
}

const WHERE = "scaled_dot_product_attention()";

function checkSdpa(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  { attnMask, isCausal, enableGqa }: Required<ScaledDotProductAttentionOptions>,
): void {
  const inputs = [query, key, value];
  inputs.forEach((x, i) => {
    checkTensor("scaled_dot_product_attention", x, ["query", "key", "value"][i], i + 1);
  });
  if (inputs.some((x) => x.dtype !== query.dtype)) {
    throw new Error(
      `${WHERE}: Expected query, key, and value to have the same dtype, but got ` +
        inputs.map(dtypeName).join(", "),
    );
  }
  checkFloatTensor("scaled_dot_product_attention", query);
  if (inputs.some((x) => x.rank < (enableGqa ? 3 : 2))) {
    throw new Error(
      `${WHERE}: Expected query, key, and value to all be at least ${enableGqa ? 3 : 2} ` +
        `dimensional, but got query.dim: ${query.rank}, key.dim: ${key.rank} and ` +
        `value.dim: ${value.rank} instead`,
    );
  }
  if (isCausal && attnMask !== null) {
    throw new Error(`${WHERE}: Explicit attn_mask should not be set when is_causal=True`);
  }
  const fits = query.shape.at(-1) === key.shape.at(-1) && key.shape.at(-2) === value.shape.at(-2);
  if (!fits) {
    throw new Error(
      `${WHERE}: Expected query (…, L, E), key (…, S, E) and value (…, S, Ev), but got ` +
        inputs.map(({ shape }) => shapeText(shape)).join(", "),
    );
  }
  const heads = inputs.map(({ shape }) => shape.at(-3)!);
  if (enableGqa && heads.some((count) => heads[0]! % count !== 0)) {
    throw new Error(
      `${WHERE}: Number of heads in key and value must divide the number of heads in query, ` +
        `but got ${heads[1]}, ${heads[2]} and ${heads[0]}`,
    );
  }
}

function checkMask(mask: tf.Tensor, query: tf.Tensor, scores: readonly number[]): void {
  if (mask.dtype !== "bool" && mask.dtype !== query.dtype) {
    throw new Error(
      `${WHERE}: Expected attn_mask dtype to be bool or float or to match query dtype, but got ` +
        `attn_mask.dtype: ${dtypeName(mask)} and query.dtype: ${dtypeName(query)} instead.`,
    );
  }
  const want = scores.slice(-mask.rank);
  const fits = mask.shape.every((size, i) => size === 1 || size === want[i]);
  // PyTorch's fused kernel, for batches of heads, refuses masks with fewer than two dimensions.
  const least = scores.length === 4 ? 2 : 0;
  if (fits && mask.rank >= least && mask.rank <= scores.length) return;
  throw new Error(
    `${WHERE}: Expected attn_mask to broadcast to ${shapeText(scores)}, ` +
      `but got shape ${shapeText(mask.shape)}`,
  );
}

/**
 * `softmax(q kᵀ · scale + mask) v`; a row that is masked all over gives 0.
 *
 * Shapes: query `(…, L, E)`, key `(…, S, E)`, value `(…, S, Ev)` → `(…, L, Ev)`; with `enableGqa`
 * `(…, Hq, L, E)`, `(…, H, S, E)`, `(…, H, S, Ev)` and H divides Hq.
 *
 * @throws if the shapes do not fit, or on both `attnMask` and `isCausal`.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
 */
export const scaledDotProductAttention = /* @__PURE__ */ op(
  "scaled_dot_product_attention",
  (
    query: tf.Tensor,
    key: tf.Tensor,
    value: tf.Tensor,
    options?: ScaledDotProductAttentionOptions,
  ): tf.Tensor => {
    const read = readOptions("scaledDotProductAttention", SDPA, options);
    checkSdpa(query, key, value, read);
    const { attnMask, dropoutP, isCausal, enableGqa } = read;
    if (enableGqa) {
      // Repeats heads of key and value that serve several heads of the query, and calls the op
      // again, which may have a kernel.
      const [k, v] = [key, value].map((x) => repeatHeads(x, query.shape.at(-3)! / x.shape.at(-3)!));
      return scaledDotProductAttention(query, k!, v!, { ...read, enableGqa: false });
    }
    if (attnMask !== null) {
      const lead = broadcastShape(query.shape.slice(0, -2), key.shape.slice(0, -2), WHERE);
      checkMask(attnMask, query, [...lead, query.shape.at(-2)!, key.shape.at(-2)!]);
    }
    const mask = attnMask?.dtype === "bool" ? additiveMask(attnMask) : attnMask;
    const own = !dropoutP && tryKernel("attention", query, key, value, mask, isCausal, read.scale);
    if (own) return own as tf.Tensor;
    const e = query.shape.at(-1)!;
    let scores = multiply(tf.mul(query, read.scale ?? 1 / Math.sqrt(e)), key, true);
    if (isCausal) scores = maskFuture(scores);
    if (mask !== null) scores = tf.add(scores, additiveMask(mask));
    let weights = safeSoftmax(scores);
    if (dropoutP > 0) weights = dropout(weights, { p: dropoutP, training: true });
    return multiply(weights, value);
  },
);

/** A batched product of any rank whose leading dimensions broadcast. */
function multiply(a: tf.Tensor, b: tf.Tensor, transposeB = false): tf.Tensor {
  const lead = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2), WHERE);
  const flat = (x: tf.Tensor): tf.Tensor => {
    const inner = x.shape.slice(-2);
    const same = tf.util.arraysEqual(x.shape.slice(0, -2), lead);
    const whole = same ? x : tf.broadcastTo(x, [...lead, ...inner]);
    return tf.reshape(whole, [tf.util.sizeFromShape(lead), ...inner]);
  };
  const shape = [...lead, a.shape.at(-2)!, b.shape.at(transposeB ? -2 : -1)!];
  // tfjs cannot multiply empty matrices.
  if (a.size === 0 || b.size === 0) return tf.zeros(shape);
  return tf.reshape(tf.matMul(flat(a), flat(b), false, transposeB), shape);
}
