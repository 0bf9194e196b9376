import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { broadcast, broadcastShape, checkFloating, expand } from "./broadcast.js";
import { checkNumberTensor, checkTensor, dtypeName, listText, shapeText } from "./check.js";
import { atLeast, sum } from "./numeric.js";
import { op } from "./op.js";
import { readReduction, REDUCTION, type ReductionOptions, reduceLoss } from "./reduction.js";
import { select } from "./select.js";

export interface BinaryCrossEntropyOptions extends ReductionOptions {
  /** Weights of the single losses, broadcast to the input's shape. Default: `null`. */
  weight?: tf.Tensor | null;
}

function checkTarget(name: string, input: tf.Tensor, target: tf.Tensor): void {
  checkTensor(name, input);
  checkTensor(name, target, "target", 2);
  checkFloating(`${name}()`, input);
  if (!tf.util.arraysEqual(input.shape, target.shape)) {
    throw new Error(
      `${name}(): Target size ${shapeText(target.shape)} must be the same as ` +
        `input size ${shapeText(input.shape)}`,
    );
  }
  if (target.dtype !== "float32") {
    throw new TypeError(`${name}(): Found target dtype ${dtypeName(target)} but expected Float`);
  }
}

/** The product, which has the shape of the first factor. */
function weigh(name: string, losses: tf.Tensor, weight: tf.Tensor | null): tf.Tensor {
  if (weight === null) return losses;
  const shape = broadcastShape(losses.shape, weight.shape, `${name}()`);
  if (tf.util.arraysEqual(shape, losses.shape)) return tf.mul(losses, weight);
  throw new Error(
    `${name}(): output with shape ${listText(losses.shape)} doesn't match the broadcast shape ` +
      listText(shape),
  );
}

/**
 * `max(log x, -100)`, which keeps it finite, as in PyTorch. (On webgl, log(0) is some finite
 * number.)
 */
function boundedLog(x: tf.Tensor, isZero: tf.Tensor, log: tf.Tensor): tf.Tensor {
  return select(isZero, tf.fill(x.shape, -100), atLeast(log, -100));
}

function checkProbability(name: string, x: tf.Tensor): void {
  if (x.dataSync().every((one) => one >= 0 && one <= 1)) return;
  throw new RangeError(`binary_cross_entropy(): all elements of ${name} should be between 0 and 1`);
}

/**
 * `-(y log x + (1 - y) log(1 - x))`, each logarithm at least -100.
 *
 * Shapes: input and target `(*)`, both between 0 and 1 → scalar, or `(*)` without reduction.
 *
 * @throws if the shapes differ, or a number is not between 0 and 1.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html
 */
export const binaryCrossEntropy = /* @__PURE__ */ op(
  "binary_cross_entropy",
  (input: tf.Tensor, target: tf.Tensor, options?: BinaryCrossEntropyOptions): tf.Tensor => {
    const defaults: Required<BinaryCrossEntropyOptions> = { ...REDUCTION, weight: null };
    const read = readOptions("binaryCrossEntropy", defaults, options);
    const reduction = readReduction("binary_cross_entropy()", read);
    checkTarget("binary_cross_entropy", input, target);
    checkProbability("input", input);
    checkProbability("target", target);
    const yes = boundedLog(input, tf.equal(input, 0), tf.log(input));
    const no = boundedLog(input, tf.equal(input, 1), tf.log1p(tf.neg(input)));
    const losses = tf.sub(tf.mul(tf.sub(target, 1), no), tf.mul(target, yes));
    return reduceLoss(weigh("binary_cross_entropy", losses, read.weight), reduction);
  },
);

export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** Weights of positive examples, broadcast to the input's shape. Default: `null`. */
  posWeight?: tf.Tensor | null;
}

/** `-log sigmoid(x)`, without overflow. */
function negLogSigmoid(x: tf.Tensor): tf.Tensor {
  return tf.add(atLeast(tf.neg(x), 0), tf.log1p(tf.exp(tf.neg(tf.abs(x)))));
}

/**
 * `binaryCrossEntropy(sigmoid(x), y)`, computed without cancellation.
 *
 * Shapes: input and target `(*)` → scalar, or `(*)` without reduction.
 *
 * @throws if the shapes differ.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html
 */
export const binaryCrossEntropyWithLogits = /* @__PURE__ */ op(
  "binary_cross_entropy_with_logits",
  (
    input: tf.Tensor,
    target: tf.Tensor,
    options?: BinaryCrossEntropyWithLogitsOptions,
  ): tf.Tensor => {
    const name = "binary_cross_entropy_with_logits";
    const defaults = { ...REDUCTION, weight: null, posWeight: null };
    const read = readOptions<Required<BinaryCrossEntropyWithLogitsOptions>>(
      "binaryCrossEntropyWithLogits",
      defaults,
      options,
    );
    const reduction = readReduction(`${name}()`, read);
    checkTarget(name, input, target);
    const { posWeight } = read;
    let positive = negLogSigmoid(input);
    if (posWeight !== null) {
      const shape = broadcastShape(posWeight.shape, target.shape, `${name}()`);
      const factor = tf.add(tf.mul(tf.sub(posWeight, 1), target), 1);
      positive = tf.mul(expand(factor, shape), positive);
    }
    const losses = tf.add(tf.mul(tf.sub(1, target), input), positive);
    return reduceLoss(weigh(name, losses, read.weight), reduction);
  },
);

/**
 * `log(1 + exp(-y x))` for targets y of 1 and -1.
 *
 * Shapes: input and target `(*)` → scalar, or `(*)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.soft_margin_loss.html
 */
export const softMarginLoss = /* @__PURE__ */ op(
  "soft_margin_loss",
  (input: tf.Tensor, target: tf.Tensor, options?: ReductionOptions): tf.Tensor => {
    const read = readOptions("softMarginLoss", REDUCTION, options);
    const reduction = readReduction("soft_margin_loss()", read);
    checkTensor("soft_margin_loss", input);
    checkTensor("soft_margin_loss", target, "target", 2);
    checkFloating("soft_margin_loss()", input);
    const agreement = weigh("soft_margin_loss", input, target);
    return reduceLoss(tf.log1p(tf.exp(tf.neg(agreement))), reduction);
  },
);

/**
 * The mean over the classes of the binary cross entropies with logits.
 *
 * Shapes: input and target `(N, C)` or `(C)` → scalar, or `(N)` without reduction.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_soft_margin_loss.html
 */
export const multilabelSoftMarginLoss = /* @__PURE__ */ op(
  "multilabel_soft_margin_loss",
  (input: tf.Tensor, target: tf.Tensor, options?: BinaryCrossEntropyOptions): tf.Tensor => {
    const name = "multilabel_soft_margin_loss";
    const defaults: Required<BinaryCrossEntropyOptions> = { ...REDUCTION, weight: null };
    const read = readOptions("multilabelSoftMarginLoss", defaults, options);
    checkTensor(name, input);
    checkTensor(name, target, "target", 2);
    checkFloating(`${name}()`, input);
    checkNumberTensor(name, target);
    const [y, x] = broadcast(`${name}()`, tf.cast(target, "float32"), input);
    if (x.rank === 0) throw new RangeError(`${name}(): expected (N, C) or (C), got a scalar`);
    const no = tf.mul(tf.sub(1, y), negLogSigmoid(tf.neg(x)));
    let losses = tf.add(tf.mul(y, negLogSigmoid(x)), no);
    if (read.weight !== null) losses = tf.mul(losses, read.weight);
    // Multiplied with the reciprocal, because tfjs' 0 / 0 is 1 on webgl.
    const count = tf.scalar(input.shape.at(-1)!);
    const perSample = tf.mul(sum(losses, input.rank - 1), tf.reciprocal(count));
    return reduceLoss(perSample, readReduction(`${name}()`, read));
  },
);
