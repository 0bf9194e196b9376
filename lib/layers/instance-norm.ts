import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { withBatch } from "../functional/batch.js";
import * as F from "../functional/index.js";
import { NormBase, type NormOptions } from "./norm-base.js";

abstract class InstanceNormNd extends NormBase {
  constructor(numFeatures: number, options?: NormOptions) {
    const defaults = {
      ...{ eps: 1e-5, momentum: 0.1, affine: false },
      ...{ trackRunningStats: false, bias: true },
    };
    super(numFeatures, readOptions<Required<NormOptions>>(new.target.name, defaults, options));
  }

  override forward(x: tf.Tensor): tf.Tensor {
    this.checkRank(x);
    const isBatched = x.rank === Math.max(...this.ranks());
    this.checkFeatures(x, isBatched ? 1 : 0);
    return isBatched ? this.normalise(x) : withBatch(x, (batched) => this.normalise(batched));
  }

  private normalise(x: tf.Tensor): tf.Tensor {
    const { running_mean: runningMean, running_var: runningVar, weight, bias, eps } = this;
    const useInputStats = this.training || !this.trackRunningStats;
    const stats = { runningMean, runningVar, useInputStats };
    const y = F.instanceNorm(x, { ...stats, weight, bias, eps });
    if (useInputStats) this.track(x, this.momentum ?? 0, true);
    return y;
  }

  private checkFeatures(x: tf.Tensor, dim: number): void {
    if (!this.affine || x.shape[dim] === this.numFeatures) return;
    throw new RangeError(
      `expected input's size at dim=${dim} to match num_features (${this.numFeatures}), ` +
        `but got: ${x.shape[dim]}.`,
    );
  }
}

/**
 * `(x - mean) / √(var + eps) · weight + bias` for each channel of each sample of `(N, C, L)` or
 * `(C, L)`, with its own statistics; in eval mode with the running ones if they are tracked.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm1d.html
 */
export class InstanceNorm1d extends InstanceNormNd {
  static override readonly name: string = "InstanceNorm1d";

  protected override ranks(): readonly number[] {
    return [2, 3];
  }
}

/**
 * {@link InstanceNorm1d} over `(N, C, H, W)` or `(C, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html
 */
export class InstanceNorm2d extends InstanceNormNd {
  static override readonly name: string = "InstanceNorm2d";

  protected override ranks(): readonly number[] {
    return [3, 4];
  }
}

/**
 * {@link InstanceNorm1d} over `(N, C, D, H, W)` or `(C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm3d.html
 */
export class InstanceNorm3d extends InstanceNormNd {
  static override readonly name: string = "InstanceNorm3d";

  protected override ranks(): readonly number[] {
    return [4, 5];
  }
}
