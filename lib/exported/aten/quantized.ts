/**
 * Quantising to integers by a scale, and back: torchao's quantisers of exported programs, and
 * fake_quantize.
 */
import * as tf from "@tensorflow/tfjs-core";
import { clamp } from "../../functional/numeric.js";
import { where } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";

type Level = tf.Tensor | number;

const floats = (x: Level): Level => (typeof x === "number" ? x : tf.cast(x, "float32"));

/** One number per channel, along its dimension; 0 by default. */
function along(x: tf.Tensor, channels: tf.Tensor | null, axis: number): tf.Tensor {
  const at = axis < 0 ? axis + x.rank : axis;
  const shape = x.shape.map((_, i) => (i === at ? -1 : 1));
  return channels === null ? tf.scalar(0, "int32") : tf.reshape(channels, shape);
}

/**
 * The quantised values as floats, not clamped. `isJoined`: they are rounded after adding the zero
 * point.
 */
function levelsOf(x: tf.Tensor, scale: Level, zero: Level, isJoined = false): tf.Tensor {
  const inverse = typeof scale === "number" ? 1 / scale : tf.div(1, floats(scale));
  const scaled = tf.mul(tf.cast(x, "float32"), inverse);
  return isJoined ? tf.round(tf.add(scaled, zero)) : tf.add(tf.round(scaled), floats(zero));
}

const quantize = (x: tf.Tensor, scale: Level, zero: Level, min: number, max: number): tf.Tensor =>
  tf.cast(clamp(levelsOf(x, scale, zero), min, max), "int32");

const dequantize = (x: tf.Tensor, scale: Level, zero: Level): tf.Tensor =>
  tf.mul(tf.sub(tf.cast(x, "float32"), floats(zero)), floats(scale));

/** Quantises and dequantises; returns also a mask of the values in range. */
function fake(x: tf.Tensor, scale: Level, zero: tf.Tensor, min: number, max: number): tf.Tensor[] {
  const levels = levelsOf(x, scale, zero, zero.dtype === "float32");
  const kept = clamp(levels, min, max);
  return [dequantize(kept, scale, zero), tf.equal(levels, kept)];
}

/**
 * With one scale for the tensor: PyTorch makes the zero point an integer, and the scale a float32.
 */
const fakeWhole = (
  x: tf.Tensor,
  scale: Level,
  zero: Level,
  min: number,
  max: number,
): tf.Tensor[] =>
  fake(x, typeof scale === "number" ? Math.fround(scale) : scale, tf.cast(zero, "int32"), min, max);

const perChannel =
  <R>(run: (x: tf.Tensor, scale: tf.Tensor, zero: tf.Tensor, min: number, max: number) => R) =>
  (
    x: tf.Tensor,
    scales: tf.Tensor,
    zeros: tf.Tensor | null,
    axis: number,
    min: number,
    max: number,
  ): R =>
    run(x, along(x, scales, axis), along(x, zeros, axis), min, max);

const fakeChannels = perChannel(fake);

const first =
  <A extends unknown[]>(run: (...args: A) => tf.Tensor[]) =>
  (...args: A) =>
    run(...args)[0];

/** A scale and a zero point for numbers in this range, extended to include 0. */
function chooseLevels(x: tf.Tensor, min: number, max: number, eps: number): tf.Tensor[] {
  const low = tf.minimum(tf.min(x), 0);
  const range = tf.sub(tf.maximum(tf.max(x), 0), low);
  const scale = tf.reshape(tf.maximum(tf.div(range, max - min), eps), [1]);
  const zero = tf.clipByValue(tf.sub(min, tf.round(tf.div(low, scale))), min, max);
  return [scale, tf.cast(zero, "int32")];
}

export const quantizedOps = defineOps({
  "quantized_decomposed.quantize_per_tensor.default|quantized_decomposed.quantize_per_tensor.tensor(input, scale, zero_point, quant_min, quant_max, dtype)":
    quantize,
  "quantized_decomposed.dequantize_per_tensor.default|quantized_decomposed.dequantize_per_tensor.tensor(input, scale, zero_point, quant_min, quant_max, dtype, out_dtype)":
    dequantize,
  "quantized_decomposed.quantize_per_channel.default(input, scales, zero_points, axis, quant_min, quant_max, dtype)":
    perChannel(quantize),
  "quantized_decomposed.dequantize_per_channel.default(input, scales, zero_points, axis, quant_min, quant_max, dtype, out_dtype)":
    perChannel(dequantize),
  "fake_quantize_per_tensor_affine|fake_quantize_per_tensor_affine.tensor_qparams(self, scale, zero_point, quant_min, quant_max)":
    first(fakeWhole),
  "fake_quantize_per_tensor_affine_cachemask(self, scale, zero_point, quant_min, quant_max)":
    fakeWhole,
  "_fake_quantize_per_tensor_affine_cachemask_tensor_qparams(self, scale, zero_point, fake_quant_enabled, quant_min, quant_max)":
    (
      x: tf.Tensor,
      scale: tf.Tensor,
      zero: tf.Tensor,
      enabled: tf.Tensor,
      min: number,
      max: number,
    ) => {
      const [there, mask] = fakeWhole(x, scale, zero, min, max) as [tf.Tensor, tf.Tensor];
      const isOff = tf.equal(tf.reshape(enabled, []), 0);
      return [where(isOff, x, there), tf.logicalOr(mask, isOff)];
    },
  "fake_quantize_per_channel_affine(self, scale, zero_point, axis, quant_min, quant_max)":
    first(fakeChannels),
  "fake_quantize_per_channel_affine_cachemask(self, scale, zero_point, axis, quant_min, quant_max)":
    fakeChannels,
  "quantized_decomposed.choose_qparams.tensor(input, quant_min, quant_max, eps, dtype)":
    chooseLevels,
});
