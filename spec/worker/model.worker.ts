/** The worker of the specs: a compiled model, and some ways to fail. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import { expose } from "sconce/worker";

class Doubled extends nn.Module {
  override forward(
    x: tf.Tensor,
    { scale = 2 }: { scale?: number } = {},
  ): { y: tf.Tensor; list: tf.Tensor[] } {
    if (x.rank !== 2)
      throw new RangeError(`expected a matrix, got rank ${x.rank} on ${tf.getBackend()}`);
    return { y: tf.mul(x, scale), list: [tf.cast(tf.greater(x, 0), "int32")] };
  }
}

expose(() => nn.compile(new Doubled(), tf.zeros([1, 2])));
