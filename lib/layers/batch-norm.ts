import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { countBatch, updateStatistics } from "../functional/running-statistics.js";
import {
  Buffer,
  Empty,
  formatFloat,
  formatPython,
  init,
  Module,
  Parameter,
} from "../module/index.js";

export interface NormOptions {
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
  /** The share of the newest batch in the running statistics; `null`: their average. Default: 0.1. */
  momentum?: number | null;
  /** Learn a weight and a bias for each channel. Default: `true`, for InstanceNorm `false`. */
  affine?: boolean;
  /** Keep running statistics, for eval mode. Default: `true`, for InstanceNorm `false`. */
  trackRunningStats?: boolean;
  /** With `affine`: learn the bias too. Default: `true`. */
  bias?: boolean;
}

/** A count of 0, for a model that has no storage yet. */
const NO_BATCHES = {
  shape: [],
  dtype: "int32",
  toFloat32: () => new Float32Array(1),
  toInt32: () => new Int32Array(1),
};

/** What BatchNorm and InstanceNorm have in common. */
abstract class NormBase extends Module {
  readonly eps: number;
  readonly momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly running_mean: Buffer | null;
  readonly running_var: Buffer | null;
  readonly num_batches_tracked: Buffer | null;

  constructor(
    readonly numFeatures: number,
    options: Required<NormOptions>,
  ) {
    super();
    const { eps, momentum, affine, trackRunningStats: track, bias } = options;
    this.eps = eps;
    this.momentum = momentum;
    this.affine = affine;
    this.trackRunningStats = track;
    this.weight = affine ? new Parameter(new Empty([numFeatures])) : null;
    this.bias = affine && bias ? new Parameter(new Empty([numFeatures])) : null;
    this.running_mean = track ? new Buffer(new Empty([numFeatures])) : null;
    this.running_var = track ? new Buffer(new Empty([numFeatures])) : null;
    this.num_batches_tracked = track ? new Buffer(new Empty([], "int32")) : null;
    this.resetParameters();
    this.registerLoadStateDictPreHook((state, prefix) => {
      const { num_batches_tracked: count } = this;
      const key = `${prefix}num_batches_tracked`;
      // Checkpoints from before PyTorch 0.4.1 have no such key.
      if (count && !state.has(key)) state.set(key, count.isMeta ? NO_BATCHES : count);
    });
  }

  resetRunningStats(): void {
    if (this.running_mean) init.zeros_(this.running_mean);
    if (this.running_var) init.ones_(this.running_var);
    if (this.num_batches_tracked) init.zeros_(this.num_batches_tracked);
  }

  resetParameters(): void {
    this.resetRunningStats();
    if (this.weight) init.ones_(this.weight);
    if (this.bias) init.zeros_(this.bias);
  }

  /** The ranks of input that the layer takes. */
  protected abstract ranks(): readonly number[];

  protected checkRank(x: tf.Tensor): void {
    if (this.ranks().includes(x.rank)) return;
    const want = this.ranks().map((rank) => `${rank}D`);
    throw new RangeError(`expected ${want.join(" or ")} input (got ${x.rank}D input)`);
  }

  /** Takes a batch into the running statistics, where there are any. */
  protected track(x: tf.Tensor, share: number | tf.Tensor, perInstance: boolean): void {
    const { running_mean: mean, running_var: variance } = this;
    if (mean === null || variance === null || x.size === 0) return;
    const next = updateStatistics({ mean, variance }, x, share, perInstance);
    mean.assign(next.mean);
    variance.assign(next.variance);
  }

  override extraRepr(): string {
    const momentum = this.momentum === null ? "None" : formatFloat(this.momentum);
    return (
      `${this.numFeatures}, eps=${formatFloat(this.eps)}, momentum=${momentum}, ` +
      `affine=${formatPython(this.affine)}, bias=${formatPython(this.bias !== null)}, ` +
      `track_running_stats=${formatPython(this.trackRunningStats)}`
    );
  }
}

abstract class BatchNormNd extends NormBase {
  constructor(where: string, numFeatures: number, options: NormOptions | undefined) {
    const defaults = {
      eps: 1e-5,
      momentum: 0.1,
      affine: true,
      trackRunningStats: true,
      bias: true,
    };
    super(numFeatures, readOptions<Required<NormOptions>>(where, defaults, options));
  }

  override forward(x: tf.Tensor): tf.Tensor {
    this.checkRank(x);
    const { running_mean: mean, running_var: variance, weight, bias, eps } = this;
    const training = this.training || (mean === null && variance === null);
    const y = F.batchNorm(x, mean, variance, { weight, bias, training, eps });
    if (this.training && this.num_batches_tracked !== null) {
      const { count, share } = countBatch(this.num_batches_tracked);
      this.num_batches_tracked.assign(count);
      this.track(x, this.momentum ?? share, false);
    }
    return y;
  }
}

/**
 * `(x - mean) / √(var + eps) · weight + bias` for each channel of `(N, C)` or `(N, C, L)`.
 *
 * In eval mode with the running statistics, in training mode (and where none are tracked) with the
 * batch's.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html
 */
export class BatchNorm1d extends BatchNormNd {
  constructor(numFeatures: number, options?: NormOptions) {
    super("BatchNorm1d", numFeatures, options);
  }

  protected override ranks(): readonly number[] {
    return [2, 3];
  }
}

/**
 * {@link BatchNorm1d} over `(N, C, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
 */
export class BatchNorm2d extends BatchNormNd {
  constructor(numFeatures: number, options?: NormOptions) {
    super("BatchNorm2d", numFeatures, options);
  }

  protected override ranks(): readonly number[] {
    return [4];
  }
}

/**
 * {@link BatchNorm1d} over `(N, C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm3d.html
 */
export class BatchNorm3d extends BatchNormNd {
  constructor(numFeatures: number, options?: NormOptions) {
    super("BatchNorm3d", numFeatures, options);
  }

  protected override ranks(): readonly number[] {
    return [5];
  }
}

/**
 * {@link BatchNorm1d} over `(N, C, *)`; there is only one process to share statistics with.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.SyncBatchNorm.html
 */
export class SyncBatchNorm extends BatchNormNd {
  constructor(numFeatures: number, options?: NormOptions) {
    super("SyncBatchNorm", numFeatures, options);
  }

  protected override ranks(): readonly number[] {
    return [2, 3, 4, 5, 6];
  }

  protected override checkRank(x: tf.Tensor): void {
    if (x.rank >= 2) return;
    throw new RangeError(`expected at least 2D input (got ${x.rank}D input)`);
  }
}
