import type * as tf from "@tensorflow/tfjs-core";
import { expandSize } from "../arguments.js";
import * as F from "../functional/index.js";
import { formatPython, formatTuple, Module } from "../module/index.js";

/** One number for all sides, or `[left, right]`, `[left, right, top, bottom]` and so on. */
export type PaddingSize = number | readonly number[];

/** The base of the padding layers. */
abstract class PadNd extends Module {
  readonly padding: readonly number[];

  constructor(padding: PaddingSize) {
    super();
    this.padding = expandSize(`${this.constructor.name}: padding`, padding, 2 * this.dims());
  }

  /** How many dimensions are padded. */
  protected abstract dims(): number;

  protected pad(x: tf.Tensor, mode: F.PadMode, value: number | null = null): tf.Tensor {
    return F.pad(x, this.padding, { mode, value });
  }

  override extraRepr(): string {
    return formatTuple(this.padding);
  }
}

abstract class ReflectionPad extends PadNd {
  override forward(x: tf.Tensor): tf.Tensor {
    return this.pad(x, "reflect");
  }
}

/**
 * Pads with the mirror image of the input, its edge not repeated.
 *
 * Shapes: `(N, C, W)` or `(C, W)`; padding `[left, right]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad1d.html
 */
export class ReflectionPad1d extends ReflectionPad {
  static override readonly name: string = "ReflectionPad1d";

  protected override dims(): number {
    return 1;
  }
}

/**
 * Pads with the mirror image of the input, its edge not repeated.
 *
 * Shapes: `(N, C, H, W)` or `(C, H, W)`; padding `[left, right, top, bottom]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad2d.html
 */
export class ReflectionPad2d extends ReflectionPad {
  static override readonly name: string = "ReflectionPad2d";

  protected override dims(): number {
    return 2;
  }
}

/**
 * Pads with the mirror image of the input, its edge not repeated.
 *
 * Shapes: `(N, C, D, H, W)` or `(C, D, H, W)`; padding `[left, right, top, bottom, front, back]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad3d.html
 */
export class ReflectionPad3d extends ReflectionPad {
  static override readonly name: string = "ReflectionPad3d";

  protected override dims(): number {
    return 3;
  }
}

abstract class ReplicationPad extends PadNd {
  override forward(x: tf.Tensor): tf.Tensor {
    return this.pad(x, "replicate");
  }
}

/**
 * Pads with copies of the edge.
 *
 * Shapes: `(N, C, W)` or `(C, W)`; padding `[left, right]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad1d.html
 */
export class ReplicationPad1d extends ReplicationPad {
  static override readonly name: string = "ReplicationPad1d";

  protected override dims(): number {
    return 1;
  }
}

/**
 * Pads with copies of the edge.
 *
 * Shapes: `(N, C, H, W)` or `(C, H, W)`; padding `[left, right, top, bottom]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad2d.html
 */
export class ReplicationPad2d extends ReplicationPad {
  static override readonly name: string = "ReplicationPad2d";

  protected override dims(): number {
    return 2;
  }
}

/**
 * Pads with copies of the edge.
 *
 * Shapes: `(N, C, D, H, W)` or `(C, D, H, W)`; padding `[left, right, top, bottom, front, back]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad3d.html
 */
export class ReplicationPad3d extends ReplicationPad {
  static override readonly name: string = "ReplicationPad3d";

  protected override dims(): number {
    return 3;
  }
}

abstract class CircularPad extends PadNd {
  override forward(x: tf.Tensor): tf.Tensor {
    return this.pad(x, "circular");
  }
}

/**
 * Pads with the opposite side.
 *
 * Shapes: `(N, C, W)` or `(C, W)`; padding `[left, right]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad1d.html
 */
export class CircularPad1d extends CircularPad {
  static override readonly name: string = "CircularPad1d";

  protected override dims(): number {
    return 1;
  }
}

/**
 * Pads with the opposite side.
 *
 * Shapes: `(N, C, H, W)` or `(C, H, W)`; padding `[left, right, top, bottom]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad2d.html
 */
export class CircularPad2d extends CircularPad {
  static override readonly name: string = "CircularPad2d";

  protected override dims(): number {
    return 2;
  }
}

/**
 * Pads with the opposite side.
 *
 * Shapes: `(N, C, D, H, W)` or `(C, D, H, W)`; padding `[left, right, top, bottom, front, back]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad3d.html
 */
export class CircularPad3d extends CircularPad {
  static override readonly name: string = "CircularPad3d";

  protected override dims(): number {
    return 3;
  }
}

abstract class ConstantPad extends PadNd {
  constructor(
    padding: PaddingSize,
    readonly value: number,
  ) {
    super(padding);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.pad(x, "constant", this.value);
  }

  override extraRepr(): string {
    return `padding=${formatTuple(this.padding)}, value=${formatPython(this.value)}`;
  }
}

/**
 * Pads with one value; negative padding takes away.
 *
 * Shapes: `(N, C, W)` or `(C, W)`; padding `[left, right]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad1d.html
 */
export class ConstantPad1d extends ConstantPad {
  static override readonly name: string = "ConstantPad1d";

  protected override dims(): number {
    return 1;
  }
}

/**
 * Pads with one value; negative padding takes away.
 *
 * Shapes: `(N, C, H, W)` or `(C, H, W)`; padding `[left, right, top, bottom]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad2d.html
 */
export class ConstantPad2d extends ConstantPad {
  static override readonly name: string = "ConstantPad2d";

  protected override dims(): number {
    return 2;
  }
}

/**
 * Pads with one value; negative padding takes away.
 *
 * Shapes: `(N, C, D, H, W)` or `(C, D, H, W)`; padding `[left, right, top, bottom, front, back]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad3d.html
 */
export class ConstantPad3d extends ConstantPad {
  static override readonly name: string = "ConstantPad3d";

  protected override dims(): number {
    return 3;
  }
}

abstract class ZeroPad extends PadNd {
  override forward(x: tf.Tensor): tf.Tensor {
    return this.pad(x, "constant", 0);
  }
}

/**
 * Pads with zeros; negative padding takes away.
 *
 * Shapes: `(N, C, W)` or `(C, W)`; padding `[left, right]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad1d.html
 */
export class ZeroPad1d extends ZeroPad {
  static override readonly name: string = "ZeroPad1d";

  protected override dims(): number {
    return 1;
  }
}

/**
 * Pads with zeros; negative padding takes away.
 *
 * Shapes: `(N, C, H, W)` or `(C, H, W)`; padding `[left, right, top, bottom]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html
 */
export class ZeroPad2d extends ZeroPad {
  static override readonly name: string = "ZeroPad2d";

  protected override dims(): number {
    return 2;
  }
}

/**
 * Pads with zeros; negative padding takes away.
 *
 * Shapes: `(N, C, D, H, W)` or `(C, D, H, W)`; padding `[left, right, top, bottom, front, back]`, or one number for all.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad3d.html
 */
export class ZeroPad3d extends ZeroPad {
  static override readonly name: string = "ZeroPad3d";

  protected override dims(): number {
    return 3;
  }
}
