export * from "./activation.js";
export * from "./activation-options.js";
export * from "./adaptive-pooling.js";
export * from "./adaptive-softmax.js";
export * from "./avg-pooling.js";
export * from "./batch-norm.js";
export * from "./binary-loss.js";
export * from "./class-loss.js";
export { Conv1d, Conv2d, Conv3d, type ConvLayerOptions, type PaddingMode } from "./conv.js";
export {
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeForwardOptions,
  type ConvTransposeLayerOptions,
} from "./conv-transpose.js";
export * from "./ctc-loss.js";
export * from "./distance.js";
export * from "./distribution-loss.js";
export * from "./dropout.js";
export { Embedding, EmbeddingBag } from "./embedding.js";
export * from "./fold.js";
export * from "./fractional-pooling.js";
export * from "./gated.js";
export type { InplaceOptions } from "./inplace.js";
export * from "./instance-norm.js";
export * from "./lazy-conv.js";
export * from "./lazy-linear.js";
export * from "./lazy-norm.js";
export * from "./linear.js";
export * from "./local-response-norm.js";
export * from "./lp-pooling.js";
export * from "./margin-loss.js";
export * from "./max-pooling.js";
export * from "./multi-head-attention.js";
export * from "./normalization.js";
export * from "./padding.js";
export * from "./recurrent.js";
export type { RecurrentLayerOptions } from "./recurrent-base.js";
export * from "./recurrent-cells.js";
export * from "./regression-loss.js";
export * from "./sequences.js";
export * from "./shape.js";
export * from "./shuffle.js";
export * from "./softmax.js";
export * from "./transformer.js";
export * from "./transformer-layers.js";
export * from "./transformer-stacks.js";
export * from "./triplet-loss.js";
export * from "./unpooling.js";
export * from "./upsampling.js";
export * as utils from "./utils/index.js";
