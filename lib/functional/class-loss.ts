import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloating } from "./broadcast.js";
import { checkTensor, listText, shapeText } from "./check.js";
import { checkClassTargets, gatherClasses } from "./class-targets.js";
import { linear } from "./linear.js";
import { sum } from "./numeric.js";
import { op } from "./op.js";
import { readReduction, REDUCTION, type Reduction, reduceLoss } from "./reduction.js";
import type { ReductionOptions } from "./reduction.js";
import { logSoftmax } from "./softmax.js";

export interface NLLLossOptions extends ReductionOptions {
  /** `(C)`: a weight for each class. Default: `null`. */
  weight?: tf.Tensor | null;
  /** Targets with this value are ignored; it need not be a class. Default: -100. */
  ignoreIndex?: number;
}

const NLL: Required<NLLLossOptions> = { ...REDUCTION, weight: null, ignoreIndex: -100 };

/** `Σ losses / Σ weights`, NaN if there are none. Not by `div`, because on webgl 0 / 0 is 1. */
function weightedMean(losses: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  if (losses.size === 0) return tf.scalar(NaN);
  return tf.mul(sum(losses), tf.reciprocal(sum(weights)));
}

/** Reduces flat losses, of which only some count. */
function reduceCounted(
  losses: tf.Tensor,
  weights: tf.Tensor,
  shape: number[],
  reduction: Reduction,
): tf.Tensor {
  if (reduction === "mean") return weightedMean(losses, weights);
  return reduceLoss(tf.reshape(losses, shape), reduction);
}

function nll(
  name: string,
  input: tf.Tensor,
  target: tf.Tensor,
  { weight, ignoreIndex }: Required<NLLLossOptions>,
  reduction: Reduction,
): tf.Tensor {
  const targets = checkClassTargets(name, input, target, weight, ignoreIndex);
  const { picked, weights } = gatherClasses(input, targets, weight);
  return reduceCounted(tf.neg(picked), weights, targets.shape, reduction);
}

/**
 * `-wᵧ xᵧ`: the negative log likelihood of target classes y, given log-probabilities x. The mean is
 * weighted.
 *
 * Shapes: input `(C)`, `(N, C)` or `(N, C, d₁, d₂, …)`, target of int32 `()`, `(N)` or
 * `(N, d₁, d₂, …)` → scalar, or the target's shape without reduction.
 *
 * @throws if a target is not a class, or the shapes do not match.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html
 */
export const nllLoss = /* @__PURE__ */ op(
  "nll_loss",
  (input: tf.Tensor, target: tf.Tensor, options?: NLLLossOptions): tf.Tensor => {
    const read = readOptions("nllLoss", NLL, options);
    const reduction = readReduction("nll_loss()", read);
    checkTensor("nll_loss", input);
    checkTensor("nll_loss", target, "target", 2);
    checkFloating("nll_loss()", input);
    return nll("nll_loss", input, target, read, reduction);
  },
);

export interface CrossEntropyOptions extends NLLLossOptions {
  /** The share of each target that is spread over all classes, 0 to 1. Default: 0. */
  labelSmoothing?: number;
}

const CROSS_ENTROPY: Required<CrossEntropyOptions> = { ...NLL, labelSmoothing: 0 };

/** The class weights in a shape that broadcasts along the dimension of the classes. */
function alongClasses(weight: tf.Tensor, rank: number, axis: number): tf.Tensor {
  return tf.reshape(
    weight,
    Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1)),
  );
}

/** Cross entropy with targets that are probabilities. */
function softCrossEntropy(
  logProbabilities: tf.Tensor,
  target: tf.Tensor,
  { weight, labelSmoothing }: Required<CrossEntropyOptions>,
  reduction: Reduction,
): tf.Tensor {
  const axis = logProbabilities.rank === 1 ? 0 : 1;
  const classes = logProbabilities.shape[axis]!;
  if (weight !== null && (weight.rank !== 1 || weight.size !== classes)) {
    throw new Error(
      `cross_entropy: weight tensor should be defined either for all ${classes} classes or no ` +
        `classes but got weight tensor of shape: ${listText(weight.shape)}`,
    );
  }
  let goal = target;
  if (labelSmoothing > 0) {
    goal = tf.add(tf.mul(target, 1 - labelSmoothing), labelSmoothing / classes);
  }
  let terms = tf.mul(logProbabilities, goal);
  if (weight !== null) terms = tf.mul(terms, alongClasses(weight, terms.rank, axis));
  return reduceLoss(tf.neg(sum(terms, axis)), reduction); // here the mean is not weighted
}

/** Cross entropy with target classes, of which a share is spread over all classes. */
function smoothedCrossEntropy(
  logProbabilities: tf.Tensor,
  target: tf.Tensor,
  { weight, labelSmoothing, ignoreIndex }: Required<CrossEntropyOptions>,
  reduction: Reduction,
): tf.Tensor {
  const targets = checkClassTargets("cross_entropy", logProbabilities, target, weight, ignoreIndex);
  const { picked, weights } = gatherClasses(logProbabilities, targets, weight);
  const { rank } = logProbabilities;
  const axis = rank === 1 ? 0 : 1;
  const classes = logProbabilities.shape[axis]!;
  const factors = weight && alongClasses(weight, rank, axis);
  const weighted = factors === null ? logProbabilities : tf.mul(logProbabilities, factors);
  const evenly = tf.reshape(tf.neg(sum(weighted, axis)), [-1]);
  const isCounted = tf.tensor1d(targets.counts, "bool");
  const spread = tf.where(isCounted, evenly, tf.zerosLike(evenly));
  const hard = tf.mul(tf.neg(picked), 1 - labelSmoothing);
  const losses = tf.add(hard, tf.mul(spread, labelSmoothing / classes));
  return reduceCounted(losses, weights, targets.shape, reduction);
}

/**
 * The cross entropy of logits (unnormalised log-probabilities) and targets: classes, or
 * probabilities in the shape of the input. With classes the mean is weighted.
 *
 * Shapes: input `(C)`, `(N, C)` or `(N, C, d₁, d₂, …)`; target of int32 `()`, `(N)` or
 * `(N, d₁, d₂, …)`, or of float32 as the input → scalar, or without reduction the shape without C.
 *
 * @throws if a target is not a class, or the shapes do not match.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
 */
export const crossEntropy = /* @__PURE__ */ op(
  "cross_entropy_loss",
  (input: tf.Tensor, target: tf.Tensor, options?: CrossEntropyOptions): tf.Tensor => {
    const read = readOptions("crossEntropy", CROSS_ENTROPY, options);
    const reduction = readReduction("cross_entropy()", read);
    checkTensor("cross_entropy", input);
    checkTensor("cross_entropy", target, "target", 2);
    checkFloating("cross_entropy()", input);
    const { labelSmoothing, ignoreIndex } = read;
    if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
      throw new RangeError(
        `cross_entropy(): label_smoothing must be between 0.0 and 1.0. Got: ${labelSmoothing}`,
      );
    }
    const axis = input.rank === 1 ? 0 : 1;
    const isSoft = tf.util.arraysEqual(input.shape, target.shape) && input.rank > 0;
    if (isSoft) {
      checkFloating("cross_entropy()", target, "target with class probabilities");
      if (ignoreIndex >= 0) {
        throw new Error("cross_entropy(): ignore_index is not supported for floating point target");
      }
      return softCrossEntropy(logSoftmax(input, { dim: axis }), target, read, reduction);
    }
    if (input.rank === 0) throw new Error("cross_entropy(): Expected 1 or more dimensions (got 0)");
    const logProbabilities = logSoftmax(input, { dim: axis });
    if (labelSmoothing > 0) {
      return smoothedCrossEntropy(logProbabilities, target, read, reduction);
    }
    return nll("cross_entropy", logProbabilities, target, read, reduction);
  },
);

export interface LinearCrossEntropyOptions {
  /** `(C, …)`, or `null` for none (the default). */
  linearBias?: tf.Tensor | null;
  /** `(C)`: a weight for each class. Default: `null`. */
  weight?: tf.Tensor | null;
  /** How the single losses are reduced. Default: `"mean"`. */
  reduction?: Reduction;
  /** Targets with this value are ignored. Default: -100 if targets are classes. */
  ignoreIndex?: number | null;
  /** The share of each target that is spread over all classes, 0 to 1. Default: 0. */
  labelSmoothing?: number;
}

const LINEAR_CROSS_ENTROPY: Required<LinearCrossEntropyOptions> = {
  linearBias: null,
  weight: null,
  reduction: "mean",
  ignoreIndex: null,
  labelSmoothing: 0,
};

/**
 * `crossEntropy(linear(x, W, b), y)`. PyTorch's options for computing it in chunks, which save
 * memory in training, are left out.
 *
 * Shapes: input `(D)` or `(N, D)`, linearWeight `(C, …, D)`, target as for logits `(N, C, …)`.
 *
 * @throws if the shapes do not match.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear_cross_entropy.html
 */
export const linearCrossEntropy = /* @__PURE__ */ op(
  "linear_cross_entropy",
  (
    input: tf.Tensor,
    linearWeight: tf.Tensor,
    target: tf.Tensor,
    options?: LinearCrossEntropyOptions,
  ): tf.Tensor => {
    const read = readOptions("linearCrossEntropy", LINEAR_CROSS_ENTROPY, options);
    const { linearBias, ignoreIndex, ...rest } = read;
    checkTensor("linear_cross_entropy", input);
    checkTensor("linear_cross_entropy", linearWeight, "linear_weight", 2);
    checkTensor("linear_cross_entropy", target, "target", 3);
    checkLinear(input, linearWeight, linearBias);
    const inner = linearWeight.shape.slice(0, -1);
    const shape = [...input.shape.slice(0, -1), ...inner];
    if (ignoreIndex !== null && tf.util.arraysEqual(shape, target.shape)) {
      throw new Error(
        "linear_cross_entropy(): ignore_index cannot be specified when target contains probabilities",
      );
    }
    const flat = tf.reshape(linearWeight, [-1, linearWeight.shape.at(-1)!]);
    const bias = linearBias && tf.reshape(linearBias, [-1]);
    const logits = tf.reshape(linear(input, flat, { bias }), shape);
    return crossEntropy(logits, target, { ...rest, ignoreIndex: ignoreIndex ?? -100 });
  },
);

function checkLinear(input: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor | null): void {
  const fail = (problem: string): never => {
    throw new Error(`linear_cross_entropy(): ${problem}`);
  };
  if (input.rank < 1 || input.rank > 2) {
    fail(`expected input with dimensionality 1 or 2, got ${input.rank}`);
  }
  if (weight.rank < 2) {
    fail(`expected linear_weight with dimensionality at least 2, got ${weight.rank}`);
  }
  if (input.shape.at(-1) !== weight.shape.at(-1)) {
    fail(
      "expected equal input and linear_weight last dimensions (in_features), " +
        `got ${input.shape.at(-1)} and ${weight.shape.at(-1)}, respectively`,
    );
  }
  const inner = weight.shape.slice(0, -1);
  if (bias !== null && !tf.util.arraysEqual(bias.shape, inner)) {
    fail(`expected linear_bias shape ${shapeText(inner)}, got ${shapeText(bias.shape)}`);
  }
  if (inner.length > 1 && input.rank === 1) {
    fail(
      `K-dimensional loss defined by linear_weight shape ${shapeText(weight.shape)} requires ` +
        `batched input, (N, ${weight.shape.at(-1)}), got unbatched input with shape ` +
        shapeText(input.shape),
    );
  }
}
