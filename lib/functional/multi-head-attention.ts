import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { additiveMask, causalMask, scaledDotProductAttention } from "./attention.js";
import { checkTensor, shapeText } from "./check.js";
import { dropout } from "./dropout.js";
import { linear } from "./linear.js";
import { op } from "./op.js";
import { softmax } from "./softmax.js";

type Maybe = tf.Tensor | null;

export interface MultiHeadAttentionOptions {
  /** Whether dropout is applied. Default: `true`. */
  training?: boolean;
  /** `(N, S)` or `(S)`: bool (`true`: ignored) or float (added). Default: `null`. */
  keyPaddingMask?: Maybe;
  /** Give the attention weights too. Default: `true`. */
  needWeights?: boolean;
  /** `(L, S)` or `(N·H, L, S)`: bool (`true`: not allowed) or float (added). Default: `null`. */
  attnMask?: Maybe;
  /** Project query, key and value with a weight each. Default: `false`. */
  useSeparateProjWeight?: boolean;
  qProjWeight?: Maybe;
  kProjWeight?: Maybe;
  vProjWeight?: Maybe;
  /** The mean of the weights over the heads. Default: `true`. */
  averageAttnWeights?: boolean;
  /** A hint that `attnMask` is the causal mask. Default: `false`. */
  isCausal?: boolean;
}

const DEFAULTS: Required<MultiHeadAttentionOptions> = {
  training: true,
  keyPaddingMask: null,
  needWeights: true,
  attnMask: null,
  useSeparateProjWeight: false,
  qProjWeight: null,
  kProjWeight: null,
  vProjWeight: null,
  averageAttnWeights: true,
  isCausal: false,
};

/** PyTorch's masks hide what is true; as one to add: 0 or -∞. */
const hide = (mask: Maybe): Maybe =>
  mask?.dtype === "bool" ? additiveMask(tf.logicalNot(mask)) : mask;

function project(x: tf.Tensor, weight: tf.Tensor, bias: Maybe): tf.Tensor {
  return linear(x, weight, { bias });
}

/** Adds what every batch attends to besides: `(L, N, E)` → `(L + 1, N, E)`. */
function extend(x: tf.Tensor, extra: tf.Tensor): tf.Tensor {
  return tf.concat([x, tf.tile(extra, [1, x.shape[1]!, 1])], 0);
}

/** One column of zeros at the end of a mask. */
function widen(mask: Maybe): Maybe {
  if (mask === null) return null;
  return tf.concat([mask, tf.zeros([...mask.shape.slice(0, -1), 1])], -1);
}

/**
 * Multi-head attention as `nn.MultiheadAttention` computes it.
 *
 * Shapes: query `(L, N, E)` or `(L, E)`, key and value `(S, N, *)` or `(S, *)` →
 * `[(L, N, E), weights (N, L, S)]`, per head `(N, H, L, S)`; weights are `null` unless asked for.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html
 */
export const multiHeadAttentionForward = /* @__PURE__ */ op(
  "multi_head_attention_forward",
  (
    queryInput: tf.Tensor,
    keyInput: tf.Tensor,
    valueInput: tf.Tensor,
    embedDim: number,
    numHeads: number,
    inProjWeight: Maybe,
    inProjBias: Maybe,
    biasK: Maybe,
    biasV: Maybe,
    addZeroAttn: boolean,
    dropoutP: number,
    outProjWeight: tf.Tensor,
    outProjBias: Maybe,
    options?: MultiHeadAttentionOptions,
  ): [tf.Tensor, tf.Tensor | null] => {
    const read = readOptions("multiHeadAttentionForward", DEFAULTS, options);
    checkInputs(queryInput, keyInput, valueInput, embedDim, read);
    const isBatched = queryInput.rank === 3;
    const batch = (x: tf.Tensor): tf.Tensor => (isBatched ? x : tf.expandDims(x, 1));
    const [query, key, value] = [batch(queryInput), batch(keyInput), batch(valueInput)];
    const [l, n] = query.shape as [number, number];
    const headDim = embedDim / numHeads;

    let [q, k, v] = projectAll(query, key, value, inProjWeight, inProjBias, read);
    let padding = hide(read.keyPaddingMask);
    if (padding !== null && !isBatched) padding = tf.expandDims(padding, 0);
    let mask = readMask(read, [n, numHeads, l, key.shape[0]]);
    if (biasK !== null && biasV !== null) {
      [k, v] = [extend(k, biasK), extend(v, biasV)];
      [padding, mask] = [widen(padding), widen(mask)];
    }
    // (S, N, E) → (N, H, S, E/H)
    const heads = (x: tf.Tensor): tf.Tensor =>
      tf.transpose(tf.reshape(x, [x.shape[0], n, numHeads, headDim]), [1, 2, 0, 3]);
    [q, k, v] = [heads(q), heads(k), heads(v)];
    if (addZeroAttn) {
      const zeros = tf.zeros([n, numHeads, 1, headDim]);
      [k, v] = [tf.concat([k, zeros], 2), tf.concat([v, zeros], 2)];
      [padding, mask] = [widen(padding), widen(mask)];
    }
    if (padding !== null) {
      const wide = tf.reshape(padding, [n, 1, 1, k.shape[2]!]);
      mask = mask === null ? wide : tf.add(mask, wide);
    }

    const p = read.training ? dropoutP : 0;
    const merge = (x: tf.Tensor): tf.Tensor =>
      project(
        tf.reshape(tf.transpose(x, [2, 0, 1, 3]), [l, n, embedDim]),
        outProjWeight,
        outProjBias,
      );
    const unbatch = (x: tf.Tensor, axis: number): tf.Tensor =>
      isBatched ? x : tf.squeeze(x, [axis]);
    if (!read.needWeights) {
      const options = { attnMask: mask, dropoutP: p };
      return [unbatch(merge(scaledDotProductAttention(q, k, v, options)), 1), null];
    }
    const scores = tf.matMul(tf.mul(q, 1 / Math.sqrt(headDim)), k, false, true);
    let weights = softmax(mask === null ? scores : tf.add(scores, mask), { dim: -1 });
    if (p > 0) weights = dropout(weights, { p });
    const output = unbatch(merge(tf.matMul(weights, v)), 1);
    const shown = read.averageAttnWeights ? tf.mean(weights, 1) : weights;
    return [output, unbatch(shown, 0)];
  },
);

function projectAll(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  weight: Maybe,
  bias: Maybe,
  { useSeparateProjWeight, qProjWeight, kProjWeight, vProjWeight }: MultiHeadAttentionOptions,
): [tf.Tensor, tf.Tensor, tf.Tensor] {
  const biases = bias === null ? [null, null, null] : tf.split(bias, 3);
  const weights = useSeparateProjWeight
    ? [qProjWeight!, kProjWeight!, vProjWeight!]
    : tf.split(weight!, 3, 0);
  const [q, k, v] = [query, key, value].map((x, i) => project(x, weights[i]!, biases[i]!));
  return [q!, k!, v!];
}

/** The attention mask in the form that is added to `(N, H, L, S)`. */
function readMask(
  { attnMask, keyPaddingMask, needWeights, isCausal }: Required<MultiHeadAttentionOptions>,
  [n, heads, l, s]: [number, number, number, number],
): Maybe {
  if (isCausal && attnMask === null) {
    throw new Error("Need attn_mask if specifying the is_causal hint.");
  }
  if (attnMask === null) return null;
  // The hint is only taken where nothing else is to be masked, and no weights are shown.
  if (isCausal && keyPaddingMask === null && !needWeights) return causalMask(l, s);
  const want = attnMask.rank === 2 ? [l, s] : [n * heads, l, s];
  if (attnMask.rank !== 2 && attnMask.rank !== 3) {
    throw new Error(`attn_mask's dimension ${attnMask.rank} is not supported`);
  }
  if (!tf.util.arraysEqual(attnMask.shape, want)) {
    throw new Error(
      `The shape of the ${attnMask.rank}D attn_mask is ${shapeText(attnMask.shape)}, ` +
        `but should be ${shapeText(want)}.`,
    );
  }
  const mask = hide(attnMask)!;
  return mask.rank === 2 ? mask : tf.reshape(mask, [n, heads, l, s]);
}

function checkInputs(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  embedDim: number,
  { keyPaddingMask, useSeparateProjWeight }: Required<MultiHeadAttentionOptions>,
): void {
  for (const [name, x] of Object.entries({ query, key, value })) {
    checkTensor("multi_head_attention_forward", x, name);
  }
  const { rank } = query;
  if (rank !== 2 && rank !== 3) {
    throw new Error(
      `query should be unbatched 2D or batched 3D tensor but received ${rank}-D query tensor`,
    );
  }
  if (key.rank !== rank || value.rank !== rank) {
    const kind = rank === 3 ? "batched (3-D)" : "unbatched (2-D)";
    throw new Error(
      `For ${kind} \`query\`, expected \`key\` and \`value\` to be ${rank}-D ` +
        `but found ${key.rank}-D and ${value.rank}-D tensors respectively`,
    );
  }
  if (query.shape.at(-1) !== embedDim) {
    throw new Error(
      `was expecting embedding dimension of ${embedDim}, but got ${query.shape.at(-1)}`,
    );
  }
  const compared = useSeparateProjWeight ? -1 : key.rank;
  if (!tf.util.arraysEqual(key.shape.slice(0, compared), value.shape.slice(0, compared))) {
    const what = useSeparateProjWeight ? "key's sequence and batch dims" : "key shape";
    throw new Error(
      `${what} ${shapeText(key.shape.slice(0, compared))} does not match value's ` +
        shapeText(value.shape.slice(0, compared)),
    );
  }
  const want = rank === 3 ? [key.shape[1]!, key.shape[0]] : [key.shape[0]];
  if (keyPaddingMask !== null && !tf.util.arraysEqual(keyPaddingMask.shape, want)) {
    throw new Error(
      `expected key_padding_mask of shape ${shapeText(want)}, got ${shapeText(keyPaddingMask.shape)}`,
    );
  }
}
