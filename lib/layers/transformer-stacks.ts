import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { deepcopy, Module, ModuleList } from "../module/index.js";
import { padded } from "./nested.js";
import {
  type DecoderLayerCallOptions,
  type EncoderLayerCallOptions,
  TransformerEncoderLayer,
} from "./transformer-layers.js";

type Mask = tf.Tensor | null;

/** Layers that are already part of a stack. */
const taken = new WeakSet<Module>();

/**
 * n layers that start with the same weights, as PyTorch's `_get_clones` makes them. PyTorch copies
 * the given layer n times; here it is itself the first one, since its weights would otherwise never
 * be freed. If it is part of a stack already, it is copied.
 */
function clones(layer: Module, n: number): ModuleList {
  const first = taken.has(layer) ? deepcopy(layer) : layer;
  taken.add(first);
  return new ModuleList(Array.from({ length: n }, (_, i) => (i === 0 ? first : deepcopy(layer))));
}

/** The base of the encoder and the decoder. */
abstract class Stack extends Module {
  layers: ModuleList;
  norm: Module | null;

  constructor(
    layer: Module,
    readonly numLayers: number,
    norm: Module | null,
  ) {
    super();
    this.layers = clones(layer, numLayers);
    this.norm = norm;
  }

  /** Calls one layer after the other, each with these further arguments. */
  protected pass(x: tf.Tensor, ...others: unknown[]): tf.Tensor {
    // PyTorch asks the first layer whether batches come first.
    if (this.layers.length === 0) {
      throw new RangeError(`${this.constructor.name}: index 0 is out of range`);
    }
    let y = x;
    for (const layer of this.layers) y = layer(y, ...others) as tf.Tensor;
    return y;
  }

  protected finish(x: tf.Tensor): tf.Tensor {
    return this.norm === null ? x : (this.norm(x) as tf.Tensor);
  }
}

export interface TransformerEncoderOptions {
  /** A norm behind the last layer. Default: `null`. */
  norm?: Module | null;
  /**
   * In eval mode, return 0 at padded positions, as PyTorch does without gradients. Default: `true`.
   */
  enableNestedTensor?: boolean;
  /**
   * Do so only if padding is at the end; this is always checked, so the option has no effect.
   * Default: `true`.
   */
  maskCheck?: boolean;
}

export interface EncoderCallOptions {
  /** `(T, T)` or `(N·nhead, T, T)`: bool (`true`: not allowed) or float (added). Default: `null`. */
  mask?: Mask;
  /** `(N, T)` or `(T)`: bool (`true`: ignored) or float (added). Default: `null`. */
  srcKeyPaddingMask?: Mask;
  /** A hint that `mask` is the causal mask. Default: `null`, none. */
  isCausal?: boolean | null;
}

/** Whether PyTorch would compute this batch as a nested tensor, without its padding. */
function isNestable({ enableNestedTensor, layers }: TransformerEncoder, src: tf.Tensor): boolean {
  const [first] = layers;
  if (!(first instanceof TransformerEncoderLayer)) return false;
  const { self_attn: attention, activation } = first;
  return (
    enableNestedTensor &&
    src.rank === 3 &&
    !first.training &&
    !first.normFirst &&
    attention.batchFirst &&
    attention.in_proj_bias !== null &&
    attention.numHeads % 2 === 0 &&
    (activation === F.relu || activation === F.gelu)
  );
}

/**
 * Encoder layers in sequence: the given one, and copies of it.
 *
 * In eval mode, positions that `srcKeyPaddingMask` ignores at the end of sequences give 0 (before
 * `norm`), as in PyTorch without gradients. That holds if there is no `mask`, and the layers are
 * batch-first, with biases, an even number of heads, relu or gelu, and without `normFirst`. In
 * other cases the output at these positions has no meaning.
 *
 * Shapes: src `(T, N, E)`, batch first `(N, T, E)`, or `(T, E)` → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoder.html
 */
export class TransformerEncoder extends Stack {
  static override readonly name: string = "TransformerEncoder";

  readonly enableNestedTensor: boolean;
  readonly maskCheck: boolean;

  constructor(encoderLayer: Module, numLayers: number, options?: TransformerEncoderOptions) {
    const defaults = { norm: null, enableNestedTensor: true, maskCheck: true };
    const read = readOptions<Required<TransformerEncoderOptions>>(
      new.target.name,
      defaults,
      options,
    );
    super(encoderLayer, numLayers, read.norm);
    this.enableNestedTensor = read.enableNestedTensor;
    this.maskCheck = read.maskCheck;
  }

  override forward(src: tf.Tensor, options?: EncoderCallOptions): tf.Tensor {
    const { mask, srcKeyPaddingMask, isCausal } = readOptions<Required<EncoderCallOptions>>(
      this.constructor.name,
      { mask: null, srcKeyPaddingMask: null, isCausal: null },
      options,
    );
    const call: EncoderLayerCallOptions = {
      srcMask: mask,
      srcKeyPaddingMask,
      isCausal: isCausal === true,
    };
    const x = this.pass(src, call);
    const isNested = srcKeyPaddingMask && !mask && !isCausal && isNestable(this, src);
    return this.finish(isNested ? padded(x, srcKeyPaddingMask) : x);
  }
}

export interface TransformerDecoderOptions {
  /** A norm behind the last layer. Default: `null`. */
  norm?: Module | null;
}

/**
 * Decoder layers in sequence: the given one, and copies of it.
 *
 * Shapes: tgt `(T, N, E)` and memory `(S, N, E)`, batch first `(N, T, E)` and `(N, S, E)`, or without N →
 * that of tgt.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerDecoder.html
 */
export class TransformerDecoder extends Stack {
  static override readonly name: string = "TransformerDecoder";

  constructor(decoderLayer: Module, numLayers: number, options?: TransformerDecoderOptions) {
    const defaults: Required<TransformerDecoderOptions> = { norm: null };
    super(decoderLayer, numLayers, readOptions(new.target.name, defaults, options).norm);
  }

  override forward(
    tgt: tf.Tensor,
    memory: tf.Tensor,
    options?: DecoderLayerCallOptions,
  ): tf.Tensor {
    return this.finish(this.pass(tgt, memory, options));
  }
}
