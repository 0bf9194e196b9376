import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { BatchNorm1d, BatchNorm2d, BatchNorm3d } from "./batch-norm.js";
import { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d } from "./instance-norm.js";
import { give, isOpen, type Lazy, leaveOpen, setField } from "./lazy.js";
import type { NormBase, NormOptions } from "./norm-base.js";

/** The defaults of both kinds, which differ for the plain layers. */
const NORM: Required<NormOptions> = {
  eps: 1e-5,
  momentum: 0.1,
  affine: true,
  trackRunningStats: true,
  bias: true,
};

type LazyNorm = NormBase & Lazy;

function start(module: LazyNorm): void {
  const names = ["weight", "bias", "running_mean", "running_var"] as const;
  leaveOpen(
    module,
    names.filter((name) => module[name] !== null),
  );
}

function infer(module: LazyNorm, numFeatures: number): void {
  const isNew = isOpen(module);
  const shape = [numFeatures];
  if (isNew) give(module, { weight: shape, bias: shape, running_mean: shape, running_var: shape });
  const known = module.weight ?? module.running_mean;
  setField(module, "numFeatures", known?.shape[0] ?? numFeatures);
  if (isNew) module.resetParameters();
}

/**
 * A {@link BatchNorm1d} that learns `numFeatures` from its first input, and then is one.
 *
 * Shapes: `(N, C)` or `(N, C, L)` → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LazyBatchNorm1d.html
 */
export class LazyBatchNorm1d extends BatchNorm1d {
  static override readonly name: string = "LazyBatchNorm1d";

  constructor(options?: NormOptions) {
    super(0, readOptions(new.target.name, NORM, options));
    start(this);
  }

  inferParameters(x: tf.Tensor): void {
    this.checkRank(x);
    infer(this, x.shape[1]!);
  }

  becomes(): typeof BatchNorm1d {
    return BatchNorm1d;
  }
}

/**
 * A {@link BatchNorm2d} that learns `numFeatures` from its first input, and then is one.
 *
 * Shapes: `(N, C, H, W)` → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LazyBatchNorm2d.html
 */
export class LazyBatchNorm2d extends BatchNorm2d {
  static override readonly name: string = "LazyBatchNorm2d";

  constructor(options?: NormOptions) {
    super(0, readOptions(new.target.name, NORM, options));
    start(this);
  }

  inferParameters(x: tf.Tensor): void {
    this.checkRank(x);
    infer(this, x.shape[1]!);
  }

  becomes(): typeof BatchNorm2d {
    return BatchNorm2d;
  }
}

/**
 * A {@link BatchNorm3d} that learns `numFeatures` from its first input, and then is one.
 *
 * Shapes: `(N, C, D, H, W)` → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LazyBatchNorm3d.html
 */
export class LazyBatchNorm3d extends BatchNorm3d {
  static override readonly name: string = "LazyBatchNorm3d";

  constructor(options?: NormOptions) {
    super(0, readOptions(new.target.name, NORM, options));
    start(this);
  }

  inferParameters(x: tf.Tensor): void {
    this.checkRank(x);
    infer(this, x.shape[1]!);
  }

  becomes(): typeof BatchNorm3d {
    return BatchNorm3d;
  }
}

/**
 * A {@link InstanceNorm1d} that learns `numFeatures` from its first input, and then is one. Other
 * than there, `affine` and `trackRunningStats` are `true` by default.
 *
 * Shapes: `(N, C, L)` or `(C, L)` → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LazyInstanceNorm1d.html
 */
export class LazyInstanceNorm1d extends InstanceNorm1d {
  static override readonly name: string = "LazyInstanceNorm1d";

  constructor(options?: NormOptions) {
    super(0, readOptions(new.target.name, NORM, options));
    start(this);
  }

  inferParameters(x: tf.Tensor): void {
    this.checkRank(x);
    infer(this, x.shape[x.rank === 3 ? 1 : 0]!);
  }

  becomes(): typeof InstanceNorm1d {
    return InstanceNorm1d;
  }
}

/**
 * A {@link InstanceNorm2d} that learns `numFeatures` from its first input, and then is one. Other
 * than there, `affine` and `trackRunningStats` are `true` by default.
 *
 * Shapes: `(N, C, H, W)` or `(C, H, W)` → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LazyInstanceNorm2d.html
 */
export class LazyInstanceNorm2d extends InstanceNorm2d {
  static override readonly name: string = "LazyInstanceNorm2d";

  constructor(options?: NormOptions) {
    super(0, readOptions(new.target.name, NORM, options));
    start(this);
  }

  inferParameters(x: tf.Tensor): void {
    this.checkRank(x);
    infer(this, x.shape[x.rank === 4 ? 1 : 0]!);
  }

  becomes(): typeof InstanceNorm2d {
    return InstanceNorm2d;
  }
}

/**
 * A {@link InstanceNorm3d} that learns `numFeatures` from its first input, and then is one. Other
 * than there, `affine` and `trackRunningStats` are `true` by default.
 *
 * Shapes: `(N, C, D, H, W)` or `(C, D, H, W)` → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LazyInstanceNorm3d.html
 */
export class LazyInstanceNorm3d extends InstanceNorm3d {
  static override readonly name: string = "LazyInstanceNorm3d";

  constructor(options?: NormOptions) {
    super(0, readOptions(new.target.name, NORM, options));
    start(this);
  }

  inferParameters(x: tf.Tensor): void {
    this.checkRank(x);
    infer(this, x.shape[x.rank === 5 ? 1 : 0]!);
  }

  becomes(): typeof InstanceNorm3d {
    return InstanceNorm3d;
  }
}
