import * as tf from "@tensorflow/tfjs-core";
import { additiveMask, causalMask } from "../../functional/attention-masks.js";
import * as F from "../../functional/index.js";
import { where } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { logSumExpRows } from "./support/reduce.js";
import { matmul } from "./matmul.js";

type Maybe = tf.Tensor | null;

function attend(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  attnMask: Maybe = null,
  dropoutP = 0,
  isCausal = false,
  scale: number | null = null,
  enableGqa = false,
): tf.Tensor {
  const mask = attnMask?.dtype === "int32" ? tf.cast(attnMask, "float32") : attnMask;
  return F.scaledDotProductAttention(query, key, value, {
    attnMask: mask,
    dropoutP,
    isCausal,
    scale,
    enableGqa,
  });
}

/** `q kᵀ · scale + mask`. */
function scores(
  query: tf.Tensor,
  key: tf.Tensor,
  mask: Maybe,
  isCausal: boolean,
  scale: number | null,
): tf.Tensor {
  const scaled = tf.mul(query, scale ?? 1 / Math.sqrt(query.shape.at(-1)!));
  const turned = key.shape.map((_, i) =>
    i < key.rank - 2 ? i : i === key.rank - 2 ? i + 1 : i - 1,
  );
  const plain = matmul(scaled, tf.transpose(key, turned));
  const add = isCausal
    ? causalMask(query.shape.at(-2)!, key.shape.at(-2)!)
    : mask && additiveMask(mask);
  return add === null ? plain : tf.add(plain, add);
}

/** The log of the sum of exponentials of each row, which only a backward pass would need. */
function logSums(
  query: tf.Tensor,
  key: tf.Tensor,
  mask: Maybe,
  isCausal: boolean,
  scale: number | null,
): tf.Tensor {
  const all = scores(query, key, mask, isCausal, scale);
  const rows = tf.reshape(all, [-1, all.shape.at(-1)!]);
  return tf.reshape(logSumExpRows(rows), all.shape.slice(0, -1));
}

const none = (): tf.Tensor => tf.zeros([0], "int32");

/**
 * Self-attention with one packed projection, as the fast path of nn.TransformerEncoderLayer calls
 * it.
 */
function multiHead(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  embedDim: number,
  heads: number,
  weight: tf.Tensor,
  bias: tf.Tensor,
  projWeight: tf.Tensor,
  projBias: tf.Tensor,
  mask: Maybe = null,
  needWeights = true,
  average = true,
  maskType: number | null = null,
): [tf.Tensor, tf.Tensor] {
  const [n, l] = query.shape as [number, number];
  const turned = (x: tf.Tensor): tf.Tensor => tf.transpose(x, [1, 0, 2]);
  const q = turned(query);
  const [k, v] = [key, value].map((x) => (x === query ? q : turned(x))) as [tf.Tensor, tf.Tensor];
  // Mask type 0 is (L, S), 1 is a key padding mask (N, S), 2 is (N, H, L, S). True means masked.
  const attnMask = mask && (maskType === 2 ? tf.reshape(mask, [n * heads, l, -1]) : mask);
  const hides = maskType === 1 ? { keyPaddingMask: mask } : { attnMask };
  const [output, weights] = F.multiHeadAttentionForward(
    ...([q, k, v, embedDim, heads, weight, bias, null, null, false, 0, projWeight, projBias] as const), // prettier-ignore
    { ...hides, training: false, needWeights, averageAttnWeights: average },
  );
  return [turned(output), weights ?? tf.zeros([0])];
}

function encoderLayer(
  src: tf.Tensor,
  embedDim: number,
  heads: number,
  qkvWeight: tf.Tensor,
  qkvBias: tf.Tensor,
  projWeight: tf.Tensor,
  projBias: tf.Tensor,
  useGelu: boolean,
  normFirst: boolean,
  eps: number,
  normWeight1: tf.Tensor,
  normBias1: tf.Tensor,
  normWeight2: tf.Tensor,
  normBias2: tf.Tensor,
  ffnWeight1: tf.Tensor,
  ffnBias1: tf.Tensor,
  ffnWeight2: tf.Tensor,
  ffnBias2: tf.Tensor,
  mask: Maybe = null,
  maskType: number | null = null,
): tf.Tensor {
  const norm1 = (x: tf.Tensor): tf.Tensor =>
    F.layerNorm(x, embedDim, { weight: normWeight1, bias: normBias1, eps });
  const norm2 = (x: tf.Tensor): tf.Tensor =>
    F.layerNorm(x, embedDim, { weight: normWeight2, bias: normBias2, eps });
  const attention = (x: tf.Tensor): tf.Tensor =>
    multiHead(x, x, x, embedDim, heads, qkvWeight, qkvBias, projWeight, projBias, mask, false, true, maskType)[0]; // prettier-ignore
  const feedForward = (x: tf.Tensor): tf.Tensor => {
    const inner = F.linear(x, ffnWeight1, { bias: ffnBias1 });
    return F.linear(useGelu ? F.gelu(inner) : F.relu(inner), ffnWeight2, { bias: ffnBias2 });
  };
  if (normFirst) {
    const x = tf.add(src, attention(norm1(src)));
    return tf.add(x, feedForward(norm2(x)));
  }
  const x = norm1(tf.add(src, attention(src)));
  return norm2(tf.add(x, feedForward(x)));
}

export const attentionOps = defineOps({
  "scaled_dot_product_attention(query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa)":
    attend,
  "_scaled_dot_product_attention_math(query, key, value, attn_mask, dropout_p, is_causal, dropout_mask, scale, enable_gqa)":
    (
      query: tf.Tensor,
      key: tf.Tensor,
      value: tf.Tensor,
      mask: Maybe = null,
      dropoutP = 0,
      isCausal = false,
      _dropoutMask: Maybe = null,
      scale: number | null = null,
      enableGqa = false,
    ) => {
      const output = attend(query, key, value, mask, dropoutP, isCausal, scale, enableGqa);
      if (enableGqa) return [output, tf.zeros([0])];
      const all = scores(query, key, mask, isCausal, scale);
      const rows = tf.all(tf.equal(all, -Infinity), -1, true);
      return [output, where(rows, 0, F.softmax(all, { dim: -1 }))];
    },
  "_scaled_dot_product_flash_attention_for_cpu(query, key, value, dropout_p, is_causal, attn_mask, scale)":
    (
      query: tf.Tensor,
      key: tf.Tensor,
      value: tf.Tensor,
      dropoutP = 0,
      isCausal = false,
      mask: Maybe = null,
      scale: number | null = null,
    ) => [
      attend(query, key, value, mask, dropoutP, isCausal, scale),
      logSums(query, key, mask, isCausal, scale),
    ],
  "_scaled_dot_product_flash_attention(query, key, value, dropout_p, is_causal, return_debug_mask, scale)":
    (query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, ...rest: Rest) =>
      fused(query, key, value, null, ...rest),
  "_scaled_dot_product_efficient_attention(query, key, value, attn_bias, compute_log_sumexp, dropout_p, is_causal, scale)":
    (
      query: tf.Tensor,
      key: tf.Tensor,
      value: tf.Tensor,
      bias: Maybe,
      _logSums: boolean,
      dropoutP = 0,
      isCausal = false,
      scale: number | null = null,
    ) => [
      attend(query, key, value, bias, dropoutP, isCausal, scale),
      logSums(query, key, bias, isCausal, scale),
      none(),
      none(),
    ],
  "_scaled_dot_product_cudnn_attention(query, key, value, attn_bias, compute_log_sumexp, dropout_p, is_causal, return_debug_mask, scale)":
    (query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, bias: Maybe, _logSums: boolean, ...rest: Rest) =>
      fused(query, key, value, bias, ...rest), // prettier-ignore
  "_scaled_dot_product_fused_attention_overrideable(query, key, value, attn_bias, dropout_p, is_causal, return_debug_mask, scale)":
    fused,
  "_native_multi_head_attention(query, key, value, embed_dim, num_head, qkv_weight, qkv_bias, proj_weight, proj_bias, mask, need_weights, average_attn_weights, mask_type)":
    multiHead,
  "_transformer_encoder_layer_fwd(src, embed_dim, num_heads, qkv_weight, qkv_bias, proj_weight, proj_bias, use_gelu, norm_first, eps, norm_weight_1, norm_bias_1, norm_weight_2, norm_bias_2, ffn_weight_1, ffn_bias_1, ffn_weight_2, ffn_bias_2, mask, mask_type)":
    encoderLayer,
});

type Rest = [dropoutP?: number, isCausal?: boolean, debug?: boolean, scale?: number | null];

/**
 * The results of the fused kernels: the output, the log sums, and what only a backward pass reads.
 */
function fused(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  bias: Maybe = null,
  dropoutP = 0,
  isCausal = false,
  _debug = false,
  scale: number | null = null,
): unknown[] {
  return [
    attend(query, key, value, bias, dropoutP, isCausal, scale),
    logSums(query, key, bias, isCausal, scale),
    none(), none(), query.shape.at(-2)!, key.shape.at(-2)!, none(), none(), none(),
  ]; // prettier-ignore
}
