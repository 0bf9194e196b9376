import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { Module } from "../module/index.js";

/**
 * `1 / (1 + exp(-x))`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html
 */
export class Sigmoid extends Module {
  static override readonly name: string = "Sigmoid";

  override forward(x: tf.Tensor): tf.Tensor {
    return F.sigmoid(x);
  }
}

export interface InplaceOptions {
  /** Only printed: tensors never change here. Default: `false`. */
  inplace?: boolean;
}

/** What the activations have in common that PyTorch can run in place. */
abstract class Inplace extends Module {
  readonly inplace: boolean;

  constructor(where: string, options: InplaceOptions | undefined) {
    super();
    this.inplace = readOptions(where, { inplace: false }, options).inplace;
  }

  override extraRepr(): string {
    return this.inplace ? "inplace=True" : "";
  }
}

/**
 * `max(0, x)`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html
 */
export class ReLU extends Inplace {
  static override readonly name: string = "ReLU";

  constructor(options?: InplaceOptions) {
    super("ReLU", options);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return F.relu(x);
  }
}
