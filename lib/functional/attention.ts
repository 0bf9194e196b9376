import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkTensor, shapeText } from "./check.js";
import { dropout } from "./dropout.js";
import { atLeast } from "./numeric.js";
import { op } from "./op.js";

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

/** A bool mask (`true`: takes part) as one to add: 0 or -∞. */
export function additiveMask(keep: tf.Tensor): tf.Tensor {
  // Not by where, whose broadcasting webgl lacks; log(0) is -∞ everywhere.
  return tf.log(tf.cast(keep, "float32"));
}

/** `(L, S)`, 0 on and below the diagonal and -∞ above. */
export function causalMask(l: number, s: number): tf.Tensor {
  const rows = tf.reshape(tf.range(0, l, 1, "int32"), [l, 1]);
  return additiveMask(tf.lessEqual(tf.range(0, s, 1, "int32"), rows));
}

/** The causal mask of a sequence, as a tensor of the caller's own. */
export function generateSquareSubsequentMask(size: number): tf.Tensor2D {
  return tf.tidy(() => causalMask(size, size) as tf.Tensor2D);
}

/** Softmax of the last dimension in which a row of nothing but -∞ becomes 0, not NaN. */
function safeSoftmax(scores: tf.Tensor): tf.Tensor {
  const highest = atLeast(tf.max(scores, -1, true), -1e38);
  const powers = tf.exp(tf.sub(scores, highest));
  // The sum of any other row is 1 or more, since its maximum counts as 1.
  return tf.div(powers, atLeast(tf.sum(powers, -1, true), 1));
}

/** `(…, H, S, E)` → `(…, H·n, S, E)`: each head n times, side by side. */
function repeatHeads(x: tf.Tensor, n: number): tf.Tensor {
  if (n === 1) return x;
  const [heads, s, e] = x.shape.slice(-3) as [number, number, number];
  const split = tf.reshape(x, [-1, 1, s * e]);
  return tf.reshape(tf.tile(split, [1, n, 1]), [...x.shape.slice(0, -3), heads * n, s, e]);
}

function checkSdpa(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  { attnMask, isCausal, enableGqa }: Required<ScaledDotProductAttentionOptions>,
): void {
  const where = "scaled_dot_product_attention()";
  for (const [name, x] of Object.entries({ query, key, value })) {
    checkTensor("scaled_dot_product_attention", x, name);
    if (x.rank < 2) {
      throw new Error(
        `${where}: Expected query, key, and value to all be at least 2 dimensional, ` +
          `but got ${name} with shape ${shapeText(x.shape)}`,
      );
    }
  }
  if (isCausal && attnMask !== null) {
    throw new Error(`${where}: Explicit attn_mask should not be set when is_causal=True`);
  }
  const fits = query.shape.at(-1) === key.shape.at(-1) && key.shape.at(-2) === value.shape.at(-2);
  if (!fits) {
    throw new Error(
      `${where}: expected query (…, L, E), key (…, S, E) and value (…, S, Ev), got ` +
        [query, key, value].map(({ shape }) => shapeText(shape)).join(", "),
    );
  }
  if (enableGqa && query.shape.at(-3)! % key.shape.at(-3)! !== 0) {
    throw new Error(
      `${where}: the number of heads in key and value must divide the number of heads in query, ` +
        `got ${key.shape.at(-3)} and ${query.shape.at(-3)}`,
    );
  }
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
    const [l, e] = query.shape.slice(-2) as [number, number];
    const scale = read.scale ?? 1 / Math.sqrt(e);
    const groups = enableGqa ? query.shape.at(-3)! / key.shape.at(-3)! : 1;
    const scores = multiply(tf.mul(query, scale), repeatHeads(key, groups), true);
    const mask = isCausal
      ? causalMask(l, key.shape.at(-2)!)
      : attnMask?.dtype === "bool"
        ? additiveMask(attnMask)
        : attnMask;
    let weights = safeSoftmax(mask === null ? scores : tf.add(scores, mask));
    if (dropoutP > 0) weights = dropout(weights, { p: dropoutP, training: true });
    return multiply(weights, repeatHeads(value, groups));
  },
);

/** A batched product whose leading dimensions broadcast, of any rank. */
function multiply(a: tf.Tensor, b: tf.Tensor, transposeB = false): tf.Tensor {
  const lead = tf.backend_util.assertAndGetBroadcastShape(
    a.shape.slice(0, -2),
    b.shape.slice(0, -2),
  );
  const flat = (x: tf.Tensor): tf.Tensor => {
    const inner = x.shape.slice(-2);
    const same = tf.util.arraysEqual(x.shape.slice(0, -2), lead);
    const whole = same ? x : tf.broadcastTo(x, [...lead, ...inner]);
    return tf.reshape(whole, [tf.util.sizeFromShape(lead), ...inner]);
  };
  const y = tf.matMul(flat(a), flat(b), false, transposeB);
  return tf.reshape(y, [...lead, ...y.shape.slice(-2)]);
}
