import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { add } from "../functional/arithmetic.js";
import * as F from "../functional/index.js";
import { transpose } from "./moves.js";
import { Conv2d, Dropout, GELU, LayerNorm, Linear, MultiheadAttention } from "../layers/index.js";
import { Empty, init, Module, Parameter, Sequential } from "../module/index.js";

const layerNorm = (dim: number): LayerNorm => new LayerNorm(dim, { eps: 1e-6 });

class MLPBlock extends Sequential {
  static override readonly name: string = "MLPBlock";

  constructor(dim: number, mlpDim: number, p: number) {
    const linears = [new Linear(dim, mlpDim), new Linear(mlpDim, dim)] as const;
    super(linears[0], new GELU(), new Dropout({ p }), linears[1], new Dropout({ p }));
    for (const { weight, bias } of linears) {
      init.xavierUniform_(weight);
      init.normal_(bias!, { std: 1e-6 });
    }
    // The keys that torchvision used before this was a Sequential.
    this.registerLoadStateDictPreHook((state, prefix) => {
      for (const key of [...state.keys()].filter((one) => one.startsWith(`${prefix}linear_`))) {
        const [layer, part] = key.slice(`${prefix}linear_`.length).split(".");
        state.set(`${prefix}${layer === "1" ? 0 : 3}.${part}`, state.get(key)!);
        state.delete(key);
      }
    });
  }
}

/** A transformer layer with normalisation first: `(N, T, D)` → `(N, T, D)`. */
class EncoderBlock extends Module {
  static override readonly name: string = "EncoderBlock";

  readonly ln_1: LayerNorm;
  readonly self_attention: MultiheadAttention;
  readonly dropout: Dropout;
  readonly ln_2: LayerNorm;
  readonly mlp: MLPBlock;

  constructor(numHeads: number, dim: number, mlpDim: number, p: number, attentionP: number) {
    super();
    this.ln_1 = layerNorm(dim);
    const options = { dropout: attentionP, batchFirst: true };
    this.self_attention = new MultiheadAttention(dim, numHeads, options);
    this.dropout = new Dropout({ p });
    this.ln_2 = layerNorm(dim);
    this.mlp = new MLPBlock(dim, mlpDim, p);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const y = this.ln_1(x);
    const [attended] = this.self_attention(y, y, y, { needWeights: false });
    x = add(this.dropout(attended), x);
    return add(x, this.mlp(this.ln_2(x)));
  }
}

class Encoder extends Module {
  static override readonly name: string = "Encoder";

  readonly pos_embedding: Parameter;
  readonly dropout: Dropout;
  readonly layers: Sequential;
  readonly ln: LayerNorm;

  constructor(
    length: number,
    numLayers: number,
    dim: number,
    p: number,
    block: () => EncoderBlock,
  ) {
    super();
    this.pos_embedding = new Parameter(new Empty([1, length, dim]));
    init.normal_(this.pos_embedding, { std: 0.02 });
    this.dropout = new Dropout({ p });
    const blocks = Array.from(
      { length: numLayers },
      (_, i) => [`encoder_layer_${i}`, block()] as const,
    );
    this.layers = new Sequential(blocks);
    this.ln = layerNorm(dim);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.ln(this.layers(this.dropout(add(x, this.pos_embedding))));
  }
}

export interface VisionTransformerOptions {
  /** The number of logits. Default: 1000. */
  numClasses?: number;
  /** The height and width of the pictures. Default: 224. */
  imageSize?: number;
  /** The probability of dropping a feature in training. Default: 0. */
  dropout?: number;
  /** The probability of dropping an attention weight in training. Default: 0. */
  attentionDropout?: number;
}

/** The sizes of a vision transformer. */
export interface VisionTransformerSize {
  /** The height and width of the patches that become tokens. */
  patchSize: number;
  numLayers: number;
  numHeads: number;
  hiddenDim: number;
  /** The features between the two Linear layers of each block. */
  mlpDim: number;
}

/**
 * torchvision's `VisionTransformer`: pictures `(N, 3, imageSize, imageSize)` → logits
 * `(N, numClasses)`, with its state_dict keys and, after the same seed, its initial weights.
 *
 * @throws if the patch size does not divide the image size, or a picture has another size.
 * @see https://docs.pytorch.org/vision/stable/models/vision_transformer.html
 */
export class VisionTransformer extends Module {
  static override readonly name: string = "VisionTransformer";

  readonly class_token: Parameter;
  readonly conv_proj: Conv2d;
  readonly encoder: Encoder;
  readonly heads: Sequential;
  readonly imageSize: number;

  constructor(size: VisionTransformerSize, options?: VisionTransformerOptions) {
    super();
    const { patchSize, numLayers, numHeads, hiddenDim, mlpDim } = size;
    const defaults = { numClasses: 1000, imageSize: 224, dropout: 0, attentionDropout: 0 };
    const read = readOptions("VisionTransformer", defaults, options);
    const { numClasses, imageSize, dropout, attentionDropout } = read;
    if (imageSize % patchSize !== 0) throw new Error("Input shape indivisible by patch size!");
    this.imageSize = imageSize;
    this.conv_proj = new Conv2d(3, hiddenDim, patchSize, { stride: patchSize });
    this.class_token = new Parameter(new Empty([1, 1, hiddenDim]));
    init.zeros_(this.class_token);
    const length = (imageSize / patchSize) ** 2 + 1;
    this.encoder = new Encoder(
      ...([length, numLayers, hiddenDim, dropout] as const),
      () => new EncoderBlock(numHeads, hiddenDim, mlpDim, dropout, attentionDropout),
    );
    const head = new Linear(hiddenDim, numClasses);
    this.heads = new Sequential({ head });
    const { weight, bias } = this.conv_proj;
    init.truncNormal_(weight, { std: Math.sqrt(1 / (3 * patchSize * patchSize)) });
    for (const zero of [bias!, head.weight, head.bias!]) init.zeros_(zero);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const { imageSize } = this;
    ["height", "width"].forEach((side, i) => {
      const got = x.shape[2 + i];
      if (got === imageSize) return;
      throw new Error(`Wrong image ${side}! Expected ${imageSize} but got ${got}!`);
    });
    // (N, D, H, W) -> (N, T, D)
    const patches = F.flatten(this.conv_proj(x), { startDim: 2 });
    const [n, dim] = patches.shape as [number, number];
    const token = tf.tile(this.class_token, [n, 1, 1]);
    const tokens = this.encoder(tf.concat([token, transpose(patches, [0, 2, 1])], 1));
    return this.heads(tf.reshape(tf.slice(tokens, [0, 0, 0], [n, 1, dim]), [n, dim]));
  }
}

const BASE = { numLayers: 12, numHeads: 12, hiddenDim: 768, mlpDim: 3072 };
const LARGE = { numLayers: 24, numHeads: 16, hiddenDim: 1024, mlpDim: 4096 };

/**
 * torchvision's vit_b_16: 86.6 million parameters.
 * Pictures `(N, 3, 224, 224)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vit_b_16.html
 */
export const vitB16 = (options?: VisionTransformerOptions): VisionTransformer =>
  new VisionTransformer({ ...BASE, patchSize: 16 }, options);

/**
 * torchvision's vit_b_32: 88.2 million parameters.
 * Pictures `(N, 3, 224, 224)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vit_b_32.html
 */
export const vitB32 = (options?: VisionTransformerOptions): VisionTransformer =>
  new VisionTransformer({ ...BASE, patchSize: 32 }, options);

/**
 * torchvision's vit_l_16: 304.3 million parameters.
 * Pictures `(N, 3, 224, 224)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vit_l_16.html
 */
export const vitL16 = (options?: VisionTransformerOptions): VisionTransformer =>
  new VisionTransformer({ ...LARGE, patchSize: 16 }, options);

/**
 * torchvision's vit_l_32: 306.5 million parameters.
 * Pictures `(N, 3, 224, 224)` → logits `(N, numClasses)`.
 *
 * @see https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vit_l_32.html
 */
export const vitL32 = (options?: VisionTransformerOptions): VisionTransformer =>
  new VisionTransformer({ ...LARGE, patchSize: 32 }, options);
