import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { formatPython, Module } from "../module/index.js";

type FoldSize = number | readonly number[];

const OPTIONS: Required<F.FoldOptions> = { dilation: 1, padding: 0, stride: 1 };

function settings(kernelSize: FoldSize, { dilation, padding, stride }: F.FoldOptions): string {
  const parts = { kernel_size: kernelSize, dilation, padding, stride };
  return Object.entries(parts)
    .map(([name, value]) => `${name}=${formatPython(value)}`)
    .join(", ");
}

/**
 * Takes out sliding windows as columns.
 *
 * Shapes: `(N, C, H, W)` or `(C, H, W)` → `(N, C · KH · KW, L)`, L the number of windows.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Unfold.html
 */
export class Unfold extends Module {
  static override readonly name: string = "Unfold";

  private readonly options: Required<F.FoldOptions>;

  constructor(
    readonly kernelSize: FoldSize,
    options?: F.FoldOptions,
  ) {
    super();
    this.options = readOptions(this.constructor.name, OPTIONS, options);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.unfold(x, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    return settings(this.kernelSize, this.options);
  }
}

/**
 * Puts columns back as windows and adds up where they overlap: the transpose of `Unfold`.
 *
 * Shapes: `(N, C · KH · KW, L)` or `(C · KH · KW, L)` → `(N, C, H, W)`, (H, W) = outputSize.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Fold.html
 */
export class Fold extends Module {
  static override readonly name: string = "Fold";

  private readonly options: Required<F.FoldOptions>;

  constructor(
    readonly outputSize: FoldSize,
    readonly kernelSize: FoldSize,
    options?: F.FoldOptions,
  ) {
    super();
    this.options = readOptions(this.constructor.name, OPTIONS, options);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.fold(x, this.outputSize, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    const { outputSize, kernelSize, options } = this;
    return `output_size=${formatPython(outputSize)}, ${settings(kernelSize, options)}`;
  }
}
