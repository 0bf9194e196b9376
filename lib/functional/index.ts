export * from "./activation.js";
export * from "./adaptive-pooling.js";
export { scaledDotProductAttention, type ScaledDotProductAttentionOptions } from "./attention.js";
export * from "./avg-pooling.js";
export * from "./batch-norm.js";
export * from "./binary-loss.js";
export * from "./class-loss.js";
export * from "./conv.js";
export { convTbc } from "./conv-tbc.js";
export * from "./conv-transpose.js";
export { ctcLoss, type CTCLossOptions, type Lengths } from "./ctc-loss.js";
export {
  cosineSimilarity,
  type CosineSimilarityOptions,
  pairwiseDistance,
  type PairwiseDistanceOptions,
  pdist,
} from "./distance.js";
export * from "./distribution-loss.js";
export * from "./dropout.js";
export {
  embedding,
  embeddingBag,
  type EmbeddingBagOptions,
  type EmbeddingOptions,
} from "./embedding.js";
export * from "./exponential-units.js";
export * from "./fold.js";
export * from "./fractional-pooling.js";
export * from "./glu.js";
export * from "./grid.js";
export * from "./interpolate.js";
export * from "./linear.js";
export * from "./local-response-norm.js";
export * from "./lp-pooling.js";
export * from "./margin-loss.js";
export * from "./max-pooling.js";
export * from "./multi-head-attention.js";
export * from "./multi-margin-loss.js";
export * from "./normalization.js";
export { oneHot } from "./one-hot.js";
export * from "./pad.js";
export type { Reduction, ReductionOptions } from "./reduction.js";
export * from "./regression-loss.js";
export * from "./rrelu.js";
export * from "./shape.js";
export * from "./shuffle.js";
export { channelShuffle as nativeChannelShuffle } from "./shuffle.js";
export * from "./softmax.js";
export * from "./triplet-loss.js";
export * from "./unpooling.js";
export type { PoolSize } from "./pooling-windows.js";
export type { InterpolateMode, InterpolateOptions } from "./resampling.js";
export type { PadMode } from "./windows.js";
export * from "./with-indices.js";
