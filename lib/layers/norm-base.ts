import type * as tf from "@tensorflow/tfjs-core";
import { updateStatistics } from "../functional/running-statistics.js";
import {
  Buffer,
  Empty,
  formatFloat,
  formatPython,
  init,
  Module,
  Parameter,
} from "../module/index.js";
import type { StateValue } from "../module/state-dict.js";

export interface NormOptions {
  /** Added to the variance. Default: 1e-5. */
  eps?: number;
  /**
   * The weight of the newest batch in the running statistics; `null`: all batches count equally.
   * Default: 0.1.
   */
  momentum?: number | null;
  /** Learn a weight and a bias for each channel. Default: `true`, for InstanceNorm `false`. */
  affine?: boolean;
  /** Keep running statistics, for eval mode. Default: `true`, for InstanceNorm `false`. */
  trackRunningStats?: boolean;
  /** With `affine`: learn the bias too. Default: `true`. */
  bias?: boolean;
}

/** A count of 0, for a module that has no storage yet. */
const NO_BATCHES = {
  shape: [],
  dtype: "int32",
  toFloat32: () => new Float32Array(1),
  toInt32: () => new Int32Array(1),
};

/**
 * Checkpoints from before PyTorch 0.4.1 have no count of batches: then the module keeps its own.
 */
function keepCount(state: Map<string, StateValue>, prefix: string, module: Module): void {
  const { num_batches_tracked: count } = module as NormBase;
  const key = `${prefix}num_batches_tracked`;
  if (count && !state.has(key)) state.set(key, count.isMeta ? NO_BATCHES : count);
}

/** What BatchNorm and InstanceNorm have in common. */
export abstract class NormBase extends Module {
  readonly eps: number;
  readonly momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
  weight: Parameter | null;
  bias: Parameter | null;
  running_mean: Buffer | null;
  running_var: Buffer | null;
  num_batches_tracked: Buffer | null;

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
    this.registerLoadStateDictPreHook(keepCount);
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

  /** The ranks of input that the layer accepts. */
  protected abstract ranks(): readonly number[];

  protected checkRank(x: tf.Tensor): void {
    if (this.ranks().includes(x.rank)) return;
    const want = this.ranks().map((rank) => `${rank}D`);
    throw new RangeError(`expected ${want.join(" or ")} input (got ${x.rank}D input)`);
  }

  /** Updates the running statistics with a batch, if there are any. */
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
