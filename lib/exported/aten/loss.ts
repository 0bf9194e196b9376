import * as tf from "@tensorflow/tfjs-core";
import * as F from "../../functional/index.js";
import { reduceLoss } from "../../functional/reduction.js";
import { vectorNorm } from "../../functional/vector-norm.js";
import { alike, arithmetic, where } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { toFloat } from "./support/dtype.js";
import { dimOf, permuteAxes } from "./support/shape.js";

/** The sum; tfjs-wasm gives an arbitrary value for an empty one. */
const sumOf = (x: tf.Tensor): tf.Tensor => (x.size === 0 ? tf.scalar(0) : tf.sum(x));

/** 0: none, 1: mean, 2: sum. */
const how = (reduction: number) => (["none", "mean", "sum"] as const)[reduction]!;
const reduce = (x: tf.Tensor, reduction: number): tf.Tensor => reduceLoss(x, how(reduction));

const minus = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => arithmetic(tf.sub, toFloat(a), toFloat(b));

const elementwise =
  (loss: (difference: tf.Tensor) => tf.Tensor) =>
  (self: tf.Tensor, target: tf.Tensor, reduction = 1): tf.Tensor =>
    reduce(loss(minus(self, target)), reduction);

function smoothL1(self: tf.Tensor, target: tf.Tensor, reduction = 1, beta = 1): tf.Tensor {
  const size = tf.abs(minus(self, target));
  if (beta === 0) return reduce(size, reduction);
  const near = tf.div(tf.square(size), 2 * beta);
  return reduce(where(tf.less(size, beta), near, tf.sub(size, beta / 2)), reduction);
}

const huber = (self: tf.Tensor, target: tf.Tensor, reduction = 1, delta = 1): tf.Tensor =>
  tf.mul(smoothL1(self, target, reduction, delta), delta);

/** As in PyTorch, logarithms are at least -100. */
function binaryCrossEntropy(
  self: tf.Tensor,
  target: tf.Tensor,
  weight: tf.Tensor | null = null,
  reduction = 1,
): tf.Tensor {
  const log = (x: tf.Tensor): tf.Tensor => tf.maximum(tf.log(x), tf.scalar(-100));
  const left = tf.mul(target, log(self));
  const right = tf.mul(tf.sub(1, target), log(tf.sub(1, self)));
  return reduce(tf.mul(tf.neg(tf.add(left, right)), weight ?? 1), reduction);
}

function withLogits(
  self: tf.Tensor,
  target: tf.Tensor,
  weight: tf.Tensor | null = null,
  posWeight: tf.Tensor | null = null,
  reduction = 1,
): tf.Tensor {
  // (1 - t) x - (1 + (w - 1) t) log σ(x)
  const factor = posWeight ? tf.add(1, tf.mul(tf.sub(posWeight, 1), target)) : 1;
  const loss = tf.sub(tf.mul(tf.sub(1, target), self), tf.mul(factor, F.logsigmoid(self)));
  return reduce(tf.mul(loss, weight ?? 1), reduction);
}

/** The classes are in dimension 1, or in the only one. */
function nll(
  self: tf.Tensor,
  target: tf.Tensor,
  weight: tf.Tensor | null = null,
  reduction = 1,
  ignoreIndex = -100,
): [tf.Tensor, tf.Tensor] {
  const at = self.rank === 1 ? 0 : 1;
  const classes = self.shape[at]!;
  const order = [...self.shape.map((_, i) => i).filter((i) => i !== at), at];
  const rows = tf.reshape(permuteAxes(self, order), [-1, classes]);
  const given = tf.reshape(target, [-1]);
  const counts = tf.notEqual(given, tf.scalar(ignoreIndex, "int32"));
  const safe = where(counts, given, 0);
  const hit = tf.equal(tf.range(0, classes, 1, "int32"), tf.reshape(safe, [-1, 1]));
  const weights = weight === null ? toFloat(counts) : where(counts, tf.gather(weight, safe), 0); // prettier-ignore
  const picked = tf.sum(where(hit, rows, 0), 1);
  const losses = where(counts, tf.mul(tf.neg(picked), weights), 0);
  const total = sumOf(weights);
  if (reduction === 0) return [tf.reshape(losses, target.shape), tf.scalar(0)];
  const sum = sumOf(losses);
  return [reduction === 1 ? tf.mul(sum, tf.reciprocal(total)) : sum, total];
}

/** With targets that are classes, or probabilities. */
function crossEntropy(
  self: tf.Tensor,
  target: tf.Tensor,
  weight: tf.Tensor | null = null,
  reduction = 1,
  ignoreIndex = -100,
  smoothing = 0,
): tf.Tensor {
  const at = self.rank === 1 ? 0 : 1;
  const logs = F.logSoftmax(self, { dim: at });
  const classes = self.shape[at]!;
  const shaped = self.shape.map((_, i) => (i === at ? classes : 1));
  const each = weight === null ? logs : tf.mul(logs, tf.reshape(weight, shaped));
  if (target.dtype === "float32") {
    const smoothed = tf.add(tf.mul(target, 1 - smoothing), smoothing / classes);
    const loss = tf.neg(tf.sum(tf.mul(each, smoothed), at));
    return reduction === 1 ? tf.div(sumOf(loss), loss.size) : reduce(loss, reduction);
  }
  const [loss, total] = nll(logs, target, weight, reduction, ignoreIndex);
  if (smoothing === 0) return loss;
  const counts = tf.notEqual(target, tf.scalar(ignoreIndex, "int32"));
  const even = where(counts, tf.neg(tf.sum(each, at)), 0);
  const mean = reduction === 1 ? tf.div(sumOf(even), total) : reduce(even, reduction);
  return tf.add(tf.mul(loss, 1 - smoothing), tf.mul(mean, smoothing / classes));
}

function klDiv(self: tf.Tensor, target: tf.Tensor, reduction = 1, logTarget = false): tf.Tensor {
  if (logTarget) return reduce(tf.mul(tf.exp(target), tf.sub(target, self)), reduction);
  const entropy = where(tf.equal(target, 0), 0, tf.mul(target, tf.log(target)));
  return reduce(tf.sub(entropy, tf.mul(target, self)), reduction);
}

function cosineSimilarity(x1: tf.Tensor, x2: tf.Tensor, dim = 1, eps = 1e-8): tf.Tensor {
  if (x1.rank === 0 && x2.rank === 0) {
    return tf.reshape(cosineSimilarity(tf.reshape(x1, [1]), tf.reshape(x2, [1]), 0, eps), []);
  }
  const [a, b] = alike(x1, x2);
  const at = dimOf("cosine_similarity", a, dim);
  const length = (x: tf.Tensor): tf.Tensor =>
    tf.maximum(tf.sqrt(tf.sum(tf.square(x), at, true)), tf.scalar(eps));
  return tf.sum(tf.mul(tf.div(a, length(a)), tf.div(b, length(b))), at);
}

function pairwiseDistance(
  x1: tf.Tensor,
  x2: tf.Tensor,
  p = 2,
  eps = 1e-6,
  keepdim = false,
): tf.Tensor {
  const difference = tf.add(tf.sub(x1, x2), eps);
  return vectorNorm(difference, p, [difference.rank - 1], keepdim);
}

export const lossOps = defineOps({
  "mse_loss(self, target, reduction)": elementwise(tf.square),
  "l1_loss(self, target, reduction)": elementwise(tf.abs),
  "smooth_l1_loss(self, target, reduction, beta)": smoothL1,
  "huber_loss(self, target, reduction, delta)": huber,
  "binary_cross_entropy(self, target, weight, reduction)": binaryCrossEntropy,
  "binary_cross_entropy_with_logits(self, target, weight, pos_weight, reduction)": withLogits,
  "nll_loss|nll_loss2d|nll_loss_nd(self, target, weight, reduction, ignore_index)": (
    ...args: Parameters<typeof nll>
  ) => nll(...args)[0],
  "nll_loss_forward|nll_loss2d_forward(self, target, weight, reduction, ignore_index)": nll,
  "cross_entropy_loss(self, target, weight, reduction, ignore_index, label_smoothing)":
    crossEntropy,
  "kl_div(self, target, reduction, log_target)": klDiv,
  "cosine_similarity(x1, x2, dim, eps)": cosineSimilarity,
  "pairwise_distance(x1, x2, p, eps, keepdim)": pairwiseDistance,
  "soft_margin_loss(self, target, reduction)": (
    self: tf.Tensor,
    target: tf.Tensor,
    reduction = 1,
  ) => reduce(tf.log1p(tf.exp(tf.neg(tf.mul(self, target)))), reduction),
  "hinge_embedding_loss(self, target, margin, reduction)": (
    self: tf.Tensor,
    target: tf.Tensor,
    margin = 1,
    reduction = 1,
  ) => {
    const [near, far] = [where(tf.notEqual(target, -1), self, 0), F.relu(tf.sub(margin, self))];
    return reduce(tf.add(near, where(tf.notEqual(target, 1), far, 0)), reduction);
  },
  "margin_ranking_loss(input1, input2, target, margin, reduction)": (
    a: tf.Tensor,
    b: tf.Tensor,
    target: tf.Tensor,
    margin = 0,
    reduction = 1,
  ) => reduce(F.relu(tf.add(tf.mul(tf.neg(target), tf.sub(a, b)), margin)), reduction),
  "multi_margin_loss(self, target, p, margin, weight, reduction)": (
    self: tf.Tensor,
    target: tf.Tensor,
    p?: 1 | 2,
    margin?: number,
    weight?: tf.Tensor | null,
    reduction = 1,
  ) => F.multiMarginLoss(self, target, { p, margin, weight, reduction: how(reduction) }),
  "multilabel_margin_loss(self, target, reduction)": (
    self: tf.Tensor,
    target: tf.Tensor,
    reduction = 1,
  ) => F.multilabelMarginLoss(self, target, { reduction: how(reduction) }),
  "poisson_nll_loss(input, target, log_input, full, eps, reduction)": (
    input: tf.Tensor,
    target: tf.Tensor,
    logInput: boolean,
    full: boolean,
    eps: number,
    reduction: number,
  ) => {
    const [x, t] = [toFloat(input), toFloat(target)];
    const plain = logInput
      ? tf.sub(tf.exp(x), tf.mul(t, x))
      : tf.sub(x, tf.mul(t, tf.log(tf.add(x, eps))));
    // Stirling's approximation of the factorial, for targets above 1.
    const stirling = tf.add(tf.sub(tf.mul(t, tf.log(t)), t), tf.mul(tf.log(tf.mul(t, 2 * Math.PI)), 0.5)); // prettier-ignore
    return reduce(full ? tf.add(plain, where(tf.greater(t, 1), stirling, 0)) : plain, reduction);
  },
  "triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction)": (
    anchor: tf.Tensor,
    positive: tf.Tensor,
    negative: tf.Tensor,
    margin = 1,
    p = 2,
    eps = 1e-6,
    swap = false,
    reduction = 1,
  ) => {
    const near = pairwiseDistance(anchor, positive, p, eps);
    let far = pairwiseDistance(anchor, negative, p, eps);
    if (swap) far = tf.minimum(far, pairwiseDistance(positive, negative, p, eps));
    return reduce(F.relu(tf.add(tf.sub(near, far), margin)), reduction);
  },
  "cosine_embedding_loss(input1, input2, target, margin, reduction)": (
    a: tf.Tensor,
    b: tf.Tensor,
    target: tf.Tensor,
    margin = 0,
    reduction = 1,
  ) => {
    const cos = cosineSimilarity(toFloat(a), toFloat(b), -1, 1e-12);
    const near = where(tf.equal(target, 1), tf.sub(1, cos), 0);
    const far = where(tf.equal(target, -1), F.relu(tf.sub(cos, margin)), 0);
    return reduce(tf.add(near, far), reduction);
  },
});
