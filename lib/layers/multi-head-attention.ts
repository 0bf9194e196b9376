import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { swapBatch } from "../functional/batch.js";
import * as F from "../functional/index.js";
import { Empty, init, Module, Parameter } from "../module/index.js";
import { Linear } from "./linear.js";

/**
 * A Linear under the name that PyTorch prints for attention's output projection.
 *
 * Shapes: `(*, inFeatures)` → `(*, outFeatures)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
 */
export class NonDynamicallyQuantizableLinear extends Linear {
  static override readonly name: string = "NonDynamicallyQuantizableLinear";
}

export interface MultiheadAttentionOptions {
  /** The probability of dropping an attention weight in training. Default: 0. */
  dropout?: number;
  /** Biases for the projections. Default: `true`. */
  bias?: boolean;
  /** Learn one more key and value that every sequence has. Default: `false`. */
  addBiasKv?: boolean;
  /** Add a key and a value of zeros. Default: `false`. */
  addZeroAttn?: boolean;
  /** Features of the keys. Default: `embedDim`. */
  kdim?: number | null;
  /** Features of the values. Default: `embedDim`. */
  vdim?: number | null;
  /** `(N, L, E)` instead of `(L, N, E)`. Default: `false`. */
  batchFirst?: boolean;
}

export type AttentionCallOptions = Pick<
  F.MultiHeadAttentionOptions,
  "keyPaddingMask" | "needWeights" | "attnMask" | "averageAttnWeights" | "isCausal"
>;

const CALL: Required<AttentionCallOptions> = {
  keyPaddingMask: null,
  needWeights: true,
  attnMask: null,
  averageAttnWeights: true,
  isCausal: false,
};

/**
 * Attention in several heads: `softmax(q kᵀ / √d) v` for projections of query, key and value, and a
 * projection of the concatenated heads.
 *
 * A row that is masked completely gives NaN if weights are asked for, else it attends to nothing,
 * as in PyTorch with gradients; PyTorch's inference fast path gives NaN in both cases.
 *
 * Shapes: query `(L, N, E)`, key `(S, N, kdim)`, value `(S, N, vdim)` (batch first: `(N, L, E)` …;
 * unbatched without N) → `[output (L, N, E), weights (N, L, S) or null]`.
 *
 * @throws if `embedDim` is not divisible by `numHeads`.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html
 */
export class MultiheadAttention extends Module {
  static override readonly name: string = "MultiheadAttention";

  readonly kdim: number;
  readonly vdim: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly addZeroAttn: boolean;
  q_proj_weight: Parameter | null = null;
  k_proj_weight: Parameter | null = null;
  v_proj_weight: Parameter | null = null;
  in_proj_weight: Parameter | null = null;
  in_proj_bias: Parameter | null = null;
  out_proj: NonDynamicallyQuantizableLinear;
  bias_k: Parameter | null = null;
  bias_v: Parameter | null = null;

  constructor(
    readonly embedDim: number,
    readonly numHeads: number,
    options?: MultiheadAttentionOptions,
  ) {
    super();
    const read = readOptions<Required<MultiheadAttentionOptions>>(
      this.constructor.name,
      {
        ...{ dropout: 0, bias: true, addBiasKv: false, addZeroAttn: false },
        ...{ kdim: null, vdim: null, batchFirst: false },
      },
      options,
    );
    if (!(embedDim > 0 && numHeads > 0)) {
      throw new RangeError(
        "embed_dim and num_heads must be greater than 0, " +
          `got embed_dim=${embedDim} and num_heads=${numHeads} instead`,
      );
    }
    if (embedDim % numHeads !== 0) {
      throw new Error(`embed_dim must be divisible by num_heads, got ${embedDim} and ${numHeads}`);
    }
    this.kdim = read.kdim ?? embedDim;
    this.vdim = read.vdim ?? embedDim;
    this.dropout = read.dropout;
    this.batchFirst = read.batchFirst;
    this.addZeroAttn = read.addZeroAttn;
    const empty = (...shape: number[]): Parameter => new Parameter(new Empty(shape));
    if (this.hasOneProjection) {
      this.in_proj_weight = empty(3 * embedDim, embedDim);
    } else {
      this.q_proj_weight = empty(embedDim, embedDim);
      this.k_proj_weight = empty(embedDim, this.kdim);
      this.v_proj_weight = empty(embedDim, this.vdim);
    }
    if (read.bias) this.in_proj_bias = empty(3 * embedDim);
    this.out_proj = new NonDynamicallyQuantizableLinear(embedDim, embedDim, { bias: read.bias });
    if (read.addBiasKv) {
      this.bias_k = empty(1, 1, embedDim);
      this.bias_v = empty(1, 1, embedDim);
    }
    this.resetParameters();
  }

  /** Whether one weight projects query, key and value. */
  private get hasOneProjection(): boolean {
    return this.kdim === this.embedDim && this.vdim === this.embedDim;
  }

  resetParameters(): void {
    const separate = [this.q_proj_weight, this.k_proj_weight, this.v_proj_weight];
    for (const weight of [this.in_proj_weight, ...separate]) {
      if (weight) init.xavierUniform_(weight);
    }
    if (this.in_proj_bias) {
      init.zeros_(this.in_proj_bias);
      init.zeros_(this.out_proj.bias!);
    }
    for (const bias of [this.bias_k, this.bias_v]) if (bias) init.xavierNormal_(bias);
  }

  override forward(
    query: tf.Tensor,
    key: tf.Tensor,
    value: tf.Tensor,
    options?: AttentionCallOptions,
  ): [tf.Tensor, tf.Tensor | null] {
    const read = readOptions(this.constructor.name, CALL, options);
    const swaps = this.batchFirst && query.rank === 3;
    const swap = (x: tf.Tensor): tf.Tensor => (swaps && x.rank === 3 ? swapBatch(x) : x);
    const q = swap(query);
    const k = key === query ? q : swap(key);
    const v = value === query ? q : value === key ? k : swap(value);
    const [output, weights] = F.multiHeadAttentionForward(
      ...([q, k, v, this.embedDim, this.numHeads] as const),
      ...([this.in_proj_weight, this.in_proj_bias, this.bias_k, this.bias_v] as const),
      ...([this.addZeroAttn, this.dropout, this.out_proj.weight, this.out_proj.bias] as const),
      {
        ...read,
        training: this.training,
        useSeparateProjWeight: !this.hasOneProjection,
        qProjWeight: this.q_proj_weight,
        kProjWeight: this.k_proj_weight,
        vProjWeight: this.v_proj_weight,
      },
    );
    return [swap(output), weights];
  }
}
