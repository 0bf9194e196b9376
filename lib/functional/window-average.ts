import * as tf from "@tensorflow/tfjs-core";
import { tryKernel } from "./op.js";
import type { Axis } from "./windows.js";

/**
 * The mean over sliding windows without padding: `(planes, ...spatial)` → `(planes, …)`, for one to
 * three spatial dimensions.
 *
 * Always by avgPool3d, because tfjs-wasm's avgPool turns NaN into -∞.
 */
export function averageOfWindows(planes: tf.Tensor, axes: readonly Axis[]): tf.Tensor {
  const own = tryKernel("pool", planes, axes, "avg", {});
  if (own) return own as tf.Tensor;
  const [count, ...spatial] = planes.shape as [number, ...number[]];
  const ones = new Array<number>(3 - axes.length).fill(1);
  const three = (sizes: readonly number[]): [number, number, number] =>
    [...ones, ...sizes] as [number, number, number];
  const y = tf.avgPool3d(
    tf.reshape<tf.Rank.R5>(planes, [count, ...three(spatial), 1]),
    three(axes.map(({ kernel }) => kernel)),
    three(axes.map(({ stride }) => stride)),
    "valid",
  );
  return tf.reshape(y, [count, ...axes.map(({ output }) => output)]);
}
