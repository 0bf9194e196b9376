/**
 * `torch.nn.utils`, as far as it serves inference: parametrizations that checkpoints contain, and
 * sequences of different lengths.
 */
export * as parametrizations from "./parametrizations.js";
export * as parametrize from "./parametrize.js";
export * as rnn from "./rnn.js";
export { removeSpectralNorm, spectralNorm, type SpectralNormOptions } from "./spectral-norm.js";
export { removeWeightNorm, weightNorm, type WeightNormOptions } from "./weight-norm.js";
