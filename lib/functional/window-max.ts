import * as tf from "@tensorflow/tfjs-core";
import { type Axis, endPadding } from "./pooling-windows.js";

const WHOLE = (size: number): Axis => ({
  input: size,
  kernel: 1,
  stride: 1,
  padding: 0,
  dilation: 1,
  output: size,
});

/** `(a, h, w)` → `(a, h', w')`. One channel each, so that NCHW needs no transposes. */
function slide(x: tf.Tensor, h: Axis, w: Axis): tf.Tensor {
  const y = tf.maxPool(
    tf.reshape<tf.Rank.R4>(x, [-1, h.input, w.input, 1]),
    [h.kernel, w.kernel],
    [h.stride, w.stride],
    [
      [0, 0],
      [h.padding, endPadding(h)],
      [w.padding, endPadding(w)],
      [0, 0],
    ],
  );
  return tf.reshape(y, [-1, h.output, w.output]);
}

/** tfjs' own maximum over windows, one or two dimensions at a time from the last. */
function slideAll(planes: tf.Tensor, axes: readonly Axis[]): tf.Tensor {
  const [first, ...rest] = axes as [Axis, ...Axis[]];
  if (axes.length === 1) return slide(planes, first, WHOLE(1));
  if (axes.length === 2) return slide(planes, first, rest[0]!);
  // tfjs-wasm's maxPool3d takes every negative number for 1e-38.
  const flat = slide(planes, rest[0]!, rest[1]!);
  return slide(flat, first, WHOLE(rest[0]!.output * rest[1]!.output));
}

/**
 * The maximum over sliding windows without dilation: `(planes, ...spatial)` → `(planes, …)`.
 *
 * tfjs' kernels ignore NaN, where PyTorch takes it for the largest; on webgl they start from -1e20
 * in the place of -∞. So the windows are looked through a second time, for these two.
 */
export function maxOfWindows(planes: tf.Tensor, axes: readonly Axis[]): tf.Tensor {
  const shape = [planes.shape[0], ...axes.map(({ output }) => output)];
  if (shape[0] === 0) return tf.zeros(shape, planes.dtype);
  if (planes.dtype !== "float32") {
    const y = slideAll(tf.cast(planes, "float32"), axes);
    return tf.reshape(tf.cast(y, planes.dtype), shape);
  }
  const isNaN = tf.cast(tf.isNaN(planes), "float32");
  const isLow = tf.cast(tf.equal(planes, -Infinity), "float32");
  const edge = slideAll(tf.sub(isNaN, isLow), axes);
  const y = slideAll(planes, axes);
  const low = tf.where(tf.less(edge, 0), tf.fill(y.shape, -Infinity), y);
  return tf.reshape(tf.where(tf.greater(edge, 0), tf.fill(y.shape, NaN), low), shape);
}

/**
 * The maximum over listed positions of each plane, and where it is: the first of equal ones, the
 * last NaN.
 *
 * @param positions for each output, or for each output of each plane where planes differ; a
 * position just behind a plane's end is a window without elements, hence -∞.
 * @returns values and int32 indices, `(planes, outputs)`
 */
export function maxOfTaps(
  planes: tf.Tensor,
  { positions, taps }: { positions: Int32Array; taps: number },
  perPlane = false,
): [tf.Tensor, tf.Tensor] {
  const [count, size] = planes.shape as [number, number];
  const outputs = positions.length / taps / (perPlane ? count : 1);
  if (count === 0 || outputs === 0) {
    return [tf.zeros([count, outputs], planes.dtype), tf.zeros([count, outputs], "int32")];
  }
  const x = positions.includes(size)
    ? tf.concat([planes, tf.fill([count, 1], -Infinity, planes.dtype)], 1)
    : planes;
  const index = tf.tensor1d(positions, "int32");
  const all = perPlane ? pick(x, tf.reshape(index, [count, -1])) : tf.gather(x, index, 1);
  const seen = tf.reshape(all, [count, outputs, taps]);

  const order = tf.range(1, taps + 1);
  const lastNaN = tf.max(tf.mul(tf.cast(tf.isNaN(seen), "float32"), order), -1);
  const best = tf.cast(tf.argMax(seen, -1), "float32");
  const tap = tf.where(tf.greater(lastNaN, 0), tf.sub(lastNaN, 1), best);
  const row = tf.reshape(tf.range(0, positions.length, taps), [-1, outputs]);
  const indices = tf.gather(index, tf.cast(tf.add(row, tap), "int32"));
  return [pick(x, indices), indices];
}

/** `planes[p, indices[p, i]]`; tfjs-wasm's gather is wrong for more than two batches. */
function pick(planes: tf.Tensor, indices: tf.Tensor): tf.Tensor {
  const [count, picked] = indices.shape as [number, number];
  const plane = tf.reshape(tf.range(0, count, 1, "int32"), [count, 1]);
  const rows = tf.tile(plane, [1, picked]);
  return tf.gatherND(planes, tf.stack([rows, indices], -1));
}
