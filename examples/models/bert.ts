import * as tf from "@tensorflow/tfjs-core";
import * as F from "sconce/functional";
import type { BertConfig, BertModel } from "sconce/models";

/** The configuration of all-MiniLM-L6-v2, from its `config.json`. */
export const MINILM: Partial<BertConfig> = {
  hidden_size: 384,
  num_hidden_layers: 6,
  num_attention_heads: 12,
  intermediate_size: 1536,
};

/** Sentence vectors of length 1, `(B, D)`: the normalised mean of the vectors of their tokens. */
export function embedSentences(
  model: BertModel,
  ids: tf.Tensor,
  attentionMask: tf.Tensor,
): tf.Tensor {
  return tf.tidy(() => {
    const { last_hidden_state: hidden } = model(ids, { attentionMask });
    const weight = tf.expandDims(tf.cast(attentionMask, "float32"), 2);
    const sum = tf.sum(tf.mul(hidden, weight), 1);
    return F.normalize(tf.div(sum, tf.maximum(tf.sum(weight, 1), 1e-9)), { dim: 1 });
  });
}
