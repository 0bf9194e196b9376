import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloatTensor, checkTensor } from "./check.js";
import { checkChannels, checkEps, checkSpread, moments, scaleAndShift } from "./norm.js";
import { groupNorm } from "./normalization.js";
import { op, tryKernel } from "./op.js";

type Vector = tf.Tensor | null;

export interface BatchNormOptions {
  /** `(C)`, or `null` for none (the default). */
  weight?: Vector;
  /** `(C)`, or `null` for none (the default). */
  bias?: Vector;
  /** Normalise with the batch's own statistics. Default: `false`. */
  training?: boolean;
  /**
   * The weight of a batch in the running statistics, which the layer updates; nothing is updated
   * here. Default: 0.1.
   */
  momentum?: number;
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
}

const BATCH_NORM: Required<BatchNormOptions> = {
  weight: null,
  bias: null,
  training: false,
  momentum: 0.1,
  eps: 1e-5,
};

/**
 * `(x - mean) / √(var + eps) · weight + bias`, channel by channel; mean and variance are the
 * running ones, in training the batch's.
 *
 * Shapes: input `(N, C, *)` → the same; all vectors `(C)`. The running statistics that are given
 * stay as they are: the layer updates its own.
 *
 * @throws if a vector has not C elements, or in training with one value per channel.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html
 */
export const batchNorm = /* @__PURE__ */ op(
  "batch_norm",
  (
    input: tf.Tensor,
    runningMean: Vector,
    runningVar: Vector,
    options?: BatchNormOptions,
  ): tf.Tensor => {
    const { weight, bias, training, eps } = readOptions("batchNorm", BATCH_NORM, options);
    checkTensor("batch_norm", input);
    checkFloatTensor("batch_norm", input);
    checkEps("batch_norm", eps, training);
    const { shape } = input;
    const channels = shape[1] ?? 0;
    if (training) checkSpread("value per channel", input.size / channels, shape);
    else if (runningMean === null || runningVar === null) {
      const missing = runningMean === null ? "running_mean" : "running_var";
      throw new Error(`${missing} must be defined in evaluation mode`);
    }
    checkChannels(channels, { running_mean: runningMean, running_var: runningVar, weight, bias });
    if (input.size === 0) return tf.zeros(shape);
    const own = !training && tryKernel("batch norm", input, runningMean, runningVar, eps, weight, bias); // prettier-ignore
    if (own) return own as tf.Tensor;
    /** Reshapes a vector so that it broadcasts against `(N, C, *)`. */
    const perChannel = (vector: tf.Tensor): tf.Tensor =>
      tf.reshape(vector, [-1, ...shape.slice(2).fill(1)]);
    const { centred, variance } = training
      ? moments(
          input,
          [...shape.keys()].filter((i) => i !== 1),
        )
      : { centred: tf.sub(input, perChannel(runningMean!)), variance: perChannel(runningVar!) };
    const affine = [weight, bias].map((v) => v && perChannel(v)) as [Vector, Vector];
    return scaleAndShift(centred, variance, eps, ...affine);
  },
);

export interface InstanceNormOptions {
  /** `(C)`, or `null` for none (the default). */
  runningMean?: Vector;
  /** `(C)`, or `null` for none (the default). */
  runningVar?: Vector;
  /** `(C)`, or `null` for none (the default). */
  weight?: Vector;
  /** `(C)`, or `null` for none (the default). */
  bias?: Vector;
  /** Normalise with each plane's own statistics, not the running ones. Default: `true`. */
  useInputStats?: boolean;
  /**
   * The weight of a batch in the running statistics, which the layer updates; nothing is updated
   * here. Default: 0.1.
   */
  momentum?: number;
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
}

const INSTANCE_NORM: Required<InstanceNormOptions> = {
  runningMean: null,
  runningVar: null,
  weight: null,
  bias: null,
  useInputStats: true,
  momentum: 0.1,
  eps: 1e-5,
};

/**
 * `(x - mean) / √(var + eps) · weight + bias`, mean and variance of each plane of each sample.
 *
 * Shapes: input `(N, C, *)` → the same; all vectors `(C)`.
 *
 * @throws if a vector has not C elements, or if planes of one element are their own statistics.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.instance_norm.html
 */
export const instanceNorm = /* @__PURE__ */ op(
  "instance_norm",
  (input: tf.Tensor, options?: InstanceNormOptions): tf.Tensor => {
    const read = readOptions("instanceNorm", INSTANCE_NORM, options);
    const { runningMean, runningVar, weight, bias, useInputStats, eps } = read;
    checkTensor("instance_norm", input);
    checkFloatTensor("instance_norm", input);
    const { shape } = input;
    if (useInputStats) checkSpread("spatial element", tf.util.sizeFromShape(shape.slice(2)), shape);
    else if (runningMean === null || runningVar === null) {
      throw new Error(
        "Expected running_mean and running_var to be defined when use_input_stats is false",
      );
    }
    checkChannels(shape[1]!, { running_mean: runningMean, running_var: runningVar, weight, bias });
    if (input.size === 0) return tf.zeros(shape);
    // The same as a group norm with one channel per group, whose kernel serves both.
    return useInputStats
      ? groupNorm(input, shape[1]!, { weight, bias, eps })
      : batchNorm(input, runningMean, runningVar, { weight, bias, eps });
  },
);
