import * as tf from "@tensorflow/tfjs-core";
import { asFloat } from "./check.js";
import { endPadding } from "./pooling-windows.js";
import { tryKernel } from "./op.js";
import { type Axis, slidingWindows, type Windows } from "./windows.js";

const WHOLE = (size: number): Axis => ({
  ...{ input: size, kernel: 1, stride: 1, padding: 0, dilation: 1, output: size },
});

/**
 * Pools two dimensions, `(a, h, w)` → `(a, h', w')`; with a single channel NCHW needs no
 * transposes.
 */
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

/**
 * The maximum over windows by tfjs' kernels, one or two dimensions at a time, the last ones first.
 */
function slideAll(planes: tf.Tensor, axes: readonly Axis[]): tf.Tensor {
  const [first, ...rest] = axes as [Axis, ...Axis[]];
  if (axes.length === 1) return slide(planes, first, WHOLE(1));
  if (axes.length === 2) return slide(planes, first, rest[0]!);
  // Not maxPool3d, which on tfjs-wasm replaces every negative number by 1e-38.
  const flat = slide(planes, rest[0]!, rest[1]!);
  return slide(flat, first, WHOLE(rest[0]!.output * rest[1]!.output));
}

/**
 * The maximum over sliding windows: `(planes, ...spatial)` → `(planes, …)`.
 *
 * tfjs' kernels ignore NaN, which counts as the largest value in PyTorch, and on webgl they start
 * from -1e20 instead of -∞. So windows are pooled a second time to find these two.
 */
export function maxOfWindows(
  planes: tf.Tensor,
  axes: readonly Axis[],
  options: { ceilMode?: boolean } = {},
): tf.Tensor {
  const shape = [planes.shape[0], ...axes.map(({ output }) => output)];
  if (shape[0] === 0) return tf.zeros(shape, planes.dtype);
  const own = tryKernel("pool", planes, axes, "max", options);
  if (own) return own as tf.Tensor;
  if (axes.some(({ dilation }) => dilation > 1)) {
    return maxOfEachWindow(planes, axes.map(slidingWindows))[0];
  }
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
 * The maximum over arbitrary windows and its index: `(planes, ...spatial)` → values and int32
 * indices into the flattened planes, `(planes, …)`. Of equal maxima the first counts, of NaN the
 * last. An empty window gives -∞.
 *
 * One dimension after the other, beginning with the last, so that large windows need few steps.
 */
export function maxOfEachWindow(
  planes: tf.Tensor,
  windows: readonly Windows[],
): [tf.Tensor, tf.Tensor] {
  const [count, ...spatial] = planes.shape as [number, ...number[]];
  const shape = [count, ...windows.map(({ length }) => length)];
  if (shape.includes(0)) return [tf.zeros(shape, planes.dtype), tf.zeros(shape, "int32")];
  let values = planes;
  let indices: tf.Tensor | null = null;
  for (let d = spatial.length - 1; d >= 0; d -= 1) {
    const before = tf.util.sizeFromShape([count, ...spatial.slice(0, d)]);
    const size = spatial[d]!;
    const behind = tf.util.sizeFromShape(shape.slice(d + 2));
    const rows = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [before, size, behind]);
    const along = maxAlong(rows(values), windows[d]!);
    const step = tf.scalar(tf.util.sizeFromShape(spatial.slice(d + 1)), "int32");
    const positions = tf.mul(along.positions, step);
    values = along.pick(rows(values));
    indices = indices === null ? positions : tf.add(positions, along.pick(rows(indices)));
  }
  return [tf.reshape(values, shape), tf.reshape(indices!, shape)];
}

/** The indices of the maxima over windows along the middle one of three dimensions. */
function maxAlong(
  x: tf.Tensor,
  windows: Windows,
): { positions: tf.Tensor; pick: (from: tf.Tensor) => tf.Tensor } {
  const [before, size, behind] = x.shape as [number, number, number];
  const outputs = windows.length;
  const taps = Math.max(1, ...windows.map(({ length }) => length));
  // Shorter windows are padded with their last position, empty ones with -∞ from behind the end.
  const hasEmpty = windows.some(({ length }) => length === 0);
  const all = new Int32Array(outputs * taps);
  windows.forEach((window, o) => {
    all.fill(window.at(-1) ?? size, o * taps, (o + 1) * taps);
    all.set(window, o * taps);
  });
  const widen = (y: tf.Tensor): tf.Tensor =>
    hasEmpty ? tf.concat([y, tf.fill([before, 1, behind], -Infinity, y.dtype)], 1) : y;
  const index = tf.tensor1d(all, "int32");
  // A last dimension of size 1 is left out, since tfjs would transpose for it.
  const last = behind === 1 ? [] : [behind];
  // As floats, because tfjs-wasm's isNaN takes negative integers for NaN.
  const floats = asFloat(tf.gather(widen(x), index, 1));
  const seen = tf.reshape(floats, [before, outputs, taps, ...last]);

  const order = tf.reshape(tf.range(1, taps + 1), [taps, ...last.map(() => 1)]);
  const lastNaN = tf.max(tf.mul(tf.cast(tf.isNaN(seen), "float32"), order), 2);
  const best = tf.cast(tf.argMax(seen, 2), "float32");
  const found = tf.where(tf.greater(lastNaN, 0), tf.sub(lastNaN, 1), best);
  const tap = tf.reshape(found, [before, outputs, behind]);
  const firstTap = tf.reshape(tf.range(0, outputs * taps, taps), [outputs, 1]);
  const positions = tf.gather(index, tf.cast(tf.add(firstTap, tap), "int32"));

  const firstRow = tf.reshape(
    tf.range(0, before * (size + 1), hasEmpty ? size + 1 : size, "int32"),
    [-1, 1, 1],
  );
  const row = tf.add(tf.slice(firstRow, 0, before), positions);
  const column = tf.add(tf.range(0, behind, 1, "int32"), tf.zerosLike(row));
  const places = tf.stack([row, column], -1);
  return {
    positions,
    pick: (from) => tf.gatherND(tf.reshape(widen(from), [-1, behind]), places),
  };
}

/**
 * The maximum over listed positions of each plane, and its index: the first of equal ones, the last
 * NaN.
 *
 * @param positions for each output of a plane the positions in it, all in one list
 * @returns values and int32 indices into the planes, `(planes, outputs)`
 */
export function maxOfTaps(
  planes: tf.Tensor,
  { positions, taps }: { positions: Int32Array; taps: number },
): [tf.Tensor, tf.Tensor] {
  const [count, size] = planes.shape as [number, number];
  const flat = tf.reshape(planes, [-1]);
  const index = tf.tensor1d(positions, "int32");
  const seen = tf.reshape(tf.gather(flat, index), [count, -1, taps]);
  const order = tf.range(1, taps + 1);
  const lastNaN = tf.max(tf.mul(tf.cast(tf.isNaN(seen), "float32"), order), -1);
  const best = tf.cast(tf.argMax(seen, -1), "float32");
  const tap = tf.where(tf.greater(lastNaN, 0), tf.sub(lastNaN, 1), best);
  const row = tf.reshape(tf.range(0, positions.length, taps), tap.shape);
  const places = tf.gather(index, tf.cast(tf.add(row, tap), "int32"));
  const plane = tf.range(0, count * size, size, "int32");
  return [tf.gather(flat, places), tf.sub(places, tf.reshape(plane, [count, 1]))];
}
