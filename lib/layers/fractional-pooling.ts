import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { Buffer, Module } from "../module/index.js";
import type { Pooled } from "./max-pooling.js";

type Options<R extends boolean> = F.FractionalMaxPoolOptions & { returnIndices?: R };

const DEFAULTS: Required<F.FractionalMaxPoolOptions> = {
  outputSize: null,
  outputRatio: null,
  returnIndices: false,
  _randomSamples: null,
};

/** What the fractional pooling layers have in common; `R`: whether they give the indices too. */
abstract class FractionalMaxPoolNd<R extends boolean> extends Module {
  readonly returnIndices: boolean;
  _random_samples: Buffer | null;
  readonly outputSize: F.PoolSize | null;
  readonly outputRatio: number | readonly number[] | null;

  constructor(
    readonly kernelSize: F.PoolSize,
    options?: Options<R>,
  ) {
    super();
    const where = this.constructor.name;
    const read = readOptions<Required<F.FractionalMaxPoolOptions>>(where, DEFAULTS, options);
    const { outputSize, outputRatio, _randomSamples: samples } = read;
    if (outputSize === null && outputRatio === null) {
      throw new RangeError(
        `${where} requires specifying either an output size, or a pooling ratio`,
      );
    }
    if (outputSize !== null && outputRatio !== null) {
      throw new RangeError(`${where}: only one of output_size and output_ratio may be specified`);
    }
    if (outputRatio !== null && ![outputRatio].flat().every((ratio) => ratio > 0 && ratio < 1)) {
      throw new RangeError(
        `${where}: output_ratio must be between 0 and 1 (got ${String(outputRatio)})`,
      );
    }
    this.returnIndices = read.returnIndices;
    this._random_samples = samples === null ? null : new Buffer(samples);
    this.outputSize = outputSize;
    this.outputRatio = outputRatio;
  }

  protected pool(pool: F.FractionalMaxPool, x: tf.Tensor): Pooled<R> {
    const { outputSize, outputRatio, returnIndices, _random_samples: _randomSamples } = this;
    const options = { outputSize, outputRatio, returnIndices, _randomSamples };
    return pool(x, this.kernelSize, options) as Pooled<R>;
  }
}

/**
 * The maximum of windows whose distance varies at random: `(N, C, H, W)` or `(C, H, W)` → the same
 * with `outputSize`, or `outputRatio` of the input's, in the place of `(H, W)`. After
 * `manualSeed` it draws what PyTorch draws.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool2d.html
 */
export class FractionalMaxPool2d<R extends boolean = false> extends FractionalMaxPoolNd<R> {
  static override readonly name: string = "FractionalMaxPool2d";

  override forward(x: tf.Tensor): Pooled<R> {
    return this.pool(F.fractionalMaxPool2d, x);
  }
}

/**
 * The maximum of windows whose distance varies at random, as {@link FractionalMaxPool2d} over
 * `(N, C, D, H, W)` or `(C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool3d.html
 */
export class FractionalMaxPool3d<R extends boolean = false> extends FractionalMaxPoolNd<R> {
  static override readonly name: string = "FractionalMaxPool3d";

  override forward(x: tf.Tensor): Pooled<R> {
    return this.pool(F.fractionalMaxPool3d, x);
  }
}
