import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { add } from "../functional/arithmetic.js";
import * as F from "../functional/index.js";
import { Module } from "../module/index.js";
import { Dropout } from "./dropout.js";
import { Linear } from "./linear.js";
import { MultiheadAttention } from "./multi-head-attention.js";
import { LayerNorm } from "./normalization.js";

type Mask = tf.Tensor | null;

export interface TransformerLayerOptions {
  /** Default: 2048. */
  dimFeedforward?: number;
  /** Default: 0.1. */
  dropout?: number;
  /** Of the feed-forward network. Default: `"relu"`. */
  activation?: "relu" | "gelu" | ((x: tf.Tensor) => tf.Tensor);
  /** Default: 1e-5. */
  layerNormEps?: number;
  /** `(N, S, E)` instead of `(S, N, E)`. Default: `false`. */
  batchFirst?: boolean;
  /** Normalise before attention and feed-forward, not after. Default: `false`. */
  normFirst?: boolean;
  /** Learn additive biases. Default: `true`. */
  bias?: boolean;
}

const LAYER: Required<TransformerLayerOptions> = {
  dimFeedforward: 2048,
  dropout: 0.1,
  activation: "relu",
  layerNormEps: 1e-5,
  batchFirst: false,
  normFirst: false,
  bias: true,
};

function activationOf(
  name: Required<TransformerLayerOptions>["activation"],
): (x: tf.Tensor) => tf.Tensor {
  if (typeof name === "function") return name;
  if (name === "relu") return F.relu;
  if (name === "gelu") return F.gelu;
  throw new Error(`activation should be relu/gelu, not ${String(name)}`);
}

export interface EncoderLayerCallOptions {
  /** `(S, S)` or `(N·nhead, S, S)`: bool (`true`: not allowed) or float (added). Default: `null`. */
  srcMask?: Mask;
  /** `(N, S)` or `(S)`: bool (`true`: ignored) or float (added). Default: `null`. */
  srcKeyPaddingMask?: Mask;
  /** A hint that `srcMask` is the causal mask. Default: `false`. */
  isCausal?: boolean;
}

/**
 * Self-attention and a feed-forward network, each with a shortcut and a LayerNorm.
 *
 * Shapes: `(S, N, dModel)`, batch first `(N, S, dModel)`, unbatched `(S, dModel)` → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html
 */
export class TransformerEncoderLayer extends Module {
  static override readonly name: string = "TransformerEncoderLayer";

  self_attn: MultiheadAttention;
  linear1: Linear;
  dropout: Dropout;
  linear2: Linear;
  readonly normFirst: boolean;
  norm1: LayerNorm;
  norm2: LayerNorm;
  dropout1: Dropout;
  dropout2: Dropout;
  readonly activation: (x: tf.Tensor) => tf.Tensor;

  constructor(dModel: number, nhead: number, options?: TransformerLayerOptions) {
    super();
    const read = readOptions(this.constructor.name, LAYER, options);
    const { dimFeedforward, dropout: p, layerNormEps: eps, batchFirst, bias } = read;
    this.self_attn = new MultiheadAttention(dModel, nhead, { dropout: p, bias, batchFirst });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.dropout = new Dropout({ p });
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.normFirst = read.normFirst;
    this.norm1 = new LayerNorm(dModel, { eps, bias });
    this.norm2 = new LayerNorm(dModel, { eps, bias });
    this.dropout1 = new Dropout({ p });
    this.dropout2 = new Dropout({ p });
    this.activation = activationOf(read.activation);
  }

  override forward(src: tf.Tensor, options?: EncoderLayerCallOptions): tf.Tensor {
    const defaults: Required<EncoderLayerCallOptions> = {
      srcMask: null,
      srcKeyPaddingMask: null,
      isCausal: false,
    };
    const read = readOptions(this.constructor.name, defaults, options);
    const attend = (x: tf.Tensor): tf.Tensor => this.attend(x, read);
    const feed = (x: tf.Tensor): tf.Tensor => this.feed(x);
    if (this.normFirst) {
      const x = add(src, attend(this.norm1(src)));
      return add(x, feed(this.norm2(x)));
    }
    const x = this.norm1(add(src, attend(src)));
    return this.norm2(add(x, feed(x)));
  }

  private attend(
    x: tf.Tensor,
    { srcMask, srcKeyPaddingMask, isCausal }: Required<EncoderLayerCallOptions>,
  ): tf.Tensor {
    const [y] = this.self_attn(x, x, x, {
      attnMask: srcMask,
      keyPaddingMask: srcKeyPaddingMask,
      isCausal,
      needWeights: false,
    });
    return this.dropout1(y);
  }

  private feed(x: tf.Tensor): tf.Tensor {
    return this.dropout2(this.linear2(this.dropout(this.activation(this.linear1(x)))));
  }
}

export interface DecoderLayerCallOptions {
  /** `(T, T)` or `(N·nhead, T, T)`: bool (`true`: not allowed) or float (added). Default: `null`. */
  tgtMask?: Mask;
  /** `(T, S)` or `(N·nhead, T, S)`: bool (`true`: not allowed) or float (added). Default: `null`. */
  memoryMask?: Mask;
  /** `(N, T)` or `(T)`: bool (`true`: ignored) or float (added). Default: `null`. */
  tgtKeyPaddingMask?: Mask;
  /** `(N, S)` or `(S)`: bool (`true`: ignored) or float (added). Default: `null`. */
  memoryKeyPaddingMask?: Mask;
  /** A hint that `tgtMask` is the causal mask. Default: `false`. */
  tgtIsCausal?: boolean;
  /** A hint that `memoryMask` is the causal mask. Default: `false`. */
  memoryIsCausal?: boolean;
}

/**
 * Self-attention, attention to an encoder's output and a feed-forward network, each with a shortcut
 * and a LayerNorm.
 *
 * Shapes: tgt `(T, N, dModel)`, memory `(S, N, dModel)` (batch first: N before) → as tgt.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerDecoderLayer.html
 */
export class TransformerDecoderLayer extends Module {
  static override readonly name: string = "TransformerDecoderLayer";

  self_attn: MultiheadAttention;
  multihead_attn: MultiheadAttention;
  linear1: Linear;
  dropout: Dropout;
  linear2: Linear;
  readonly normFirst: boolean;
  norm1: LayerNorm;
  norm2: LayerNorm;
  norm3: LayerNorm;
  dropout1: Dropout;
  dropout2: Dropout;
  dropout3: Dropout;
  readonly activation: (x: tf.Tensor) => tf.Tensor;

  constructor(dModel: number, nhead: number, options?: TransformerLayerOptions) {
    super();
    const read = readOptions(this.constructor.name, LAYER, options);
    const { dimFeedforward, dropout: p, layerNormEps: eps, batchFirst, bias } = read;
    const attention = { dropout: p, bias, batchFirst };
    this.self_attn = new MultiheadAttention(dModel, nhead, attention);
    this.multihead_attn = new MultiheadAttention(dModel, nhead, attention);
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.dropout = new Dropout({ p });
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.normFirst = read.normFirst;
    this.norm1 = new LayerNorm(dModel, { eps, bias });
    this.norm2 = new LayerNorm(dModel, { eps, bias });
    this.norm3 = new LayerNorm(dModel, { eps, bias });
    this.dropout1 = new Dropout({ p });
    this.dropout2 = new Dropout({ p });
    this.dropout3 = new Dropout({ p });
    this.activation = activationOf(read.activation);
  }

  override forward(
    tgt: tf.Tensor,
    memory: tf.Tensor,
    options?: DecoderLayerCallOptions,
  ): tf.Tensor {
    const defaults: Required<DecoderLayerCallOptions> = {
      ...{ tgtMask: null, memoryMask: null, tgtKeyPaddingMask: null, memoryKeyPaddingMask: null },
      ...{ tgtIsCausal: false, memoryIsCausal: false },
    };
    const read = readOptions(this.constructor.name, defaults, options);
    const attend = (x: tf.Tensor): tf.Tensor => this.attend(x, read);
    const look = (x: tf.Tensor): tf.Tensor => this.look(x, memory, read);
    const feed = (x: tf.Tensor): tf.Tensor => this.feed(x);
    if (this.normFirst) {
      let x = add(tgt, attend(this.norm1(tgt)));
      x = add(x, look(this.norm2(x)));
      return add(x, feed(this.norm3(x)));
    }
    let x = this.norm1(add(tgt, attend(tgt)));
    x = this.norm2(add(x, look(x)));
    return this.norm3(add(x, feed(x)));
  }

  private attend(x: tf.Tensor, options: Required<DecoderLayerCallOptions>): tf.Tensor {
    const [y] = this.self_attn(x, x, x, {
      attnMask: options.tgtMask,
      keyPaddingMask: options.tgtKeyPaddingMask,
      isCausal: options.tgtIsCausal,
      needWeights: false,
    });
    return this.dropout1(y);
  }

  private look(
    x: tf.Tensor,
    memory: tf.Tensor,
    options: Required<DecoderLayerCallOptions>,
  ): tf.Tensor {
    const [y] = this.multihead_attn(x, memory, memory, {
      attnMask: options.memoryMask,
      keyPaddingMask: options.memoryKeyPaddingMask,
      isCausal: options.memoryIsCausal,
      needWeights: false,
    });
    return this.dropout2(y);
  }

  private feed(x: tf.Tensor): tf.Tensor {
    return this.dropout3(this.linear2(this.dropout(this.activation(this.linear1(x)))));
  }
}
