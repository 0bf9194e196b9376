import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { readPaddingIdx } from "../functional/embedding.js";
import * as F from "../functional/index.js";
import { Empty, formatFloat, init, Module, Parameter, type TensorSource } from "../module/index.js";

export type EmbeddingLayerOptions = F.EmbeddingOptions;

export interface FromPretrainedOptions {
  /** Do not train the weight. Default: `true`. */
  freeze?: boolean;
}

const LAYER: Required<EmbeddingLayerOptions> = {
  paddingIdx: null,
  maxNorm: null,
  normType: 2,
  scaleGradByFreq: false,
  sparse: false,
};

/** The table of both layers, and what they look it up with. */
abstract class EmbeddingBase extends Module {
  readonly paddingIdx: number | null;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
  readonly sparse: boolean;
  weight: Parameter;

  constructor(
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    read: Required<EmbeddingLayerOptions>,
  ) {
    super();
    this.paddingIdx = readPaddingIdx(read.paddingIdx, numEmbeddings);
    this.maxNorm = read.maxNorm;
    this.normType = read.normType;
    this.scaleGradByFreq = read.scaleGradByFreq;
    this.sparse = read.sparse;
    this.weight = new Parameter(new Empty([numEmbeddings, embeddingDim]));
    this.resetParameters();
  }

  /** Initialises the table: N(0, 1), and 0 for the padding row. */
  resetParameters(): void {
    init.normal_(this.weight);
    this.zeroPadding();
  }

  /** Sets the padding row to 0, if there is one. */
  zeroPadding(): void {
    const { weight, paddingIdx, embeddingDim } = this;
    if (paddingIdx === null || weight.isMeta) return;
    const values = weight.dataSync().slice();
    values.fill(0, paddingIdx * embeddingDim, (paddingIdx + 1) * embeddingDim);
    weight.fill(values);
  }

  protected get lookUp(): Required<EmbeddingLayerOptions> {
    const { paddingIdx, maxNorm, normType, scaleGradByFreq, sparse } = this;
    return { paddingIdx, maxNorm, normType, scaleGradByFreq, sparse };
  }

  /** Replaces the random initial values by given ones. */
  protected take(embeddings: TensorSource, freeze: boolean): void {
    const fresh = new Parameter(embeddings, { requiresGrad: !freeze });
    this.weight.dispose();
    this.weight = fresh;
  }

  protected norms(): string {
    let text = "";
    if (this.maxNorm !== null) text += `, max_norm=${formatFloat(this.maxNorm)}`;
    if (this.normType !== 2) text += `, norm_type=${formatFloat(this.normType)}`;
    if (this.scaleGradByFreq) text += ", scale_grad_by_freq=True";
    return text;
  }
}

function sizeOf(embeddings: tf.Tensor): [number, number] {
  if (embeddings.rank === 2) return embeddings.shape as [number, number];
  throw new Error("Embeddings parameter is expected to be 2-dimensional");
}

/**
 * A table of rows, looked up by index.
 *
 * Shapes: `(*)` of int32 → `(*, embeddingDim)`; `weight` `(numEmbeddings, embeddingDim)`, starts as
 * N(0, 1), the row of `paddingIdx` as 0.
 *
 * @throws if an index is not in the table.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
 */
export class Embedding extends EmbeddingBase {
  static override readonly name: string = "Embedding";

  constructor(numEmbeddings: number, embeddingDim: number, options?: EmbeddingLayerOptions) {
    super(numEmbeddings, embeddingDim, readOptions(new.target.name, LAYER, options));
  }

  /** A layer with a given weight `(numEmbeddings, embeddingDim)`. */
  static fromPretrained(
    embeddings: tf.Tensor,
    options?: EmbeddingLayerOptions & FromPretrainedOptions,
  ): Embedding {
    const { freeze = true, ...rest } = options ?? {};
    const layer = new Embedding(...sizeOf(embeddings), rest);
    layer.take(embeddings, freeze);
    return layer;
  }

  override forward(input: tf.Tensor): tf.Tensor {
    return F.embedding(input, this.weight, this.lookUp);
  }

  override extraRepr(): string {
    const padding = this.paddingIdx === null ? "" : `, padding_idx=${this.paddingIdx}`;
    const sparse = this.sparse ? ", sparse=True" : "";
    return `${this.numEmbeddings}, ${this.embeddingDim}${padding}${this.norms()}${sparse}`;
  }
}

export interface EmbeddingBagLayerOptions extends EmbeddingLayerOptions {
  /** How the rows of a bag are combined. Default: `"mean"`. */
  mode?: "sum" | "mean" | "max";
  /** The last offset is the end of the last bag, not the beginning of another. Default: `false`. */
  includeLastOffset?: boolean;
}

export type BagCallOptions = Pick<F.EmbeddingBagOptions, "offsets" | "perSampleWeights">;

/**
 * Sums, means or maxima of rows of a table, bag by bag.
 *
 * Shapes: `(B, N)` of int32, or `(n)` with offsets `(B)` → `(B, embeddingDim)`.
 *
 * @throws if an index is not in the table.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.EmbeddingBag.html
 */
export class EmbeddingBag extends EmbeddingBase {
  static override readonly name: string = "EmbeddingBag";

  readonly mode: "sum" | "mean" | "max";
  readonly includeLastOffset: boolean;

  constructor(numEmbeddings: number, embeddingDim: number, options?: EmbeddingBagLayerOptions) {
    const defaults: Required<EmbeddingBagLayerOptions> = {
      ...LAYER,
      mode: "mean",
      includeLastOffset: false,
    };
    const read = readOptions(new.target.name, defaults, options);
    super(numEmbeddings, embeddingDim, read);
    this.mode = read.mode;
    this.includeLastOffset = read.includeLastOffset;
  }

  /** A layer with a given weight `(numEmbeddings, embeddingDim)`. */
  static fromPretrained(
    embeddings: tf.Tensor,
    options?: EmbeddingBagLayerOptions & FromPretrainedOptions,
  ): EmbeddingBag {
    const { freeze = true, ...rest } = options ?? {};
    const layer = new EmbeddingBag(...sizeOf(embeddings), rest);
    layer.take(embeddings, freeze);
    return layer;
  }

  /** `bag(input, offsets, perSampleWeights)`, or with these two in an options object. */
  override forward(
    input: tf.Tensor,
    offsets?: tf.Tensor | null | BagCallOptions,
    perSampleWeights: tf.Tensor | null = null,
  ): tf.Tensor {
    const isPositional = offsets instanceof tf.Tensor || offsets === null;
    const call = isPositional ? { offsets, perSampleWeights } : { perSampleWeights, ...offsets };
    const { mode, includeLastOffset } = this;
    return F.embeddingBag(input, this.weight, { ...this.lookUp, mode, includeLastOffset, ...call });
  }

  override extraRepr(): string {
    const padding = this.paddingIdx === null ? "" : `, padding_idx=${this.paddingIdx}`;
    const mode = `, mode='${this.mode}'`;
    return `${this.numEmbeddings}, ${this.embeddingDim}${this.norms()}${mode}${padding}`;
  }
}
