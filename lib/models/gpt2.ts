import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { add } from "../functional/arithmetic.js";
import * as F from "../functional/index.js";
import { split, transpose } from "./moves.js";
import { Dropout, Embedding, LayerNorm, Linear } from "../layers/index.js";
import { Empty, init, Module, ModuleList, Parameter } from "../module/index.js";
import { activation, checkHeads, initialise, loadOldKeys, readConfig } from "./hugging-face.js";

/** The entries of a `config.json`; the defaults are those of gpt2, the smallest model. */
export interface GPT2Config {
  /** Default: 50257. */
  vocab_size: number;
  /** The longest sequence. Default: 1024. */
  n_positions: number;
  /** Default: 768. */
  n_embd: number;
  /** Default: 12. */
  n_layer: number;
  /** Default: 12. */
  n_head: number;
  /** Default: `null`, four times `n_embd`. */
  n_inner: number | null;
  /** Default: `"gelu_new"`. */
  activation_function: string;
  /** The probability of dropping a feature of a branch in training. Default: 0.1. */
  resid_pdrop: number;
  /** The probability of dropping a feature of an embedding in training. Default: 0.1. */
  embd_pdrop: number;
  /** The probability of dropping an attention weight in training. Default: 0.1. */
  attn_pdrop: number;
  /** Default: 1e-5. */
  layer_norm_epsilon: number;
  /** Default: 0.02. */
  initializer_range: number;
  /** Divide scores by √(features of a head). Default: `true`. */
  scale_attn_weights: boolean;
  /** Divide scores by the number of the layer too. Default: `false`. */
  scale_attn_by_inverse_layer_idx: boolean;
  /** Use the embedding's weight for the head. Default: `true`. */
  tie_word_embeddings: boolean;
}

const SMALL: GPT2Config = {
  vocab_size: 50257,
  n_positions: 1024,
  n_embd: 768,
  n_layer: 12,
  n_head: 12,
  n_inner: null,
  activation_function: "gelu_new",
  resid_pdrop: 0.1,
  embd_pdrop: 0.1,
  attn_pdrop: 0.1,
  layer_norm_epsilon: 1e-5,
  initializer_range: 0.02,
  scale_attn_weights: true,
  scale_attn_by_inverse_layer_idx: false,
  tie_word_embeddings: true,
};

const readGPT2 = (where: string, config: Readonly<Partial<GPT2Config>>): GPT2Config =>
  readConfig(where, SMALL, config, { add_cross_attention: [false] });

/** A Linear layer whose weight is transposed, `(in, out)`. */
class Conv1D extends Module {
  static override readonly name: string = "Conv1D";

  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(
    readonly nf: number,
    readonly nx: number,
  ) {
    super();
    this.weight = new Parameter(new Empty([nx, nf]));
    this.bias = new Parameter(new Empty([nf]));
    init.zeros_(this.bias);
    init.normal_(this.weight, { std: 0.02 });
  }

  /** `(*, nx)` → `(*, nf)`. */
  override forward(x: tf.Tensor): tf.Tensor {
    return F.linear(x, transpose(this.weight, [1, 0]), { bias: this.bias });
  }

  override extraRepr(): string {
    return `nf=${this.nf}, nx=${this.nx}`;
  }
}

class GPT2Attention extends Module {
  static override readonly name: string = "GPT2Attention";

  readonly c_attn: Conv1D;
  readonly c_proj: Conv1D;
  readonly attn_dropout: Dropout;
  readonly resid_dropout: Dropout;
  readonly heads: number;
  readonly scale: number;

  constructor(config: GPT2Config, layer: number) {
    super();
    const { n_embd: dim, n_head: heads } = config;
    checkHeads("GPT2Model", dim, heads);
    this.heads = heads;
    this.scale =
      (config.scale_attn_weights ? 1 / Math.sqrt(dim / heads) : 1) /
      (config.scale_attn_by_inverse_layer_idx ? layer + 1 : 1);
    this.c_attn = new Conv1D(3 * dim, dim);
    this.c_proj = new Conv1D(dim, dim);
    this.attn_dropout = new Dropout({ p: config.attn_pdrop });
    this.resid_dropout = new Dropout({ p: config.resid_pdrop });
  }

  override forward(x: tf.Tensor, attnMask: tf.Tensor | null): tf.Tensor {
    const [batch, length, dim] = x.shape as [number, number, number];
    const { heads, scale } = this;
    // (B, T, 3D) -> 3 of (B, T, D) -> (B, T, H, D/H) -> (B, H, T, D/H)
    const [q, k, v] = split(this.c_attn(x), 3, 2).map((y) =>
      transpose(tf.reshape(y, [batch, length, heads, dim / heads]), [0, 2, 1, 3]),
    );
    const dropoutP = this.training ? this.attn_dropout.p : 0;
    const isCausal = attnMask === null;
    const options = { attnMask, isCausal, scale, dropoutP };
    const y = F.scaledDotProductAttention(q!, k!, v!, options);
    const joined = tf.reshape(transpose(y, [0, 2, 1, 3]), [batch, length, dim]);
    return this.resid_dropout(this.c_proj(joined));
  }
}

class GPT2MLP extends Module {
  static override readonly name: string = "GPT2MLP";

  readonly c_fc: Conv1D;
  readonly c_proj: Conv1D;
  readonly act: Module;
  readonly dropout: Dropout;

  constructor(config: GPT2Config) {
    super();
    const { n_embd: dim, n_inner: inner } = config;
    this.c_fc = new Conv1D(inner ?? 4 * dim, dim);
    this.c_proj = new Conv1D(dim, inner ?? 4 * dim);
    this.act = activation("GPT2Model", config.activation_function);
    this.dropout = new Dropout({ p: config.resid_pdrop });
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.dropout(this.c_proj(this.act(this.c_fc(x)) as tf.Tensor));
  }
}

/** A transformer layer with normalisation first. */
class GPT2Block extends Module {
  static override readonly name: string = "GPT2Block";

  readonly ln_1: LayerNorm;
  readonly attn: GPT2Attention;
  readonly ln_2: LayerNorm;
  readonly mlp: GPT2MLP;

  constructor(config: GPT2Config, layer: number) {
    super();
    const { n_embd: dim, layer_norm_epsilon: eps } = config;
    this.ln_1 = new LayerNorm(dim, { eps });
    this.attn = new GPT2Attention(config, layer);
    this.ln_2 = new LayerNorm(dim, { eps });
    this.mlp = new GPT2MLP(config);
  }

  override forward(x: tf.Tensor, attnMask: tf.Tensor | null): tf.Tensor {
    x = add(this.attn(this.ln_1(x), attnMask), x);
    return add(x, this.mlp(this.ln_2(x)));
  }
}

export interface GPT2ModelOptions {
  /** `(B, T)`: 1 for tokens, 0 for padding. Default: all are tokens. */
  attentionMask?: tf.Tensor | null;
}

/** The output of `GPT2Model`. */
export interface GPT2ModelOutput {
  /** `(B, T, n_embd)`. */
  last_hidden_state: tf.Tensor;
}

/** The output of `GPT2LMHeadModel`. */
export interface GPT2LMHeadModelOutput {
  /** `(B, T, vocab_size)`: for each position, logits of the next token. */
  logits: tf.Tensor;
}

/**
 * Hugging Face's `GPT2Model`, with its keys; a token attends to itself and those before it. Takes a
 * `config.json` as it is, and checkpoints of models with a head too, as transformers does.
 *
 * Shapes: tokens `(B, T)` of int32 → `last_hidden_state` `(B, T, n_embd)`.
 *
 * @see https://huggingface.co/docs/transformers/model_doc/gpt2
 */
export class GPT2Model extends Module {
  static override readonly name: string = "GPT2Model";

  readonly wte: Embedding;
  readonly wpe: Embedding;
  readonly drop: Dropout;
  readonly h: ModuleList;
  readonly ln_f: LayerNorm;

  constructor(config: Readonly<Partial<GPT2Config>> = {}) {
    super();
    const read = readGPT2("GPT2Model", config);
    const { n_embd: dim, n_layer: length } = read;
    this.wte = new Embedding(read.vocab_size, dim);
    this.wpe = new Embedding(read.n_positions, dim);
    this.drop = new Dropout({ p: read.embd_pdrop });
    this.h = new ModuleList(Array.from({ length }, (_, layer) => new GPT2Block(read, layer)));
    this.ln_f = new LayerNorm(dim, { eps: read.layer_norm_epsilon });
    this.apply((module) => initialiseGPT2(module, read));
    // Checkpoints of earlier versions contain the causal mask of each layer.
    const isMask = /^h\.\d+\.attn\.(masked_)?bias$/;
    loadOldKeys(this, "transformer", (key) => (isMask.test(key) ? null : key));
  }

  override forward(ids: tf.Tensor, options?: GPT2ModelOptions): GPT2ModelOutput {
    const defaults: Required<GPT2ModelOptions> = { attentionMask: null };
    const { attentionMask } = readOptions("GPT2Model", defaults, options);
    const length = ids.shape[1]!;
    let x = add(this.wte(ids), this.wpe(tf.range(0, length, 1, "int32")));
    x = this.drop(x);
    const mask = attentionMask && causalMask(attentionMask);
    for (const block of this.h) x = block(x, mask) as tf.Tensor;
    return { last_hidden_state: this.ln_f(x) };
  }
}

/** `(B, T)`, 1 for tokens → `(B, 1, T, T)`: which tokens each token may attend to. */
function causalMask(attentionMask: tf.Tensor): tf.Tensor {
  const [batch, length] = attentionMask.shape as [number, number];
  const positions = tf.range(0, length, 1, "int32");
  const before = tf.greaterEqual(tf.reshape(positions, [length, 1]), positions);
  const given = tf.reshape(tf.cast(attentionMask, "bool"), [batch, 1, 1, length]);
  return tf.logicalAnd(given, before);
}

/** Projections into the residual stream start with smaller weights, the more layers there are. */
function initialiseGPT2(
  module: Module,
  { initializer_range: std, n_layer: layers }: GPT2Config,
): void {
  initialise(module, std);
  if (module instanceof Conv1D) {
    init.normal_(module.weight, { std });
    init.zeros_(module.bias);
  }
  if (module instanceof GPT2Attention || module instanceof GPT2MLP) {
    init.normal_(module.c_proj.weight, { std: std / Math.sqrt(2 * layers) });
  }
}

/**
 * Hugging Face's `GPT2LMHeadModel`, with its keys: `GPT2Model` and logits of the next token. Takes
 * a `config.json` as it is, and checkpoints of `GPT2Model` too, as transformers does.
 *
 * Shapes: tokens `(B, T)` of int32 → `logits` `(B, T, vocab_size)`.
 *
 * @see https://huggingface.co/docs/transformers/model_doc/gpt2
 */
export class GPT2LMHeadModel extends Module {
  static override readonly name: string = "GPT2LMHeadModel";

  readonly transformer: GPT2Model;
  readonly lm_head: Linear;

  constructor(config: Readonly<Partial<GPT2Config>> = {}) {
    super();
    const read = readGPT2("GPT2LMHeadModel", config);
    this.transformer = new GPT2Model(read);
    this.lm_head = new Linear(read.n_embd, read.vocab_size, { bias: false });
    initialise(this.lm_head, read.initializer_range);
    if (read.tie_word_embeddings) {
      this.lm_head.weight.dispose();
      this.lm_head.weight = this.transformer.wte.weight;
    }
    this.registerLoadStateDictPreHook((state, prefix) => {
      const own = [...state].filter(([key]) => key.startsWith(prefix));
      const isBase = !own.some(([key]) => key.startsWith(`${prefix}transformer.`));
      for (const [key, value] of isBase ? own : []) {
        if (key === `${prefix}lm_head.weight`) continue;
        state.delete(key);
        state.set(`${prefix}transformer.${key.slice(prefix.length)}`, value);
      }
    });
  }

  override forward(ids: tf.Tensor, options?: GPT2ModelOptions): GPT2LMHeadModelOutput {
    return { logits: this.lm_head(this.transformer(ids, options).last_hidden_state) };
  }
}
