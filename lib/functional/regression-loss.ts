import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { broadcast, checkFloating } from "./broadcast.js";
import { asFloat, checkNumberTensor, checkTensor, shapeText } from "./check.js";
import { sum } from "./numeric.js";
import { op } from "./op.js";
import { readReduction, REDUCTION, type Reduction, reduceLoss } from "./reduction.js";
import type { ReductionOptions } from "./reduction.js";
import { select } from "./select.js";

export interface WeightedOptions {
  /** Weights of the single losses, in the input's shape. Default: `null`. */
  weight?: tf.Tensor | null;
}

const WEIGHTED: Required<ReductionOptions & WeightedOptions> = { ...REDUCTION, weight: null };

/** Broadcasts both to one shape. */
function readPair(name: string, input: tf.Tensor, target: tf.Tensor): [tf.Tensor, tf.Tensor] {
  checkTensor(name, input);
  checkTensor(name, target, "target", 2);
  return broadcast(`${name}()`, input, target);
}

/** As {@link readPair}; refuses two tensors of integers. */
function readFloats(name: string, input: tf.Tensor, target: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const pair = readPair(name, input, target);
  if (target.dtype !== "float32") checkFloating(`${name}()`, input, "input or target");
  return pair;
}

function checkWeight(name: string, input: tf.Tensor, weight: tf.Tensor): void {
  if (tf.util.arraysEqual(input.shape, weight.shape)) return;
  throw new Error(
    `${name}(): Weights and input must have the same size, ` +
      `got ${shapeText(weight.shape)} and ${shapeText(input.shape)}`,
  );
}

/** Reduces losses with weights, or without. */
function reduceWeighted(
  losses: tf.Tensor,
  weight: tf.Tensor | null,
  reduction: Reduction,
): tf.Tensor {
  if (weight === null) return reduceLoss(losses, reduction);
  const weighted = tf.mul(losses, weight);
  if (reduction !== "mean") return reduceLoss(weighted, reduction);
  return tf.mul(asFloat(sum(weighted)), tf.reciprocal(asFloat(sum(weight))));
}

/**
 * `|x - y|`, or their mean or sum. Integers have no mean.
 *
 * Shapes: input and target `(*)`, broadcast → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html
 */
export const l1Loss = /* @__PURE__ */ op(
  "l1_loss",
  (
    input: tf.Tensor,
    target: tf.Tensor,
    options?: ReductionOptions & WeightedOptions,
  ): tf.Tensor => {
    const read = readOptions("l1Loss", WEIGHTED, options);
    const [x, y] = readPair("l1_loss", input, target);
    for (const one of [x, y]) checkNumberTensor("l1_loss", one);
    if (read.weight) checkWeight("l1_loss", input, read.weight);
    return reduceWeighted(tf.abs(tf.sub(x, y)), read.weight, readReduction("l1_loss()", read));
  },
);

/**
 * `(x - y)²`, or their mean or sum.
 *
 * Shapes: input and target `(*)`, broadcast → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
 */
export const mseLoss = /* @__PURE__ */ op(
  "mse_loss",
  (
    input: tf.Tensor,
    target: tf.Tensor,
    options?: ReductionOptions & WeightedOptions,
  ): tf.Tensor => {
    const read = readOptions("mseLoss", WEIGHTED, options);
    const [x, y] = readFloats("mse_loss", input, target);
    if (read.weight) checkWeight("mse_loss", input, read.weight);
    return reduceWeighted(tf.square(tf.sub(x, y)), read.weight, readReduction("mse_loss()", read));
  },
);

export interface SmoothL1LossOptions extends ReductionOptions {
  /** The difference from which the loss is linear. Default: 1. */
  beta?: number;
}

/**
 * `0.5 (x - y)² / beta` where that is below `beta`, else `|x - y| - 0.5 beta`.
 *
 * Shapes: input and target `(*)`, broadcast → scalar, or `(*)` without reduction.
 *
 * @throws if `beta` is negative.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.smooth_l1_loss.html
 */
export const smoothL1Loss = /* @__PURE__ */ op(
  "smooth_l1_loss",
  (input: tf.Tensor, target: tf.Tensor, options?: SmoothL1LossOptions): tf.Tensor => {
    const defaults: Required<SmoothL1LossOptions> = { ...REDUCTION, beta: 1 };
    const { beta, ...read } = readOptions("smoothL1Loss", defaults, options);
    const reduction = readReduction("smooth_l1_loss()", read);
    const [x, y] = readFloats("smooth_l1_loss", input, target);
    if (!(beta >= 0)) {
      throw new Error(`smooth_l1_loss does not support negative values for beta, got ${beta}.`);
    }
    const z = tf.abs(tf.sub(x, y));
    if (beta === 0) return reduceLoss(z, reduction);
    const inner = tf.mul(tf.square(z), 0.5 / beta);
    return reduceLoss(select(tf.less(z, beta), inner, tf.sub(z, 0.5 * beta)), reduction);
  },
);

export interface HuberLossOptions extends WeightedOptions {
  /** How the single losses are reduced. Default: `"mean"`. */
  reduction?: Reduction;
  /** The difference from which the loss is linear. Default: 1. */
  delta?: number;
}

/**
 * `0.5 (x - y)²` up to `delta`, and `delta (|x - y| - 0.5 delta)` beyond.
 *
 * Shapes: input and target `(*)`, broadcast → scalar, or `(*)` without reduction.
 *
 * @throws if `delta` is not positive.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.huber_loss.html
 */
export const huberLoss = /* @__PURE__ */ op(
  "huber_loss",
  (input: tf.Tensor, target: tf.Tensor, options?: HuberLossOptions): tf.Tensor => {
    const defaults: Required<HuberLossOptions> = { reduction: "mean", delta: 1, weight: null };
    const { delta, weight, reduction } = readOptions("huberLoss", defaults, options);
    const how = readReduction("huber_loss()", { ...REDUCTION, reduction });
    const [x, y] = readFloats("huber_loss", input, target);
    checkFloating("huber_loss()", input);
    if (!(delta > 0)) {
      throw new Error(`huber_loss does not support non-positive values for delta, got ${delta}.`);
    }
    if (weight) checkWeight("huber_loss", input, weight);
    const z = tf.abs(tf.sub(x, y));
    const outer = tf.mul(tf.sub(z, 0.5 * delta), delta);
    const losses = select(tf.lessEqual(z, delta), tf.mul(tf.square(z), 0.5), outer);
    return reduceLoss(weight ? tf.mul(losses, weight) : losses, how);
  },
);
