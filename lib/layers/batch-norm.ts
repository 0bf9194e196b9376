import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { countBatch } from "../functional/running-statistics.js";
import { NormBase, type NormOptions } from "./norm-base.js";

abstract class BatchNormNd extends NormBase {
  constructor(numFeatures: number, options?: NormOptions) {
    const defaults = {
      eps: 1e-5,
      momentum: 0.1,
      affine: true,
      trackRunningStats: true,
      bias: true,
    };
    super(numFeatures, readOptions<Required<NormOptions>>(new.target.name, defaults, options));
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
  static override readonly name: string = "BatchNorm1d";

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
  static override readonly name: string = "BatchNorm2d";

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
  static override readonly name: string = "BatchNorm3d";

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
  static override readonly name: string = "SyncBatchNorm";

  protected override ranks(): readonly number[] {
    return [2, 3, 4, 5, 6];
  }

  protected override checkRank(x: tf.Tensor): void {
    if (x.rank >= 2) return;
    throw new RangeError(`expected at least 2D input (got ${x.rank}D input)`);
  }
}
