import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { checkProbability } from "../functional/sampler.js";
import { formatFloat, formatPython, Module } from "../module/index.js";

export interface DropoutOptions {
  /** The probability of an element, or a channel, to be dropped. Default: 0.5. */
  p?: number;
  /** Only printed, because tensors never change here. Default: `false`. */
  inplace?: boolean;
}

/** The base of the dropout layers; in eval mode they return their input. */
abstract class DropoutNd extends Module {
  readonly p: number;
  readonly inplace: boolean;

  constructor(options?: DropoutOptions) {
    super();
    const { p, inplace } = readOptions(this.constructor.name, { p: 0.5, inplace: false }, options);
    checkProbability(p);
    this.p = p;
    this.inplace = inplace;
  }

  override extraRepr(): string {
    return `p=${formatFloat(this.p)}, inplace=${formatPython(this.inplace)}`;
  }
}

/**
 * In training, sets each element to 0 with probability p and divides the others by 1 - p.
 *
 * Shapes: `(*)` → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html
 */
export class Dropout extends DropoutNd {
  static override readonly name: string = "Dropout";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.dropout(x, { p: this.p, training: this.training });
  }
}

/**
 * {@link Dropout} of whole channels of `(N, C, L)` or `(C, L)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout1d.html
 */
export class Dropout1d extends DropoutNd {
  static override readonly name: string = "Dropout1d";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.dropout1d(x, { p: this.p, training: this.training });
  }
}

/**
 * {@link Dropout} of whole channels of `(N, C, H, W)`; `(N, C, L)` too, as in PyTorch.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html
 */
export class Dropout2d extends DropoutNd {
  static override readonly name: string = "Dropout2d";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.dropout2d(x, { p: this.p, training: this.training });
  }
}

/**
 * {@link Dropout} of whole channels of `(N, C, D, H, W)` or `(C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout3d.html
 */
export class Dropout3d extends DropoutNd {
  static override readonly name: string = "Dropout3d";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.dropout3d(x, { p: this.p, training: this.training });
  }
}

/**
 * Dropout that keeps the mean 0 and variance 1 of what SELU gives.
 *
 * Shapes: `(*)` → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.AlphaDropout.html
 */
export class AlphaDropout extends DropoutNd {
  static override readonly name: string = "AlphaDropout";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.alphaDropout(x, { p: this.p, training: this.training });
  }
}

/**
 * {@link AlphaDropout} of whole channels of `(N, C, *)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.FeatureAlphaDropout.html
 */
export class FeatureAlphaDropout extends DropoutNd {
  static override readonly name: string = "FeatureAlphaDropout";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.featureAlphaDropout(x, { p: this.p, training: this.training });
  }
}
