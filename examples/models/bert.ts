import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import * as F from "sconce/functional";

/** As a Hugging Face `config.json` names them; the defaults are all-MiniLM-L6-v2's. */
export interface BertConfig {
  vocab_size: number;
  hidden_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  intermediate_size: number;
  max_position_embeddings: number;
  type_vocab_size: number;
  layer_norm_eps: number;
}

export const MINILM: BertConfig = {
  vocab_size: 30522,
  hidden_size: 384,
  num_hidden_layers: 6,
  num_attention_heads: 12,
  intermediate_size: 1536,
  max_position_embeddings: 512,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
};

class BertEmbeddings extends nn.Module {
  readonly word_embeddings: nn.Embedding;
  readonly position_embeddings: nn.Embedding;
  readonly token_type_embeddings: nn.Embedding;
  readonly LayerNorm: nn.LayerNorm;
  readonly position_ids: nn.Buffer;

  constructor(config: BertConfig) {
    super();
    const { hidden_size: dim, max_position_embeddings: length } = config;
    this.word_embeddings = new nn.Embedding(config.vocab_size, dim, { paddingIdx: 0 });
    this.position_embeddings = new nn.Embedding(length, dim);
    this.token_type_embeddings = new nn.Embedding(config.type_vocab_size, dim);
    this.LayerNorm = new nn.LayerNorm(dim, { eps: config.layer_norm_eps });
    this.position_ids = new nn.Buffer(tf.reshape(tf.range(0, length, 1, "int32"), [1, length]));
  }

  override forward(ids: tf.Tensor): tf.Tensor {
    const positions = tf.slice(this.position_ids, [0, 0], [1, ids.shape[1]!]);
    const types = this.token_type_embeddings(tf.zerosLike(ids));
    const x = tf.add(tf.add(this.word_embeddings(ids), types), this.position_embeddings(positions));
    return this.LayerNorm(x);
  }
}

class BertSelfAttention extends nn.Module {
  readonly query: nn.Linear;
  readonly key: nn.Linear;
  readonly value: nn.Linear;

  constructor(
    dim: number,
    readonly heads: number,
  ) {
    super();
    this.query = new nn.Linear(dim, dim);
    this.key = new nn.Linear(dim, dim);
    this.value = new nn.Linear(dim, dim);
  }

  override forward(x: tf.Tensor, attnMask: tf.Tensor): tf.Tensor {
    const [batch, length, dim] = x.shape as [number, number, number];
    // (B, T, D) -> (B, T, H, D/H) -> (B, H, T, D/H)
    const split = (y: tf.Tensor): tf.Tensor =>
      tf.transpose(tf.reshape(y, [batch, length, this.heads, dim / this.heads]), [0, 2, 1, 3]);
    const [q, k, v] = [this.query(x), this.key(x), this.value(x)].map(split);
    const y = F.scaledDotProductAttention(q!, k!, v!, { attnMask });
    return tf.reshape(tf.transpose(y, [0, 2, 1, 3]), [batch, length, dim]);
  }
}

/** Projects, adds what came in, and normalises. */
class BertOutput extends nn.Module {
  readonly dense: nn.Linear;
  readonly LayerNorm: nn.LayerNorm;

  constructor(inFeatures: number, config: BertConfig) {
    super();
    this.dense = new nn.Linear(inFeatures, config.hidden_size);
    this.LayerNorm = new nn.LayerNorm(config.hidden_size, { eps: config.layer_norm_eps });
  }

  override forward(x: tf.Tensor, residual: tf.Tensor): tf.Tensor {
    return this.LayerNorm(tf.add(this.dense(x), residual));
  }
}

class BertAttention extends nn.Module {
  readonly self: BertSelfAttention;
  readonly output: BertOutput;

  constructor(config: BertConfig) {
    super();
    this.self = new BertSelfAttention(config.hidden_size, config.num_attention_heads);
    this.output = new BertOutput(config.hidden_size, config);
  }

  override forward(x: tf.Tensor, attnMask: tf.Tensor): tf.Tensor {
    return this.output(this.self(x, attnMask), x);
  }
}

class BertIntermediate extends nn.Module {
  readonly dense: nn.Linear;
  readonly intermediate_act_fn = new nn.GELU();

  constructor(config: BertConfig) {
    super();
    this.dense = new nn.Linear(config.hidden_size, config.intermediate_size);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.intermediate_act_fn(this.dense(x));
  }
}

class BertLayer extends nn.Module {
  readonly attention: BertAttention;
  readonly intermediate: BertIntermediate;
  readonly output: BertOutput;

  constructor(config: BertConfig) {
    super();
    this.attention = new BertAttention(config);
    this.intermediate = new BertIntermediate(config);
    this.output = new BertOutput(config.intermediate_size, config);
  }

  override forward(x: tf.Tensor, attnMask: tf.Tensor): tf.Tensor {
    const y = this.attention(x, attnMask);
    return this.output(this.intermediate(y), y);
  }
}

class BertEncoder extends nn.Module {
  readonly layer: nn.ModuleList;

  constructor(config: BertConfig) {
    super();
    this.layer = new nn.ModuleList(
      Array.from({ length: config.num_hidden_layers }, () => new BertLayer(config)),
    );
  }

  override forward(x: tf.Tensor, attnMask: tf.Tensor): tf.Tensor {
    for (const layer of this.layer) x = layer(x, attnMask) as tf.Tensor;
    return x;
  }
}

class BertPooler extends nn.Module {
  readonly dense: nn.Linear;
  readonly activation = new nn.Tanh();

  constructor(config: BertConfig) {
    super();
    this.dense = new nn.Linear(config.hidden_size, config.hidden_size);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const [batch, , dim] = x.shape as [number, number, number];
    return this.activation(
      this.dense(tf.reshape(tf.slice(x, [0, 0, 0], [batch, 1, dim]), [batch, dim])),
    );
  }
}

/** What `BertModel` gives: every token's vector `(B, T, D)`, and the first one's, pooled, `(B, D)`. */
export interface BertOutputs {
  last_hidden_state: tf.Tensor;
  pooler_output: tf.Tensor;
}

/** Hugging Face's `BertModel`, with its keys. */
export class BertModel extends nn.Module {
  readonly embeddings: BertEmbeddings;
  readonly encoder: BertEncoder;
  readonly pooler: BertPooler;

  constructor(config: BertConfig = MINILM) {
    super();
    this.embeddings = new BertEmbeddings(config);
    this.encoder = new BertEncoder(config);
    this.pooler = new BertPooler(config);
  }

  /** Tokens `(B, T)` of int32, and `(B, T)` with 1 for what is a token and 0 for padding. */
  override forward(ids: tf.Tensor, attentionMask: tf.Tensor): BertOutputs {
    const [batch, length] = ids.shape as [number, number];
    const attnMask = tf.reshape(tf.cast(attentionMask, "bool"), [batch, 1, 1, length]);
    const hidden = this.encoder(this.embeddings(ids), attnMask);
    return { last_hidden_state: hidden, pooler_output: this.pooler(hidden) };
  }
}

/** One vector of length 1 for each sentence, `(B, D)`: the mean of its tokens' vectors. */
export function embedSentences(
  model: BertModel,
  ids: tf.Tensor,
  attentionMask: tf.Tensor,
): tf.Tensor {
  return tf.tidy(() => {
    const { last_hidden_state: hidden } = model(ids, attentionMask);
    const weight = tf.expandDims(tf.cast(attentionMask, "float32"), 2);
    const sum = tf.sum(tf.mul(hidden, weight), 1);
    return F.normalize(tf.div(sum, tf.maximum(tf.sum(weight, 1), 1e-9)), { dim: 1 });
  });
}
