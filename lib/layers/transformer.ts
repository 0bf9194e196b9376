import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { generateSquareSubsequentMask } from "../functional/attention-masks.js";
import { init, Module } from "../module/index.js";
import { LayerNorm } from "./normalization.js";
import {
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
} from "./transformer-layers.js";
import { TransformerDecoder, TransformerEncoder } from "./transformer-stacks.js";

type Mask = tf.Tensor | null;

export interface TransformerOptions extends TransformerLayerOptions {
  /** Features. Default: 512. */
  dModel?: number;
  /** Attention heads. Default: 8. */
  nhead?: number;
  /** Default: 6. */
  numEncoderLayers?: number;
  /** Default: 6. */
  numDecoderLayers?: number;
  /** A module to use instead of the encoder. Default: `null`. */
  customEncoder?: Module | null;
  /** A module to use instead of the decoder. Default: `null`. */
  customDecoder?: Module | null;
}

export interface TransformerCallOptions {
  /** `(S, S)` or `(N·nhead, S, S)`: bool (`true`: not allowed) or float (added). Default: `null`. */
  srcMask?: Mask;
  /** `(T, T)` or `(N·nhead, T, T)`: bool (`true`: not allowed) or float (added). Default: `null`. */
  tgtMask?: Mask;
  /** `(T, S)` or `(N·nhead, T, S)`: bool (`true`: not allowed) or float (added). Default: `null`. */
  memoryMask?: Mask;
  /** `(N, S)` or `(S)`: bool (`true`: ignored) or float (added). Default: `null`. */
  srcKeyPaddingMask?: Mask;
  /** `(N, T)` or `(T)`: bool (`true`: ignored) or float (added). Default: `null`. */
  tgtKeyPaddingMask?: Mask;
  /** `(N, S)` or `(S)`: bool (`true`: ignored) or float (added). Default: `null`. */
  memoryKeyPaddingMask?: Mask;
  /** A hint that `srcMask` is the causal mask. Default: `null`, none. */
  srcIsCausal?: boolean | null;
  /** A hint that `tgtMask` is the causal mask. Default: `null`, none. */
  tgtIsCausal?: boolean | null;
  /** A hint that `memoryMask` is the causal mask. Default: `false`. */
  memoryIsCausal?: boolean;
}

/**
 * An encoder and a decoder of transformer layers.
 *
 * Shapes: src `(S, N, dModel)`, tgt `(T, N, dModel)` (batch first: N before; unbatched: without) →
 * as tgt.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Transformer.html
 */
export class Transformer extends Module {
  static override readonly name: string = "Transformer";

  encoder: Module;
  decoder: Module;
  readonly dModel: number;
  readonly nhead: number;
  readonly batchFirst: boolean;

  constructor(options?: TransformerOptions) {
    super();
    const read = readOptions<Required<TransformerOptions>>(
      this.constructor.name,
      {
        ...{ dModel: 512, nhead: 8, numEncoderLayers: 6, numDecoderLayers: 6 },
        ...{ dimFeedforward: 2048, dropout: 0.1, activation: "relu", layerNormEps: 1e-5 },
        ...{ batchFirst: false, normFirst: false, bias: true },
        ...{ customEncoder: null, customDecoder: null },
      },
      options,
    );
    const { dModel, nhead, bias, layerNormEps: eps } = read;
    const layer = {
      dimFeedforward: read.dimFeedforward,
      dropout: read.dropout,
      activation: read.activation,
      layerNormEps: eps,
      batchFirst: read.batchFirst,
      normFirst: read.normFirst,
      bias,
    };
    const norm = (): LayerNorm => new LayerNorm(dModel, { eps, bias });
    this.encoder =
      read.customEncoder ??
      new TransformerEncoder(
        new TransformerEncoderLayer(dModel, nhead, layer),
        read.numEncoderLayers,
        { norm: norm() },
      );
    this.decoder =
      read.customDecoder ??
      new TransformerDecoder(
        new TransformerDecoderLayer(dModel, nhead, layer),
        read.numDecoderLayers,
        { norm: norm() },
      );
    this.dModel = dModel;
    this.nhead = nhead;
    this.batchFirst = read.batchFirst;
    this.resetParameters();
  }

  resetParameters(): void {
    for (const parameter of this.parameters()) {
      if (parameter.rank > 1) init.xavierUniform_(parameter);
    }
  }

  override forward(src: tf.Tensor, tgt: tf.Tensor, options?: TransformerCallOptions): tf.Tensor {
    const read = readOptions<Required<TransformerCallOptions>>(
      this.constructor.name,
      {
        ...{ srcMask: null, tgtMask: null, memoryMask: null },
        ...{ srcKeyPaddingMask: null, tgtKeyPaddingMask: null, memoryKeyPaddingMask: null },
        ...{ srcIsCausal: null, tgtIsCausal: null, memoryIsCausal: false },
      },
      options,
    );
    const batch = this.batchFirst ? 0 : 1;
    if (src.rank === 3 && src.shape[batch] !== tgt.shape[batch]) {
      throw new Error(
        "the batch number of src and tgt must be equal, " +
          `got ${src.shape[batch]} and ${tgt.shape[batch]}`,
      );
    }
    if (src.shape.at(-1) !== this.dModel || tgt.shape.at(-1) !== this.dModel) {
      throw new Error(
        `the feature number of src and tgt must be equal to d_model, ${this.dModel}, ` +
          `got ${src.shape.at(-1)} and ${tgt.shape.at(-1)}`,
      );
    }
    const { srcMask: mask, srcKeyPaddingMask, srcIsCausal: isCausal, tgtIsCausal } = read;
    const memory = this.encoder(src, { mask, srcKeyPaddingMask, isCausal }) as tf.Tensor;
    return this.decoder(tgt, memory, {
      tgtMask: read.tgtMask,
      memoryMask: read.memoryMask,
      tgtKeyPaddingMask: read.tgtKeyPaddingMask,
      memoryKeyPaddingMask: read.memoryKeyPaddingMask,
      tgtIsCausal: tgtIsCausal === true,
      memoryIsCausal: read.memoryIsCausal,
    }) as tf.Tensor;
  }

  /** `(size, size)` to add to attention's scores: 0 on and below the diagonal, -∞ above. */
  static generateSquareSubsequentMask(size: number): tf.Tensor2D {
    return generateSquareSubsequentMask(size);
  }
}
