import * as tf from "@tensorflow/tfjs-core";
import * as F from "../../functional/index.js";
import { moments } from "../../functional/norm.js";
import { updateStatistics } from "../../functional/running-statistics.js";
import { vectorNorm } from "../../functional/vector-norm.js";
import { divide, where } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { around, dimOf } from "./support/shape.js";

type Maybe = tf.Tensor | null;
type Sizes = readonly number[];

/** Normalises by the batch's statistics in training, else by the running ones. */
function batchNorm(
  input: tf.Tensor,
  weight: Maybe,
  bias: Maybe,
  runningMean: Maybe,
  runningVar: Maybe,
  training: boolean,
  momentum: number,
  eps: number,
): tf.Tensor {
  const useBatch = training || runningMean === null || runningVar === null;
  return F.batchNorm(input, runningMean, runningVar, {
    weight,
    bias,
    training: useBatch,
    momentum,
    eps,
  });
}

const rsqrt = (variance: tf.Tensor, eps: number): tf.Tensor => tf.rsqrt(tf.add(variance, eps));

/** The output, and the batch's mean and 1/σ, which are empty outside of training. */
function nativeBatchNorm(
  input: tf.Tensor,
  weight: Maybe,
  bias: Maybe,
  runningMean: Maybe,
  runningVar: Maybe,
  training: boolean,
  momentum: number,
  eps: number,
): tf.Tensor[] {
  const output = batchNorm(input, weight, bias, runningMean, runningVar, training, momentum, eps);
  if (!training) return [output, tf.zeros([0]), tf.zeros([0])];
  const axes = input.shape.map((_, i) => i).filter((i) => i !== 1);
  const { mean, variance } = moments(input, axes);
  return [output, tf.reshape(mean, [-1]), tf.reshape(rsqrt(variance, eps), [-1])];
}

/** Likewise, with the new running statistics. */
function functionalBatchNorm(
  input: tf.Tensor,
  weight: Maybe,
  bias: Maybe,
  mean: tf.Tensor,
  variance: tf.Tensor,
  training: boolean,
  momentum: number,
  eps: number,
): tf.Tensor[] {
  const results = nativeBatchNorm(input, weight, bias, mean, variance, training, momentum, eps);
  const next = training
    ? updateStatistics({ mean, variance }, input, momentum, false)
    : { mean, variance };
  return [...results, next.mean, next.variance];
}

/** The output, mean and 1/σ; these two keep the normalised dimensions with size 1. */
function nativeLayerNorm(
  input: tf.Tensor,
  shape: Sizes,
  weight: Maybe,
  bias: Maybe,
  eps: number,
): tf.Tensor[] {
  const output = F.layerNorm(input, shape, { weight, bias, eps });
  const axes = shape.map((_, i) => input.rank - shape.length + i);
  if (input.size === 0) {
    const kept = input.shape.map((size, i) => (axes.includes(i) ? 1 : size));
    return [output, tf.zeros(kept), tf.fill(kept, NaN)];
  }
  const { mean, variance } = moments(input, axes);
  return [output, mean, rsqrt(variance, eps)];
}

function nativeGroupNorm(
  input: tf.Tensor,
  weight: Maybe,
  bias: Maybe,
  n: number,
  _channels: number,
  _size: number,
  groups: number,
  eps: number,
): tf.Tensor[] {
  const output = groupNorm(input, groups, weight, bias, eps);
  if (input.size === 0) return [output, tf.zeros([n, groups]), tf.zeros([n, groups])];
  const { mean, variance } = moments(tf.reshape(input, [n, groups, -1]), [2]);
  return [output, tf.reshape(mean, [n, groups]), tf.reshape(rsqrt(variance, eps), [n, groups])];
}

const groupNorm = (
  input: tf.Tensor,
  groups: number,
  weight: Maybe = null,
  bias: Maybe = null,
  eps = 1e-5,
): tf.Tensor => F.groupNorm(input, groups, { weight, bias, eps });

/** `v · g / ‖v‖` with the norm over all dimensions but one. */
function weightNorm(v: tf.Tensor, g: tf.Tensor, dim = 0): [tf.Tensor, tf.Tensor] {
  const kept = dim === -1 ? -1 : dimOf("weight_norm", v, dim);
  const axes = v.shape.map((_, i) => i).filter((i) => i !== kept);
  const norm = vectorNorm(v, 2, axes, true);
  return [tf.mul(v, divide(g, norm)), norm];
}

/** Scales slices along a dimension down to a norm of at most `maxnorm`. */
function renorm(self: tf.Tensor, p: number, dim: number, maxnorm: number): tf.Tensor {
  const at = dimOf("renorm", self, dim);
  const [before, size, behind] = around(self, at);
  const norm = vectorNorm(tf.reshape(self, [before, size, behind]), p, [0, 2], true);
  const isLong = tf.greater(norm, tf.scalar(maxnorm));
  const scale = where(isLong, tf.div(maxnorm, tf.add(norm, 1e-7)), 1);
  return tf.reshape(tf.mul(tf.reshape(self, [before, size, behind]), scale), self.shape);
}

/** With an empty reserve, which only a gradient would need. */
const batchNormWithReserve =
  (isTraining: boolean) =>
  (
    input: tf.Tensor,
    weight: Maybe,
    bias: Maybe,
    mean: Maybe,
    variance: Maybe,
    momentum: number,
    eps: number,
  ): tf.Tensor[] => [
    ...nativeBatchNorm(input, weight, bias, mean, variance, isTraining, momentum, eps),
    tf.zeros([0]),
  ];

export const normOps = defineOps({
  "batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled)":
    batchNorm,
  "native_batch_norm|_native_batch_norm_legit(input, weight, bias, running_mean, running_var, training, momentum, eps)":
    nativeBatchNorm,
  "_native_batch_norm_legit_functional(input, weight, bias, running_mean, running_var, training, momentum, eps)":
    functionalBatchNorm,
  "_batch_norm_with_update(input, weight, bias, running_mean, running_var, momentum, eps)":
    batchNormWithReserve(true),
  "_batch_norm_with_update_functional(input, weight, bias, running_mean, running_var, momentum, eps)":
    (
      input: tf.Tensor,
      weight: Maybe,
      bias: Maybe,
      mean: tf.Tensor,
      variance: tf.Tensor,
      momentum: number,
      eps: number,
    ) => {
      const all = functionalBatchNorm(input, weight, bias, mean, variance, true, momentum, eps);
      // In between there is a result that only a gradient would need.
      return [...all.slice(0, 3), tf.zeros([0]), ...all.slice(3)];
    },
  "_native_batch_norm_legit_no_training(input, weight, bias, running_mean, running_var, momentum, eps)":
    (
      input: tf.Tensor,
      weight: Maybe,
      bias: Maybe,
      mean: Maybe,
      variance: Maybe,
      momentum: number,
      eps: number,
    ) => nativeBatchNorm(input, weight, bias, mean, variance, false, momentum, eps),
  "_native_batch_norm_legit.no_stats(input, weight, bias, training, momentum, eps)": (
    input: tf.Tensor,
    weight: Maybe,
    bias: Maybe,
    _training: boolean,
    momentum: number,
    eps: number,
  ) => nativeBatchNorm(input, weight, bias, null, null, true, momentum, eps),
  "_batch_norm_no_update(input, weight, bias, running_mean, running_var, momentum, eps)":
    batchNormWithReserve(false),
  "cudnn_batch_norm(input, weight, bias, running_mean, running_var, training, exponential_average_factor, epsilon)":
    (...args: Parameters<typeof nativeBatchNorm>) => [...nativeBatchNorm(...args), tf.zeros([0])],
  "instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled)":
    (
      input: tf.Tensor,
      weight: Maybe,
      bias: Maybe,
      runningMean: Maybe,
      runningVar: Maybe,
      useInputStats: boolean,
      momentum: number,
      eps: number,
    ) =>
      F.instanceNorm(input, {
        weight,
        bias,
        runningMean,
        runningVar,
        useInputStats,
        momentum,
        eps,
      }),
  "layer_norm(input, normalized_shape, weight, bias, eps, cudnn_enable)": (
    input: tf.Tensor,
    shape: Sizes,
    weight: Maybe = null,
    bias: Maybe = null,
    eps = 1e-5,
  ) => F.layerNorm(input, shape, { weight, bias, eps }),
  "native_layer_norm(input, normalized_shape, weight, bias, eps)": nativeLayerNorm,
  "rms_norm(input, normalized_shape, weight, eps)": (
    input: tf.Tensor,
    shape: Sizes,
    weight: Maybe = null,
    eps: number | null = null,
  ) => F.rmsNorm(input, shape, { weight, eps }),
  "_fused_rms_norm(input, normalized_shape, weight, eps)": (
    input: tf.Tensor,
    shape: Sizes,
    weight: Maybe,
    eps: number | null,
  ) => {
    const axes = shape.map((_, i) => input.rank - shape.length + i);
    const meanSquare = tf.mean(tf.square(input), axes, true);
    return [F.rmsNorm(input, shape, { weight, eps }), rsqrt(meanSquare, eps ?? 2 ** -23)];
  },
  "group_norm(input, num_groups, weight, bias, eps, cudnn_enabled)": groupNorm,
  "native_group_norm(input, weight, bias, N, C, HxW, group, eps)": nativeGroupNorm,
  "_weight_norm(v, g, dim)": (v: tf.Tensor, g: tf.Tensor, dim = 0) => weightNorm(v, g, dim)[0],
  "_weight_norm_interface(v, g, dim)": weightNorm,
  "renorm(self, p, dim, maxnorm)": renorm,
});
