import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { broadcast, checkFloating, expand } from "./broadcast.js";
import { asFloat, checkNumberTensor, checkTensor, shapeText } from "./check.js";
import { atLeast } from "./numeric.js";
import { op } from "./op.js";
import { readReduction, REDUCTION, type Reduction, reduceLoss } from "./reduction.js";
import type { ReductionOptions } from "./reduction.js";
import { select } from "./select.js";

export interface KLDivOptions extends Omit<ReductionOptions, "reduction"> {
  /**
   * `"batchmean"`, the sum divided by the batch size, is the Kullback-Leibler divergence. Default:
   * `"mean"`.
   */
  reduction?: Reduction | "batchmean";
  /** The target is given as logarithms too. Default: `false`. */
  logTarget?: boolean;
}

/** `y log y`, 0 at 0. */
function entropy(y: tf.Tensor): tf.Tensor {
  return select(tf.equal(y, 0), tf.zerosLike(y), tf.mul(y, tf.log(y)));
}

/**
 * `y (log y - x)`: the divergence of distributions y from those with log-probabilities x.
 *
 * Shapes: input and target `(*)`, broadcast → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html
 */
export const klDiv = /* @__PURE__ */ op(
  "kl_div",
  (input: tf.Tensor, target: tf.Tensor, options?: KLDivOptions): tf.Tensor => {
    const defaults: Required<KLDivOptions> = { ...REDUCTION, logTarget: false };
    const { logTarget, ...read } = readOptions("klDiv", defaults, options);
    const isLegacy = read.sizeAverage !== null || read.reduce !== null;
    const perBatch = read.reduction === "batchmean" && !isLegacy;
    const how = perBatch || read.reduction === "batchmean" ? "sum" : read.reduction;
    const reduction = readReduction("kl_div()", { ...read, reduction: how });
    checkTensor("kl_div", input);
    checkTensor("kl_div", target, "target", 2);
    checkFloating("kl_div()", input);
    checkFloating("kl_div()", target, "target");
    const [y, x] = broadcast("kl_div()", target, input);
    const losses = logTarget ? tf.mul(tf.exp(y), tf.sub(y, x)) : tf.sub(entropy(y), tf.mul(y, x));
    const reduced = reduceLoss(losses, reduction);
    if (!perBatch || input.rank === 0) return reduced;
    return tf.mul(reduced, tf.reciprocal(tf.scalar(input.shape[0])));
  },
);

export interface PoissonNLLLossOptions extends ReductionOptions {
  /** The input is the rate's logarithm. Default: `true`. */
  logInput?: boolean;
  /** Add Stirling's approximation of log(target!). Default: `false`. */
  full?: boolean;
  /** Added to the rate before its logarithm is taken. Default: 1e-8. */
  eps?: number;
}

/**
 * `exp(x) - y x`, the Poisson distribution's negative log likelihood; with `logInput: false`,
 * `x - y log(x + eps)`.
 *
 * Shapes: input and target `(*)`, broadcast → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.poisson_nll_loss.html
 */
export const poissonNllLoss = /* @__PURE__ */ op(
  "poisson_nll_loss",
  (input: tf.Tensor, target: tf.Tensor, options?: PoissonNLLLossOptions): tf.Tensor => {
    const defaults = { ...REDUCTION, logInput: true, full: false, eps: 1e-8 };
    const read = readOptions<Required<PoissonNLLLossOptions>>("poissonNllLoss", defaults, options);
    const reduction = readReduction("poisson_nll_loss()", read);
    checkTensor("poisson_nll_loss", input);
    checkTensor("poisson_nll_loss", target, "target", 2);
    // PyTorch accepts booleans only where nothing is added or subtracted.
    if (!read.logInput || target.dtype === "bool") checkNumberTensor("poisson_nll_loss", input);
    if (read.full) checkNumberTensor("poisson_nll_loss", target);
    const [y, x] = broadcast("poisson_nll_loss()", asFloat(target), asFloat(input));
    const losses = read.logInput
      ? tf.sub(tf.exp(x), tf.mul(y, x))
      : tf.sub(x, tf.mul(y, tf.log(tf.add(x, read.eps))));
    if (!read.full) return reduceLoss(losses, reduction);
    const shape = tf.mul(0.5, tf.log(tf.mul(y, 2 * Math.PI)));
    const stirling = tf.add(tf.sub(tf.mul(y, tf.log(y)), y), shape);
    const extra = select(tf.greater(y, 1), stirling, tf.zerosLike(y));
    return reduceLoss(tf.add(losses, extra), reduction);
  },
);

export interface GaussianNLLLossOptions {
  /** Add the constant term. Default: `false`. */
  full?: boolean;
  /** The smallest value for a variance. Default: 1e-6. */
  eps?: number;
  /** How the single losses are reduced. Default: `"mean"`. */
  reduction?: Reduction;
}

const GAUSSIAN: Required<GaussianNLLLossOptions> = { full: false, eps: 1e-6, reduction: "mean" };

/**
 * The variances in a shape that broadcasts: one for each element, or one for each row along some
 * dimension.
 */
function readVariance(input: tf.Tensor, given: tf.Tensor | number): tf.Tensor {
  const variance = typeof given === "number" ? tf.fill(input.shape, given) : given;
  checkTensor("gaussian_nll_loss", variance, "var", 3);
  if (variance.dataSync().some((one) => one < 0)) {
    throw new Error("gaussian_nll_loss: var has negative entry/entries");
  }
  const { shape } = input;
  if (tf.util.arraysEqual(shape, variance.shape)) return variance;
  if (tf.util.arraysEqual(shape.slice(0, -1), variance.shape)) return tf.expandDims(variance, -1);
  const others = variance.shape.filter((size, i) => size !== shape[i]);
  const isOneOnly = others.reduce((a, b) => a + b, 0) === 1;
  if (variance.rank === input.rank && isOneOnly) return variance;
  throw new Error(
    `gaussian_nll_loss: var is of incorrect size ${shapeText(variance.shape)}, ` +
      `expected that of the input, ${shapeText(shape)}, but for one dimension of size 1`,
  );
}

/**
 * `0.5 (log var + (x - y)² / var)`, the Gaussian's negative log likelihood.
 *
 * Shapes: input and target `(*)`; var `(*)`, the same with one dimension of size 1 or without the
 * last one, or a number → scalar, or `(*)` without reduction.
 *
 * @throws if a variance is negative.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html
 */
export const gaussianNllLoss = /* @__PURE__ */ op(
  "gaussian_nll_loss",
  (
    input: tf.Tensor,
    target: tf.Tensor,
    variance: tf.Tensor | number,
    options?: GaussianNLLLossOptions,
  ): tf.Tensor => {
    const { full, eps, reduction } = readOptions("gaussianNllLoss", GAUSSIAN, options);
    checkTensor("gaussian_nll_loss", input);
    checkTensor("gaussian_nll_loss", target, "target", 2);
    for (const one of [input, target]) checkNumberTensor("gaussian_nll_loss", one);
    if (variance instanceof tf.Tensor) checkFloating("gaussian_nll_loss()", variance, "var");
    const least = atLeast(readVariance(input, variance), eps);
    const how = readReduction("gaussian_nll_loss()", { ...REDUCTION, reduction });
    const [x, y] = broadcast("gaussian_nll_loss()", asFloat(input), asFloat(target));
    const spread = expand(least, x.shape);
    const error = tf.div(tf.square(tf.sub(x, y)), spread);
    const losses = tf.mul(0.5, tf.add(tf.log(spread), error));
    return reduceLoss(full ? tf.add(losses, 0.5 * Math.log(2 * Math.PI)) : losses, how);
  },
);
