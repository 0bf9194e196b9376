import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { additiveMask } from "./attention-masks.js";
import { scaledDotProductAttention } from "./attention.js";
import { asBatch, fromBatch } from "./batch.js";
import { dropout } from "./dropout.js";
import { linear } from "./linear.js";
import { checkAttnMask, checkKeyPaddingMask, checkRanks, checkSizes } from "./multi-head-checks.js";
import { op, tryKernel } from "./op.js";
import { softmax } from "./softmax.js";

type Maybe = tf.Tensor | null;
type Projected = [q: tf.Tensor, k: tf.Tensor, v: tf.Tensor];

export interface MultiHeadAttentionOptions {
  /** Whether dropout is applied. Default: `true`. */
  training?: boolean;
  /** `(N, S)` or `(S)`: bool (`true`: ignored) or float (added to the scores). Default: `null`. */
  keyPaddingMask?: Maybe;
  /** Give the attention weights too. Default: `true`. */
  needWeights?: boolean;
  /**
   * `(L, S)` or `(N·H, L, S)`: bool (`true`: masked) or float (added to the scores). Default:
   * `null`.
   */
  attnMask?: Maybe;
  /**
   * Use `qProjWeight`, `kProjWeight` and `vProjWeight` instead of one weight for all. Default:
   * `false`.
   */
  useSeparateProjWeight?: boolean;
  /** `(E, E)`. Default: `null`. */
  qProjWeight?: Maybe;
  /** `(E, kdim)`. Default: `null`. */
  kProjWeight?: Maybe;
  /** `(E, vdim)`. Default: `null`. */
  vProjWeight?: Maybe;
  /** `(N·H, S, E/H)`, used instead of the projected key. Default: `null`. */
  staticK?: Maybe;
  /** `(N·H, S, E/H)`, used instead of the projected value. Default: `null`. */
  staticV?: Maybe;
  /** Return the mean of the weights over the heads. Default: `true`. */
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
  staticK: null,
  staticV: null,
  averageAttnWeights: true,
  isCausal: false,
};

/** PyTorch's masks are true where something is hidden: 0 and -∞ to add. */
const hide = (mask: tf.Tensor): tf.Tensor =>
  additiveMask(mask.dtype === "bool" ? tf.logicalNot(mask) : mask);

/**
 * Appends a position that every batch entry attends to: `(L, N, E)` and `(1, 1, E)` →
 * `(L + 1, N, E)`.
 */
function extend(x: tf.Tensor, extra: tf.Tensor): tf.Tensor {
  const row = tf.reshape(extra, [1, 1, extra.size]);
  return tf.concat([x, tf.tile(row, [1, x.shape[1]!, 1])], 0);
}

/** Adds a column of zeros at the end of a mask. */
function widen(mask: Maybe): Maybe {
  if (mask === null) return null;
  return tf.concat([mask, tf.zeros([...mask.shape.slice(0, -1), 1])], -1);
}

/**
 * Multi-head attention as `nn.MultiheadAttention` computes it.
 *
 * Shapes: query `(L, N, E)` or `(L, E)`, key and value `(S, N, *)` or `(S, *)` →
 * `[(L, N, E), weights (N, L, S)]`, per head `(N, H, L, S)`; weights are `null` unless asked for. A
 * row that is masked completely gives NaN if weights are asked for, else it attends to nothing.
 *
 * @throws if ranks or sizes do not match.
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
    const isSeparate = read.useSeparateProjWeight;
    const given = [queryInput, keyInput, valueInput] as const;
    const isBatched = checkRanks(given, read.keyPaddingMask, read.attnMask);
    const inputs = given.map((x) => asBatch(x, isBatched, 1)) as Projected;
    checkSizes(inputs, embedDim, numHeads, isSeparate);
    const [l, n] = inputs[0].shape as [number, number];
    const headDim = embedDim / numHeads;

    const isCausal = takesHint(read);
    let mask = isCausal ? null : readMask(read.attnMask, [n, numHeads, l, inputs[1].shape[0]]);
    let padding = read.keyPaddingMask && asBatch(hide(read.keyPaddingMask), isBatched, 0);
    const addKey = (): void => {
      [padding, mask] = [widen(padding), widen(mask)];
    };
    const p = read.training ? dropoutP : 0;
    const project = (side: tf.Tensor): tf.Tensor =>
      fromBatch(linear(side, outProjWeight, { bias: outProjBias }), isBatched, 1);
    // Self-attention needs only one product.
    const isSelf = !isSeparate && given.every((x) => x === queryInput);
    const all = isSelf && linear(inputs[0], inProjWeight!, { bias: inProjBias });
    const isMore = read.attnMask || padding || biasK || addZeroAttn || p || read.needWeights || read.staticK || read.staticV; // prettier-ignore
    const own = all && !isMore && tryKernel("heads", all, numHeads);
    if (own) return [project(own as tf.Tensor), null];
    let [q, k, v] = all
      ? (tf.split(all, 3, 2) as Projected)
      : projectAll(inputs, inProjWeight, inProjBias, read);
    if (biasK !== null && biasV !== null) {
      [k, v] = [extend(k, biasK), extend(v, biasV)];
      addKey();
    }
    // (S, N, E) → (N, H, S, E/H)
    const heads = (x: tf.Tensor, fixed?: Maybe): tf.Tensor =>
      fixed
        ? tf.reshape(fixed, [n, numHeads, fixed.shape[1]!, headDim])
        : tf.transpose(tf.reshape(x, [x.shape[0], n, numHeads, headDim]), [1, 2, 0, 3]);
    [q, k, v] = [heads(q), heads(k, read.staticK), heads(v, read.staticV)];
    if (addZeroAttn) {
      const zeros = tf.zeros([n, numHeads, 1, headDim]);
      [k, v] = [tf.concat([k, zeros], 2), tf.concat([v, zeros], 2)];
      addKey();
    }
    if (padding !== null) {
      checkKeyPaddingMask(padding, n, k.shape[2]!);
      const wide = tf.reshape(padding, [n, 1, 1, k.shape[2]!]);
      mask = mask === null ? wide : tf.add(mask, wide);
    }

    const [attended, weights] = attend(q, k, v, mask, isCausal, p, read);
    const side = tf.reshape(tf.transpose(attended, [2, 0, 1, 3]), [l, n, embedDim]);
    return [project(side), weights && fromBatch(weights, isBatched, 0)];
  },
);

/** The output of the heads `(N, H, L, E/H)`, and the weights if they are asked for. */
function attend(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  attnMask: Maybe,
  isCausal: boolean,
  dropoutP: number,
  { needWeights, averageAttnWeights }: Required<MultiHeadAttentionOptions>,
): [tf.Tensor, Maybe] {
  if (!needWeights) {
    return [scaledDotProductAttention(q, k, v, { attnMask, isCausal, dropoutP }), null];
  }
  const scores = tf.matMul(tf.mul(q, 1 / Math.sqrt(q.shape[3]!)), k, false, true);
  let weights = softmax(attnMask === null ? scores : tf.add(scores, attnMask), { dim: -1 });
  if (dropoutP > 0) weights = dropout(weights, { p: dropoutP });
  return [tf.matMul(weights, v), averageAttnWeights ? tf.mean(weights, 1) : weights];
}

function projectAll(
  inputs: readonly [tf.Tensor, tf.Tensor, tf.Tensor],
  weight: Maybe,
  bias: Maybe,
  { useSeparateProjWeight, qProjWeight, kProjWeight, vProjWeight }: MultiHeadAttentionOptions,
): Projected {
  const biases = bias && tf.split(bias, 3);
  const weights = useSeparateProjWeight
    ? [qProjWeight!, kProjWeight!, vProjWeight!]
    : tf.split(weight!, 3, 0);
  return inputs.map((x, i) => linear(x, weights[i]!, { bias: biases && biases[i]! })) as Projected;
}

/**
 * Whether `isCausal` can replace `attnMask`: nothing else is masked, and no weights are returned.
 */
function takesHint({
  attnMask,
  keyPaddingMask,
  needWeights,
  isCausal,
}: Required<MultiHeadAttentionOptions>): boolean {
  if (isCausal && attnMask === null) {
    throw new Error(
      "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method " +
        "`generateSquareSubsequentMask` to create this mask.",
    );
  }
  return isCausal && keyPaddingMask === null && !needWeights;
}

/** The attention mask in a shape that can be added to scores `(N, H, L, S)`. */
function readMask(attnMask: Maybe, sizes: [number, number, number, number]): Maybe {
  if (attnMask === null) return null;
  checkAttnMask(attnMask, sizes);
  const mask = hide(attnMask);
  return mask.rank === 2 ? mask : tf.reshape(mask, sizes);
}
