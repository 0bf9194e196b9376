/**
 * Ops that are weighted sums or maxima of places along each axis: resampling, pooling, padding, and
 * gathering by constant indices.
 */
import * as tf from "@tensorflow/tfjs-core";
import { type InterpolateOptions, resamplings } from "../../../functional/resampling.js";
import { adaptiveWindows, paddedPlaces } from "../../../functional/windows.js";
import type { PadMode } from "../../../kernels/webgl/programs/pad.js";
import { windowsProgram } from "../../../kernels/webgl/programs/windows.js";
import type { Node } from "../../../graph/index.js";
import { type Builder, isMasked, ready, type Weight } from "../builder.js";
import { naturalOrder, reshaped, type Value } from "../value.js";
import { dtypeOf, type Lowering, shapeOf, type Size, type WindowOptions, windowOf } from "./common.js"; // prettier-ignore

/**
 * For each place of an output axis: the places of the input that it reads, each with a factor and
 * an addend.
 */
export type Table = readonly (readonly (readonly [
  from: number,
  factor: number,
  plus?: number,
])[])[];

const range = <T>(length: number, make: (i: number) => T): T[] =>
  Array.from({ length }, (_, i) => make(i));

/**
 * Makes all windows equally long: zeros are added to sums, and repeats of the first place to
 * maxima.
 */
function packTable(table: Table, kind: "sum" | "max"): { taps: number; weight: Weight } {
  const taps = Math.max(1, ...table.map(({ length }) => length));
  const flat = table.flatMap((window) =>
    range(taps, (k) => {
      const filling = kind === "max" ? window[0]! : ([0, 0, 0] as const);
      const [from, factor, plus = 0] = window[k] ?? filling;
      return [from, factor, plus, 0];
    }),
  );
  const values = Float32Array.from(flat.flat());
  return {
    taps,
    weight: { key: `table ${taps} ${values.join()}`, make: ready(values) },
  };
}

/** Computes one axis from a table. The other axes stay as they are. */
export function along(
  b: Builder,
  value: Value,
  axis: number,
  table: Table,
  kind: "sum" | "max",
): Value {
  const natural = naturalOrder(value);
  // The program works along rows, so that an axis stored as channels must move to the front.
  const isChannel = natural.at(-1) === axis;
  const order = isChannel ? [axis, ...natural.slice(0, -1)] : natural;
  if (order.length === 1) {
    const line = reshaped(value, [value.shape[0]!, 1])!;
    return reshaped(along(b, line, 0, table, kind), [table.length])!;
  }
  const shape = value.shape.map((size, i) => (i === axis ? table.length : size));
  const inner = order.slice(order.indexOf(axis) + 1, -1).reduce((n, one) => n * shape[one]!, 1);
  const { taps, weight } = packTable(table, kind);
  const masked = isMasked(shape[order.at(-1)!]!);
  return b.draw(windowsProgram(kind, masked), shape, {
    order,
    inputs: [b.read(value, order)],
    weights: [weight],
    ints: { size: value.shape[axis]!, count: table.length, inner, taps },
  });
}

/** Applies tables to several axes in turn, starting with those that shrink the tensor most. */
function alongAll(
  b: Builder,
  value: Value,
  tables: readonly { axis: number; table: Table }[],
  kind: "sum" | "max" = "sum",
): Value {
  const growth = ({ axis, table }: (typeof tables)[number]): number =>
    table.length / value.shape[axis]!;
  return tables
    .toSorted((one, two) => growth(one) - growth(two))
    .reduce((x, { axis, table }) => along(b, x, axis, table, kind), value);
}

const isEmpty = (value: Value, node: Node): boolean =>
  [...value.shape, ...shapeOf(node)].includes(0);

/** `interpolate(x, options)`, with a table for each spatial axis. */
export const interpolate: Lowering = (b, node, read) => {
  const value = read(node.args[0] as Node);
  const options = (node.args[1] ?? {}) as InterpolateOptions;
  if (isEmpty(value, node) || dtypeOf(node) !== "float32") return null;
  if (options.mode === "area") return adaptive(b, value, shapeOf(node), value.shape.length - 2, "sum"); // prettier-ignore
  const sizes = [value.shape, shapeOf(node)].map((shape) => shape.slice(2));
  const tables = resamplings(sizes[0]!, sizes[1]!, options).map(({ positions, weights }, d) => ({
    axis: d + 2,
    table: positions.map((window, i) => window.map((from, k) => [from, weights[i]![k]!] as const)),
  }));
  return alongAll(b, value, tables);
};

/** Adaptive pooling, with the windows that PyTorch chooses. */
function adaptive(
  b: Builder,
  value: Value,
  shape: readonly number[],
  n: number,
  kind: "sum" | "max",
): Value {
  const tables = range(n, (d) => {
    const axis = shape.length - n + d;
    const windows = adaptiveWindows(value.shape[axis]!, shape[axis]!);
    const table = windows.map((seen) => seen.map((at) => [at, 1 / seen.length] as const));
    return { axis, table };
  });
  return alongAll(b, value, tables, kind);
}

/** `adaptive_avg_pool3d(x, size)` and its like, with and without a batch axis. */
export const adaptivePool: Lowering = (b, node, read) => {
  const value = read(node.args[0] as Node);
  if (Array.isArray(node.meta.value) || isEmpty(value, node)) return null;
  const n = Number(/([123])d$/.exec(node.target)![1]);
  const kind = node.target.includes("max") ? "max" : "sum";
  return adaptive(b, value, shapeOf(node), n, kind);
};

interface PoolOptions extends WindowOptions {
  countIncludePad?: boolean;
  divisorOverride?: number | null;
}

/**
 * Pooling one axis at a time: for volumes, inputs without a batch axis, and windows that reach over
 * the end.
 */
export const separatePool: Lowering = (b, node, read) => {
  const value = read(node.args[0] as Node);
  if (Array.isArray(node.meta.value) || isEmpty(value, node)) return null;
  const n = Number(/([123])d$/.exec(node.target)![1]);
  const isMax = node.target.startsWith("max");
  const options = (node.args[2] ?? {}) as PoolOptions;
  const shape = shapeOf(node);
  const { kernel: kernels, stride: strides, padding: paddings, dilation: dilations } = windowOf(n, node.args[1] as Size, options); // prettier-ignore
  const includes = options.countIncludePad ?? true;
  const tables = kernels.map((kernel, d) => {
    const axis = shape.length - n + d;
    const size = value.shape[axis]!;
    const table = range(shape[axis]!, (o) => {
      const start = o * strides[d]! - paddings[d]!;
      const places = range(kernel, (k) => start + k * dilations[d]!);
      const inside = places.filter((at) => at >= 0 && at < size);
      const counted = includes ? places.filter((at) => at < size + paddings[d]!) : inside;
      const divisor = options.divisorOverride ? (d === 0 ? options.divisorOverride : 1) : counted.length; // prettier-ignore
      return inside.map((at) => [at, 1 / divisor] as const);
    });
    return { axis, table };
  });
  if (isMax && tables.some(({ table }) => table.some(({ length }) => length === 0))) return null;
  return alongAll(b, value, tables, isMax ? "max" : "sum");
};

/**
 * Pads or crops axes: how much comes before each (negative: is cropped), and what fills the border.
 */
function bordered(
  b: Builder,
  node: Node,
  value: Value,
  sides: readonly { axis: number; before: number }[],
  { mode, filling }: { mode: PadMode; filling: number },
): Value {
  const tables = sides.map(({ axis, before }) => {
    const size = value.shape[axis]!;
    const count = shapeOf(node)[axis]!;
    const places =
      mode === "constant"
        ? range(count, (o) => o - before)
        : paddedPlaces(size, before, count - size - before, mode);
    const table = places.map((from) => [
      from >= 0 && from < size ? ([from, 1] as const) : ([0, 0, filling] as const),
    ]);
    return { axis, table };
  });
  return alongAll(b, value, tables);
}

/** `pad(x, sides, { mode, value })`; `sides` starts with the last axis. */
export const padAll: Lowering = (b, node, read) => {
  const value = read(node.args[0] as Node);
  const sizes = node.args[1] as number[];
  const { mode = "constant", value: filling } = (node.args[2] ?? {}) as { mode?: PadMode; value?: number | null }; // prettier-ignore
  if (isEmpty(value, node) || dtypeOf(node) === "bool") return null;
  const last = value.shape.length - 1;
  const sides = range(sizes.length / 2, (i) => ({ axis: last - i, before: sizes[2 * i]! }));
  const some = sides.filter((_, i) => sizes[2 * i] !== 0 || sizes[2 * i + 1] !== 0);
  return bordered(b, node, value, some, { mode, filling: filling ?? 0 });
};

/** `tfjs.PadV2({ x }, { paddings, constantValue })` */
export const padKernel: Lowering = (b, node, read) => {
  const [{ x }, { paddings, constantValue = 0 }] = node.args as unknown as [
    { x: Node },
    { paddings: [number, number][]; constantValue?: number },
  ];
  const value = read(x);
  if (isEmpty(value, node)) return null;
  const sides = paddings.map(([before], axis) => ({ axis, before }));
  const some = sides.filter(({ axis }) => paddings[axis]!.some((n) => n > 0));
  return bordered(b, node, value, some, { mode: "constant", filling: constantValue });
};

/** `tfjs.Tile({ x }, { reps })` and `tfjs.Reverse({ x }, { dims })` */
export const repeat: Lowering = (b, node, read) => {
  const [{ x }, attrs] = node.args as unknown as [
    { x: Node },
    { reps?: number[]; dims?: number | number[] },
  ];
  const value = read(x);
  if (isEmpty(value, node)) return null;
  const dims = attrs.reps ? null : tf.util.parseAxisParam(attrs.dims!, [...value.shape]);
  const tables = shapeOf(node).map((count, axis) => {
    const size = value.shape[axis]!;
    const at = (o: number): number => (dims?.includes(axis) ? size - 1 - o : o % size);
    return { axis, table: range(count, (o) => [[at(o), 1] as const]) };
  });
  return alongAll(
    b,
    value,
    tables.filter(({ axis, table }) => dims?.includes(axis) ?? table.length !== value.shape[axis]),
  );
};

/** `prim.gather(x, indices, axis, batchDims)` with constant indices. */
export const gather: Lowering = (b, node, read) => {
  const [x, indices, axis, batchDims] = node.args as unknown as [Node, Node, number, number];
  const value = read(x);
  const ids = b.numbersOf(indices);
  if (ids === null || batchDims || isEmpty(value, node)) return null;
  const size = value.shape[axis]!;
  const places = Array.from(ids);
  if (!places.every((id) => id >= 0 && id < size)) return null;
  const y = along(b, value, axis, places.map((id) => [[id, 1] as const]), "sum"); // prettier-ignore
  return reshaped(y, shapeOf(node));
};
