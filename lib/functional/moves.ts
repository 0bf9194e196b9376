/** What only moves numbers, by kernels of ours where there are some: tfjs' cpu backend moves them one by one. */
import * as tf from "@tensorflow/tfjs-core";
import { tryKernel } from "./op.js";

export const transpose = (x: tf.Tensor, order: number[]): tf.Tensor =>
  (tryKernel("transpose", x, order) as tf.Tensor | null) ?? tf.transpose(x, order);

/** Even parts along a dimension; of one part, which is itself, tfjs has no gradient. */
export const split = (x: tf.Tensor, count: number, dim: number): tf.Tensor[] =>
  count === 1
    ? [x]
    : ((tryKernel("split", x, count, dim) as tf.Tensor[] | null) ?? tf.split(x, count, dim));
