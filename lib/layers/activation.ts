import type * as tf from "@tensorflow/tfjs-core";
import * as F from "../functional/index.js";
import { Module } from "../module/index.js";

/**
 * `1 / (1 + exp(-x))`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html
 */
export class Sigmoid extends Module {
  override forward(x: tf.Tensor): tf.Tensor {
    return F.sigmoid(x);
  }
}
