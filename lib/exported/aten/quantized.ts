/** What torchao's quantisers of exported programs write: rounding to integers by a scale, and back. */
import * as tf from "@tensorflow/tfjs-core";
import { clamp } from "../../functional/numeric.js";
import { defineOps } from "./support/define.js";

type Level = tf.Tensor | number;

const floats = (x: Level): Level => (typeof x === "number" ? x : tf.cast(x, "float32"));

/** As many numbers as there are channels, along their dimension. */
function along(x: tf.Tensor, channels: tf.Tensor | null, axis: number): Level {
  const at = axis < 0 ? axis + x.rank : axis;
  const shape = x.shape.map((_, i) => (i === at ? -1 : 1));
  return channels === null ? 0 : tf.reshape(channels, shape);
}

function quantize(x: tf.Tensor, scale: Level, zero: Level, min: number, max: number): tf.Tensor {
  const inverse = typeof scale === "number" ? 1 / scale : tf.div(1, floats(scale));
  const level = tf.add(tf.round(tf.mul(tf.cast(x, "float32"), inverse)), floats(zero));
  return tf.cast(clamp(level, min, max), "int32");
}

const dequantize = (x: tf.Tensor, scale: Level, zero: Level): tf.Tensor =>
  tf.mul(tf.sub(tf.cast(x, "float32"), floats(zero)), floats(scale));

/** A scale and a zero for numbers of this range, 0 among them. */
function chooseLevels(x: tf.Tensor, min: number, max: number, eps: number): tf.Tensor[] {
  const low = tf.minimum(tf.min(x), 0);
  const range = tf.sub(tf.maximum(tf.max(x), 0), low);
  const scale = tf.reshape(tf.maximum(tf.div(range, max - min), eps), [1]);
  const zero = tf.clipByValue(tf.sub(min, tf.round(tf.div(low, scale))), min, max);
  return [scale, tf.cast(zero, "int32")];
}

const named = (name: string, overloads: readonly string[], parameters: string): string =>
  `${overloads.map((one) => `quantized_decomposed.${name}.${one}`).join("|")}(${parameters})`;

const LEVELS = "quant_min, quant_max, dtype";
const PER_TENSOR = `input, scale, zero_point, ${LEVELS}`;
const PER_CHANNEL = `input, scales, zero_points, axis, ${LEVELS}`;

export const quantizedOps = defineOps({
  [named("quantize_per_tensor", ["default", "tensor"], PER_TENSOR)]: quantize,
  [named("dequantize_per_tensor", ["default", "tensor"], `${PER_TENSOR}, out_dtype`)]: dequantize,
  [named("quantize_per_channel", ["default"], PER_CHANNEL)]: (
    x: tf.Tensor,
    scales: tf.Tensor,
    zeros: tf.Tensor,
    axis: number,
    min: number,
    max: number,
  ) => quantize(x, along(x, scales, axis), along(x, zeros, axis), min, max),
  [named("dequantize_per_channel", ["default"], `${PER_CHANNEL}, out_dtype`)]: (
    x: tf.Tensor,
    scales: tf.Tensor,
    zeros: tf.Tensor | null,
    axis: number,
  ) => dequantize(x, along(x, scales, axis), along(x, zeros, axis)),
  [named("choose_qparams", ["tensor"], "input, quant_min, quant_max, eps, dtype")]: chooseLevels,
});
