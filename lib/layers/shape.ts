import type * as tf from "@tensorflow/tfjs-core";
import { describe, readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { formatPython, Module } from "../module/index.js";

export interface FlattenOptions {
  /** The first dimension to flatten. Default: 1. */
  startDim?: number;
  /** The last dimension to flatten. Default: -1. */
  endDim?: number;
}

/**
 * Joins several dimensions into one: `(N, C, H, W)` → `(N, C·H·W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html
 */
export class Flatten extends Module {
  static override readonly name: string = "Flatten";

  readonly startDim: number;
  readonly endDim: number;

  constructor(options?: FlattenOptions) {
    super();
    const { startDim, endDim } = readOptions(
      this.constructor.name,
      { startDim: 1, endDim: -1 },
      options,
    );
    this.startDim = startDim;
    this.endDim = endDim;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.flatten(x, { startDim: this.startDim, endDim: this.endDim });
  }

  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

/**
 * Splits one dimension into several; one size may be -1: `(N, 12)` with `Unflatten(1, [3, 4])` →
 * `(N, 3, 4)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Unflatten.html
 */
export class Unflatten extends Module {
  static override readonly name: string = "Unflatten";

  constructor(
    readonly dim: number,
    readonly unflattenedSize: readonly number[],
  ) {
    super();
    if (!Array.isArray(unflattenedSize)) {
      const got = describe(unflattenedSize);
      throw new TypeError(`unflattened_size must be a tuple of ints, but found ${got}`);
    }
    const at = unflattenedSize.findIndex((size) => !Number.isInteger(size));
    if (at < 0) return;
    throw new TypeError(
      `unflattened_size must be tuple of ints, but found ${describe(unflattenedSize[at])} at pos ${at}`,
    );
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.unflatten(x, this.dim, this.unflattenedSize);
  }

  override extraRepr(): string {
    return `dim=${this.dim}, unflattened_size=${formatPython(this.unflattenedSize)}`;
  }
}
