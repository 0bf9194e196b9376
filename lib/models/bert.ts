import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { add } from "../functional/arithmetic.js";
import * as F from "../functional/index.js";
import { transpose } from "./moves.js";
import { Dropout, Embedding, LayerNorm, Linear, Tanh } from "../layers/index.js";
import { Module, ModuleList } from "../module/index.js";
import { activation, checkHeads, initialise, loadOldKeys, readConfig } from "./hugging-face.js";

/** The entries of a `config.json`; the defaults are those of bert-base-uncased. */
export interface BertConfig {
  /** Default: 30522. */
  vocab_size: number;
  /** Default: 768. */
  hidden_size: number;
  /** Default: 12. */
  num_hidden_layers: number;
  /** Default: 12. */
  num_attention_heads: number;
  /** Default: 3072. */
  intermediate_size: number;
  /** Default: `"gelu"`. */
  hidden_act: string;
  /** The probability of dropping a feature in training. Default: 0.1. */
  hidden_dropout_prob: number;
  /** The probability of dropping an attention weight in training. Default: 0.1. */
  attention_probs_dropout_prob: number;
  /** The longest sequence. Default: 512. */
  max_position_embeddings: number;
  /** Default: 2. */
  type_vocab_size: number;
  /** Default: 0.02. */
  initializer_range: number;
  /** Default: 1e-12. */
  layer_norm_eps: number;
  /** Default: 0. */
  pad_token_id: number | null;
}

const BASE: BertConfig = {
  vocab_size: 30522,
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
  hidden_act: "gelu",
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  max_position_embeddings: 512,
  type_vocab_size: 2,
  initializer_range: 0.02,
  layer_norm_eps: 1e-12,
  pad_token_id: 0,
};

const UNSUPPORTED = {
  is_decoder: [false],
  add_cross_attention: [false],
  position_embedding_type: ["absolute", null],
};

class BertEmbeddings extends Module {
  static override readonly name: string = "BertEmbeddings";

  readonly word_embeddings: Embedding;
  readonly position_embeddings: Embedding;
  readonly token_type_embeddings: Embedding;
  readonly LayerNorm: LayerNorm;
  readonly dropout: Dropout;

  constructor(config: BertConfig) {
    super();
    const { hidden_size: dim, max_position_embeddings: length, pad_token_id: paddingIdx } = config;
    this.word_embeddings = new Embedding(config.vocab_size, dim, { paddingIdx });
    this.position_embeddings = new Embedding(length, dim);
    this.token_type_embeddings = new Embedding(config.type_vocab_size, dim);
    this.LayerNorm = new LayerNorm(dim, { eps: config.layer_norm_eps });
    this.dropout = new Dropout({ p: config.hidden_dropout_prob });
  }

  override forward(ids: tf.Tensor, tokenTypeIds: tf.Tensor | null): tf.Tensor {
    const positions = tf.range(0, ids.shape[1]!, 1, "int32");
    const types = this.token_type_embeddings(tokenTypeIds ?? tf.zerosLike(ids));
    const x = add(add(this.word_embeddings(ids), types), this.position_embeddings(positions));
    return this.dropout(this.LayerNorm(x));
  }
}

class BertSelfAttention extends Module {
  static override readonly name: string = "BertSelfAttention";

  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly dropout: Dropout;
  readonly heads: number;

  constructor({
    hidden_size: dim,
    num_attention_heads: heads,
    attention_probs_dropout_prob: p,
  }: BertConfig) {
    super();
    checkHeads("BertModel", dim, heads);
    this.heads = heads;
    this.query = new Linear(dim, dim);
    this.key = new Linear(dim, dim);
    this.value = new Linear(dim, dim);
    this.dropout = new Dropout({ p });
  }

  override forward(x: tf.Tensor, attnMask: tf.Tensor | null): tf.Tensor {
    const [batch, length, dim] = x.shape as [number, number, number];
    // (B, T, D) -> (B, T, H, D/H) -> (B, H, T, D/H)
    const split = (y: tf.Tensor): tf.Tensor =>
      transpose(tf.reshape(y, [batch, length, this.heads, dim / this.heads]), [0, 2, 1, 3]);
    const [q, k, v] = [this.query(x), this.key(x), this.value(x)].map(split);
    const dropoutP = this.training ? this.dropout.p : 0;
    const y = F.scaledDotProductAttention(q!, k!, v!, { attnMask, dropoutP });
    return tf.reshape(transpose(y, [0, 2, 1, 3]), [batch, length, dim]);
  }
}

/** A projection, a residual connection and a normalisation. */
class BertSelfOutput extends Module {
  static override readonly name: string = "BertSelfOutput";

  readonly dense: Linear;
  readonly LayerNorm: LayerNorm;
  readonly dropout: Dropout;

  constructor(config: BertConfig, inFeatures = config.hidden_size) {
    super();
    this.dense = new Linear(inFeatures, config.hidden_size);
    this.LayerNorm = new LayerNorm(config.hidden_size, { eps: config.layer_norm_eps });
    this.dropout = new Dropout({ p: config.hidden_dropout_prob });
  }

  override forward(x: tf.Tensor, residual: tf.Tensor): tf.Tensor {
    return this.LayerNorm(add(this.dropout(this.dense(x)), residual));
  }
}

class BertOutput extends BertSelfOutput {
  static override readonly name: string = "BertOutput";

  constructor(config: BertConfig) {
    super(config, config.intermediate_size);
  }
}

class BertAttention extends Module {
  static override readonly name: string = "BertAttention";

  readonly self: BertSelfAttention;
  readonly output: BertSelfOutput;

  constructor(config: BertConfig) {
    super();
    this.self = new BertSelfAttention(config);
    this.output = new BertSelfOutput(config);
  }

  override forward(x: tf.Tensor, attnMask: tf.Tensor | null): tf.Tensor {
    return this.output(this.self(x, attnMask), x);
  }
}

class BertIntermediate extends Module {
  static override readonly name: string = "BertIntermediate";

  readonly dense: Linear;
  readonly intermediate_act_fn: Module;

  constructor(config: BertConfig) {
    super();
    this.dense = new Linear(config.hidden_size, config.intermediate_size);
    this.intermediate_act_fn = activation("BertModel", config.hidden_act);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.intermediate_act_fn(this.dense(x)) as tf.Tensor;
  }
}

class BertLayer extends Module {
  static override readonly name: string = "BertLayer";

  readonly attention: BertAttention;
  readonly intermediate: BertIntermediate;
  readonly output: BertOutput;

  constructor(config: BertConfig) {
    super();
    this.attention = new BertAttention(config);
    this.intermediate = new BertIntermediate(config);
    this.output = new BertOutput(config);
  }

  override forward(x: tf.Tensor, attnMask: tf.Tensor | null): tf.Tensor {
    const y = this.attention(x, attnMask);
    return this.output(this.intermediate(y), y);
  }
}

class BertEncoder extends Module {
  static override readonly name: string = "BertEncoder";

  readonly layer: ModuleList;

  constructor(config: BertConfig) {
    super();
    const layers = Array.from({ length: config.num_hidden_layers }, () => new BertLayer(config));
    this.layer = new ModuleList(layers);
  }

  override forward(x: tf.Tensor, attnMask: tf.Tensor | null): tf.Tensor {
    for (const layer of this.layer) x = layer(x, attnMask) as tf.Tensor;
    return x;
  }
}

class BertPooler extends Module {
  static override readonly name: string = "BertPooler";

  readonly dense: Linear;
  readonly activation = new Tanh();

  constructor({ hidden_size: dim }: BertConfig) {
    super();
    this.dense = new Linear(dim, dim);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const [batch, , dim] = x.shape as [number, number, number];
    const first = tf.reshape(tf.slice(x, [0, 0, 0], [batch, 1, dim]), [batch, dim]);
    return this.activation(this.dense(first));
  }
}

export interface BertModelOptions {
  /** `(B, T)`: 1 for tokens, 0 for padding. Default: all are tokens. */
  attentionMask?: tf.Tensor | null;
  /** `(B, T)` of int32: the sentence (0 or 1) that each token belongs to. Default: 0. */
  tokenTypeIds?: tf.Tensor | null;
}

/** The output of `BertModel`: a vector for each token, and the pooled vector of the first. */
export interface BertModelOutput {
  /** `(B, T, hidden_size)`. */
  last_hidden_state: tf.Tensor;
  /** `(B, hidden_size)`; `null` without a pooling layer. */
  pooler_output: tf.Tensor | null;
}

/**
 * Hugging Face's `BertModel`, with its keys. Takes a `config.json` as it is, and checkpoints of
 * models with a head too (`bert.` before the keys), as transformers does.
 *
 * Shapes: tokens `(B, T)` of int32 → `last_hidden_state` `(B, T, hidden_size)`, `pooler_output`
 * `(B, hidden_size)`.
 *
 * @throws if the config asks for a decoder, or for positions that are not absolute.
 * @see https://huggingface.co/docs/transformers/model_doc/bert
 */
export class BertModel extends Module {
  static override readonly name: string = "BertModel";

  readonly embeddings: BertEmbeddings;
  readonly encoder: BertEncoder;
  readonly pooler: BertPooler | null;

  /** `addPoolingLayer` (default `true`): whether there is a `pooler_output`. */
  constructor(config: Readonly<Partial<BertConfig>> = {}, options?: { addPoolingLayer?: boolean }) {
    super();
    const { addPoolingLayer } = readOptions("BertModel", { addPoolingLayer: true }, options);
    const read = readConfig("BertModel", BASE, config, UNSUPPORTED);
    this.embeddings = new BertEmbeddings(read);
    this.encoder = new BertEncoder(read);
    this.pooler = addPoolingLayer ? new BertPooler(read) : null;
    this.apply((module) => initialise(module, read.initializer_range));
    loadOldKeys(this, "bert", (key) => {
      if (key === "embeddings.position_ids") return null;
      if (!addPoolingLayer && key.startsWith("pooler.")) return null;
      return key
        .replace(/LayerNorm\.gamma$/, "LayerNorm.weight")
        .replace(/LayerNorm\.beta$/, "LayerNorm.bias");
    });
  }

  override forward(ids: tf.Tensor, options?: BertModelOptions): BertModelOutput {
    const defaults = { attentionMask: null, tokenTypeIds: null };
    const read = readOptions<Required<BertModelOptions>>("BertModel", defaults, options);
    const { attentionMask, tokenTypeIds } = read;
    const mask = attentionMask && tf.cast(attentionMask, "bool");
    const attnMask = mask && tf.reshape(mask, [mask.shape[0], 1, 1, mask.shape[1]!]);
    const hidden = this.encoder(this.embeddings(ids, tokenTypeIds), attnMask);
    return { last_hidden_state: hidden, pooler_output: this.pooler && this.pooler(hidden) };
  }
}
