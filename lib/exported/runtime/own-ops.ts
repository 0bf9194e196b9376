/**
 * Ops that lowering adds to a program: the effects of in-place ops and hidden updates, as values.
 */
import * as tf from "@tensorflow/tfjs-core";
import { batchNorm, instanceNorm } from "../../functional/index.js";
import { updateStatistics } from "../../functional/running-statistics.js";
import { type Complex, complexOf, isComplex } from "../aten/support/complex.js";
import { lookUpOp } from "../look-up.js";
import type { AtenOp } from "../op-table.js";
import { CONTROL_OPS } from "./control.js";
import { scatterView } from "./scatter.js";
import { SYMBOLIC_OPS } from "./symbolic.js";

type Vector = tf.Tensor | null;

/** `[self, source]`: the source with the shape and dtype of the other, as `self.copy_(source)`. */
const copy: AtenOp = ([self, source], kwargs, context) => {
  if (isComplex(self)) {
    const { re, im } = complexOf(source as tf.Tensor | Complex);
    return { re: copy([self.re, re], kwargs, context), im: copy([self.im, im], kwargs, context) };
  }
  if (isComplex(source)) return copy([self, source.re], kwargs, context);
  const { shape, dtype } = self as tf.Tensor;
  const cast = castTo(source as tf.Tensor, dtype);
  if (tf.util.arraysEqual(cast.shape, shape)) return cast;
  if (cast.rank <= shape.length) return tf.broadcastTo(cast, shape);
  return tf.broadcastTo(tf.reshape(cast, cast.shape.slice(cast.rank - shape.length)), shape);
};

/** tfjs' cast to int32 keeps fractions on some backends, and NaN is true. */
function castTo(x: tf.Tensor, dtype: tf.DataType): tf.Tensor {
  if (x.dtype === dtype) return x;
  return dtype === "bool" ? tf.notEqual(x, tf.zerosLike(x)) : tf.cast(x, dtype);
}

/**
 * `[self, size or a tensor with that size]`: the flattened elements in the new size, padded with 0.
 */
const resize: AtenOp = ([self, to], kwargs, context) => {
  const wanted = isComplex(to) ? to.re : to;
  if (isComplex(self)) {
    const [re, im] = [self.re, self.im].map((part) => resize([part, wanted], kwargs, context));
    return { re, im };
  }
  const x = self as tf.Tensor;
  const shape: number[] =
    wanted instanceof tf.Tensor ? (wanted as tf.Tensor).shape : [...(wanted as readonly number[])];
  const size = tf.util.sizeFromShape(shape);
  const flat = tf.reshape(x, [-1]);
  if (size <= x.size) return tf.reshape(tf.slice(flat, [0], [size]), shape);
  return tf.reshape(tf.concat([flat, tf.zeros([size - x.size], x.dtype)]), shape);
};

/** `[input, weight, bias, mean, var, momentum, eps]` → output, new mean, new var. */
const batchNormTrain: AtenOp = (args) => {
  const [input, weight, bias, mean, variance, momentum, eps] = args as [
    ...[tf.Tensor, Vector, Vector, tf.Tensor, tf.Tensor, number, number],
  ];
  const output = batchNorm(input, mean, variance, { weight, bias, training: true, eps });
  const next = updateStatistics({ mean, variance }, input, momentum, false);
  return [output, next.mean, next.variance];
};

/** Likewise, with statistics for each sample. */
const instanceNormTrain: AtenOp = (args) => {
  const [input, weight, bias, mean, variance, momentum, eps] = args as [
    ...[tf.Tensor, Vector, Vector, tf.Tensor, tf.Tensor, number, number],
  ];
  const output = instanceNorm(input, { weight, bias, eps });
  const next = updateStatistics({ mean, variance }, input, momentum, true);
  return [output, next.mean, next.variance];
};

export const OWN_OPS: Readonly<Record<string, AtenOp>> = {
  ...SYMBOLIC_OPS,
  ...CONTROL_OPS,
  "sconce.scatter_view": scatterView(lookUpOp),
  "sconce.copy": copy,
  "sconce.resize": resize,
  "sconce.batch_norm_train": batchNormTrain,
  "sconce.instance_norm_train": instanceNormTrain,
};
