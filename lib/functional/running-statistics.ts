import * as tf from "@tensorflow/tfjs-core";
import { moments } from "./norm.js";

export interface RunningStatistics {
  mean: tf.Tensor;
  variance: tf.Tensor;
}

/**
 * The running statistics after one more batch of `(N, C, *)`. Not public: in PyTorch it is a side
 * effect of batch_norm and instance_norm, here the layers do it.
 *
 * @param share the weight of this batch.
 * @param perInstance average the statistics of single samples, as instance_norm does.
 */
export function updateStatistics(
  running: RunningStatistics,
  input: tf.Tensor,
  share: number | tf.Tensor,
  perInstance: boolean,
): RunningStatistics {
  if (input.size === 0) return running;
  const spatial = Array.from({ length: input.rank - 2 }, (_, i) => i + 2);
  const batch = moments(input, perInstance ? spatial : [0, ...spatial]);
  const n = input.size / batch.mean.size;
  const blend = (old: tf.Tensor, now: tf.Tensor): tf.Tensor => {
    const samples = tf.reshape(now, [now.size / old.size, old.size]);
    return tf.add(tf.mul(old, tf.sub(1, share)), tf.mul(tf.mean(samples, 0), share));
  };
  return {
    mean: blend(running.mean, batch.mean),
    variance: blend(running.variance, tf.mul(batch.variance, n / (n - 1))),
  };
}

/** Counts one more batch; `share` is its weight in an average over all batches. */
export function countBatch(count: tf.Tensor): { count: tf.Tensor; share: tf.Tensor } {
  const next = tf.add(count, tf.scalar(1, "int32"));
  return { count: next, share: tf.reciprocal(tf.cast(next, "float32")) };
}
