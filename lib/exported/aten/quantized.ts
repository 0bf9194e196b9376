/** Rounding to integers by a scale, and back: torchao's quantisers of exported programs, fake_quantize. */
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

/** The integers as floats, beyond the range too. */
function levelsOf(x: tf.Tensor, scale: Level, zero: Level): tf.Tensor {
  const inverse = typeof scale === "number" ? 1 / scale : tf.div(1, floats(scale));
  return tf.add(tf.round(tf.mul(tf.cast(x, "float32"), inverse)), floats(zero));
}

const quantize = (x: tf.Tensor, scale: Level, zero: Level, min: number, max: number): tf.Tensor =>
  tf.cast(clamp(levelsOf(x, scale, zero), min, max), "int32");

const dequantize = (x: tf.Tensor, scale: Level, zero: Level): tf.Tensor =>
  tf.mul(tf.sub(tf.cast(x, "float32"), floats(zero)), floats(scale));

/** There and back; also which numbers were in the range. */
function fake(x: tf.Tensor, scale: Level, zero: Level, min: number, max: number): tf.Tensor[] {
  const levels = levelsOf(x, scale, zero);
  const kept = clamp(levels, min, max);
  return [dequantize(kept, scale, zero), tf.equal(levels, kept)];
}

const fakeChannels = (
  x: tf.Tensor,
  scales: tf.Tensor,
  zeros: tf.Tensor,
  axis: number,
  min: number,
  max: number,
): tf.Tensor[] => fake(x, along(x, scales, axis), along(x, zeros, axis), min, max);

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
  "fake_quantize_per_tensor_affine|fake_quantize_per_tensor_affine.tensor_qparams(self, scale, zero_point, quant_min, quant_max)":
    (...args: Parameters<typeof fake>) => fake(...args)[0],
  "fake_quantize_per_tensor_affine_cachemask(self, scale, zero_point, quant_min, quant_max)": fake,
  "_fake_quantize_per_tensor_affine_cachemask_tensor_qparams(self, scale, zero_point, fake_quant_enabled, quant_min, quant_max)":
    // PyTorch itself calls it with what is enabled.
    (
      x: tf.Tensor,
      scale: tf.Tensor,
      zero: tf.Tensor,
      _enabled: tf.Tensor,
      min: number,
      max: number,
    ) => fake(x, scale, zero, min, max),
  "fake_quantize_per_channel_affine(self, scale, zero_point, axis, quant_min, quant_max)": (
    ...args: Parameters<typeof fakeChannels>
  ) => fakeChannels(...args)[0],
  "fake_quantize_per_channel_affine_cachemask(self, scale, zero_point, axis, quant_min, quant_max)":
    fakeChannels,
  [named("choose_qparams", ["tensor"], "input, quant_min, quant_max, eps, dtype")]: chooseLevels,
});
