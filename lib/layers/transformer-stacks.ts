import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { deepcopy, Module, ModuleList } from "../module/index.js";
import type { DecoderLayerCallOptions, EncoderLayerCallOptions } from "./transformer-layers.js";

type Mask = tf.Tensor | null;

/** Layers that are the first of a stack already. */
const taken = new WeakSet<Module>();

/**
 * n layers that start with the same weights, as PyTorch's `_get_clones`. The given one is the first
 * of them, where PyTorch copies it too: here nobody would collect its weights. For a second stack
 * it is copied.
 */
function clones(layer: Module, n: number): ModuleList {
  const first = taken.has(layer) ? deepcopy(layer) : layer;
  taken.add(first);
  return new ModuleList(Array.from({ length: n }, (_, i) => (i === 0 ? first : deepcopy(layer))));
}

/** PyTorch asks the first layer how batches lie. */
function checkSome({ layers, constructor }: TransformerEncoder | TransformerDecoder): void {
  if (layers.length > 0) return;
  throw new RangeError(`${constructor.name}: index 0 is out of range: there are no layers`);
}

export interface TransformerEncoderOptions {
  /** A norm behind the last layer. Default: `null`. */
  norm?: Module | null;
  /** For PyTorch's fast path, which is none here: without effect. Default: `true`. */
  enableNestedTensor?: boolean;
  /** As `enableNestedTensor`. Default: `true`. */
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

/**
 * Encoder layers one after the other: the given one, and copies of it.
 *
 * What it gives at ignored places (`srcKeyPaddingMask`) is not to be used: here it is what PyTorch
 * gives with gradients; its inference fast path gives 0 there.
 *
 * Shapes: src `(T, N, E)`, batch first `(N, T, E)`, or `(T, E)` → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoder.html
 */
export class TransformerEncoder extends Module {
  static override readonly name: string = "TransformerEncoder";

  layers: ModuleList;
  norm: Module | null;
  readonly enableNestedTensor: boolean;
  readonly maskCheck: boolean;

  constructor(
    encoderLayer: Module,
    readonly numLayers: number,
    options?: TransformerEncoderOptions,
  ) {
    super();
    const { norm, enableNestedTensor, maskCheck } = readOptions<
      Required<TransformerEncoderOptions>
    >(this.constructor.name, { norm: null, enableNestedTensor: true, maskCheck: true }, options);
    this.layers = clones(encoderLayer, numLayers);
    this.norm = norm;
    this.enableNestedTensor = enableNestedTensor;
    this.maskCheck = maskCheck;
  }

  override forward(src: tf.Tensor, options?: EncoderCallOptions): tf.Tensor {
    const { mask, srcKeyPaddingMask, isCausal } = readOptions<Required<EncoderCallOptions>>(
      this.constructor.name,
      { mask: null, srcKeyPaddingMask: null, isCausal: null },
      options,
    );
    checkSome(this);
    const call: EncoderLayerCallOptions = {
      srcMask: mask,
      srcKeyPaddingMask,
      isCausal: isCausal === true,
    };
    let x = src;
    for (const layer of this.layers) x = layer(x, call) as tf.Tensor;
    return this.norm === null ? x : (this.norm(x) as tf.Tensor);
  }
}

export interface TransformerDecoderOptions {
  /** A norm behind the last layer. Default: `null`. */
  norm?: Module | null;
}

/**
 * Decoder layers one after the other: the given one, and copies of it.
 *
 * Shapes: tgt `(T, N, E)` and memory `(S, N, E)`, batch first `(N, T, E)` and `(N, S, E)`, or without N →
 * that of tgt.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerDecoder.html
 */
export class TransformerDecoder extends Module {
  static override readonly name: string = "TransformerDecoder";

  layers: ModuleList;
  norm: Module | null;

  constructor(
    decoderLayer: Module,
    readonly numLayers: number,
    options?: TransformerDecoderOptions,
  ) {
    super();
    const defaults: Required<TransformerDecoderOptions> = { norm: null };
    const { norm } = readOptions(this.constructor.name, defaults, options);
    this.layers = clones(decoderLayer, numLayers);
    this.norm = norm;
  }

  override forward(
    tgt: tf.Tensor,
    memory: tf.Tensor,
    options?: DecoderLayerCallOptions,
  ): tf.Tensor {
    checkSome(this);
    let x = tgt;
    for (const layer of this.layers) x = layer(x, memory, options) as tf.Tensor;
    return this.norm === null ? x : (this.norm(x) as tf.Tensor);
  }
}
