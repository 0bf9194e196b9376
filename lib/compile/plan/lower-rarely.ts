/**
 * Lowerings of ops that few models have, by kernels in JavaScript. Loaded when the first plan needs
 * one.
 */
import {
  bags,
  type BagsSpec,
  extreme,
  groupedLinear,
  maxPlaces,
  scan,
  type ScanSpec,
  scatter,
  topK,
} from "../../kernels/cpu/rarely.js";
import type { Axis, Windows } from "../../functional/windows.js";
import type { Argument, Node, TensorMeta } from "../../graph/index.js";
import type { Builder, Lowered } from "./builder.js";
import type { linear } from "../../kernels/cpu/index.js";
import type { packWeight } from "./lower-linear.js";
import type { runReduction } from "./lower-norm.js";
import type { runLayer } from "./lower-recurrent.js";
import type { sizes } from "./lower-basic.js";
import type { Value } from "./value.js";

/**
 * Functions of other files, handed over as arguments: an import would make bundlers move them into
 * a chunk of their own, so that they are not loaded twice.
 */
export interface Shared {
  sizes: typeof sizes;
  runReduction: typeof runReduction;
  runLayer: typeof runLayer;
  linear: typeof linear;
  packWeight: typeof packWeight;
  slidingWindows: (axis: Axis) => Windows;
  adaptiveWindows: (input: number, output: number) => Windows;
}

/** A lowering; `null` if these kernels cannot compute the op. */
type Lower = (b: Builder, node: Node, shared: Shared) => Lowered | null;
type Options = Readonly<Record<string, Argument>>;

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Shape and dtype of a node's result; of each, if it gives a list. */
const metasOf = (node: Node): { shape: number[]; dtype: string }[] =>
  [node.meta.value as TensorMeta | TensorMeta[]].flat() as { shape: number[]; dtype: string }[];

const shapeOf = (node: Node): number[] => metasOf(node)[0]!.shape;

const makeAll = (b: Builder, node: Node): Value[] =>
  metasOf(node).map(({ shape, dtype }) => b.make(shape, dtype));

const optional = (b: Builder, one: Argument): Value | null =>
  one ? b.contiguous(b.read(one as Node)) : null;

const optionsOf = (given: Argument): Options => (given ?? {}) as Options;

/** The input and attributes of a raw tfjs kernel. */
const read = (b: Builder, node: Node): { x: Value; attrs: Options } => {
  const [inputs, attrs] = node.args as [Record<string, Node>, Options];
  return { x: optional(b, Object.values(inputs)[0])!, attrs };
};

/** The number of elements before, along and behind a dimension. */
function around(x: Value, axis: number): { outer: number; n: number; inner: number } {
  const at = (axis + x.shape.length) % x.shape.length;
  const n = x.shape[at]!;
  return { outer: count(x.shape.slice(0, at)), n, inner: count(x.shape.slice(at + 1)) };
}

const cumulated =
  (kind: ScanSpec["kind"]): Lower =>
  (b, node) => {
    const { x, attrs } = read(b, node);
    const { axis, exclusive, reverse } = attrs as { axis: number; exclusive: boolean; reverse: boolean }; // prettier-ignore
    const { dtype } = metasOf(node)[0]!;
    const integers = x.dtype === "int32";
    const spec = { ...around(x, axis), kind, exclusive, reverse, integers };
    const out = b.make(x.shape, dtype);
    b.call("scan", scan(b.heap, { ...spec, counts: dtype === "int32" }), { x }, { out });
    return out;
  };

const extremeOf =
  (least: boolean): Lower =>
  (b, node) => {
    const { x, attrs } = read(b, node);
    const spec = { ...around(x, attrs.axis as number), integers: x.dtype === "int32", least };
    const out = b.make(shapeOf(node), "int32");
    b.call("extreme", extreme(b.heap, spec), { x }, { out });
    return out;
  };

const topOf: Lower = (b, node) => {
  const { x, attrs } = read(b, node);
  const n = x.shape.at(-1)!;
  const spec = { rows: count(x.shape) / n, n, k: attrs.k as number, integers: x.dtype === "int32" };
  const [values, indices] = makeAll(b, node) as [Value, Value];
  b.call("top k", topK(b.heap, spec), { x }, { values, indices });
  return [values, indices];
};

/** Any or all of some booleans: the maximum or minimum of 1 and 0. */
const anyOrAll =
  (kind: "max" | "min"): Lower =>
  (b, node, { runReduction }) => {
    const { x, attrs } = read(b, node);
    const given = (attrs.axis ?? x.shape.map((_, i) => i)) as number | number[];
    const rank = x.shape.length;
    const axes = [given].flat().map((axis) => (axis + rank) % rank).sort((i, j) => i - j); // prettier-ignore
    const found = runReduction(b, x, axes, kind, shapeOf(node));
    return { ...(found as Value), dtype: "bool" };
  };

/** Maxima of windows, with their positions. */
function lowerPlaces(b: Builder, node: Node, windows: Windows[] | undefined): Lowered | null {
  const x = optional(b, node.args[0])!;
  if (!windows || x.dtype !== "float32" || windows.flat().some(({ length }) => length === 0)) {
    return null;
  }
  const size = x.shape.slice(-windows.length);
  const planes = count(x.shape) / count(size);
  const [values, indices] = makeAll(b, node) as [Value, Value];
  const kernel = maxPlaces(b.heap, { planes, size, windows });
  b.call("max pool with places", kernel, { x }, { values, indices });
  return [values, indices];
}

/**
 * Input and output size along each dimension of a pooling that returns indices; `null` if it
 * returns none.
 */
function pooled(node: Node, dims: number): [input: number, output: number][] | null {
  if (!optionsOf(node.args[2]).returnIndices) return null;
  const output = metasOf(node)[0]!.shape.slice(-dims);
  return shapeOf(node.args[0] as Node).slice(-dims).map((size, i) => [size, output[i]!]); // prettier-ignore
}

const sliding =
  (dims: number): Lower =>
  (b, node, { sizes, slidingWindows }) => {
    const options = optionsOf(node.args[2]);
    const kernel = sizes(node.args[1], dims, 1);
    const stride = sizes(options.stride, dims, kernel);
    const padding = sizes(options.padding, dims, 0);
    const dilation = sizes(options.dilation, dims, 1);
    const windows = pooled(node, dims)?.map(([input, output], i) =>
      slidingWindows({
        ...{ input, output, kernel: kernel[i]!, stride: stride[i]! },
        ...{ padding: padding[i]!, dilation: dilation[i]! },
      }),
    );
    return lowerPlaces(b, node, windows);
  };

const adaptive =
  (dims: number): Lower =>
  (b, node, { adaptiveWindows }) =>
    lowerPlaces(
      b,
      node,
      pooled(node, dims)?.map((one) => adaptiveWindows(...one)),
    );

const unpool =
  (dims: number): Lower =>
  (b, node) => {
    const [x, indices] = node.args.slice(0, 2).map((one) => optional(b, one)) as [Value, Value]; // prettier-ignore
    const out = b.make(shapeOf(node));
    const stretches = count(x.shape.slice(0, -dims));
    const size = count(out.shape) / stretches;
    const kernel = scatter(b.heap, { stretches, size, each: count(x.shape) / stretches, off: 0 });
    b.call("unpool", kernel, { x, indices }, { out });
    return out;
  };

/** One number at the position of each class, another one elsewhere. */
function hot(
  b: Builder,
  node: Node,
  indices: Value,
  on: number,
  off: number,
  lenient: boolean,
): Lowered {
  // prettier-ignore
  const { dtype } = metasOf(node)[0]!;
  const out = b.make(shapeOf(node), dtype);
  const size = out.shape.at(-1)!;
  const spec = { stretches: count(indices.shape), size, each: 1, on, off, lenient };
  const kernel = scatter(b.heap, { ...spec, integers: dtype === "int32" });
  b.call("one hot", kernel, { indices }, { out });
  return out;
}

const embeddingBag: Lower = (b, node) => {
  const [input, weight, given] = node.args as [Node, Node, Argument];
  const { maxNorm, ...options } = optionsOf(given);
  if (maxNorm) return null;
  const [indices, table] = [input, weight].map((one) => optional(b, one)) as [Value, Value]; // prettier-ignore
  const offsets = optional(b, options.offsets);
  const weights = optional(b, options.perSampleWeights);
  const [rows, n] = table.shape as [number, number];
  const out = b.make(shapeOf(node));
  const index = (options.paddingIdx as number | null | undefined) ?? null;
  const spec: BagsSpec = {
    ...{ bags: out.shape[0]!, total: count(indices.shape), rows, n },
    mode: (options.mode as BagsSpec["mode"] | undefined) ?? "mean",
    padding: index === null ? -1 : index < 0 ? index + rows : index,
    offsets: offsets ? offsets.shape[0]! : 0,
  };
  b.call("bags", bags(b.heap, spec), { indices, table, offsets, weights }, { out });
  return out;
};

/**
 * `(S, K) × (E, K, N)`: groups of rows, each times a weight of its own. Each weight begins with a new
 * panel.
 */
const grouped: Lower = (b, node, { linear, packWeight }) => {
  const [input, given, offs] = node.args as [Node, Node, Node];
  const [m, k] = shapeOf(input) as [number, number];
  const [groups, , n] = shapeOf(given) as [number, number, number | undefined];
  if (!b.isStatic(given) || !n || n % 8 > 0) return null;
  const Made = node.constructor as typeof Node;
  const make = (target: string, x: Node, how: number[], shape = how): Node =>
    new Made("", "call_function", target, [x, how], {}, { value: { shape, dtype: "float32" } });
  // As nn.Linear's: most of them are a transpose of that.
  const swap = [0, 2, 1];
  const isSwapped = given.target === "prim.permute" && (given.args[1] as number[]).join() === swap.join(); // prettier-ignore
  const across = isSwapped ? (given.args[0] as Node) : make("prim.permute", given, swap, [groups, n, k]); // prettier-ignore
  const weight = make("prim.reshape", across, [groups * n, k]);
  const weightType = b.weightType(weight);
  const packed = packWeight(b, weight, weightType);
  const product = (rows: number): ReturnType<typeof linear> =>
    linear(b.heap, { m: rows, n, k, weightType });
  const kernel = groupedLinear(b.heap, { m, n, k, groups, each: packed.bytes / groups, product });
  const out = b.make(shapeOf(node));
  const reads = { x: optional(b, input), ends: optional(b, offs), weight: packed };
  b.call("grouped linear", kernel, reads, { out }, { flops: 2 * m * n * k });
  return out;
};

/** A single step of a recurrent layer, as a sequence of length 1. */
const cell =
  (kind: "lstm" | "gru" | "tanh" | "relu"): Lower =>
  (b, node, { runLayer }) => {
    const [input, state, weightIh, weightHh, biasIh, biasHh] = node.args as unknown as Cell;
    if (!b.isStatic(weightIh) || !b.isStatic(weightHh) || shapeOf(input).length !== 2) return null;
    const starts = [state].flat().map((one) => optional(b, one)!);
    const once = (one: Value): Value => ({ ...one, shape: [1, ...one.shape], strides: [count(one.shape), ...one.strides] }); // prettier-ignore
    const [h, c] = starts.map(({ shape }) => b.make(shape)) as [Value, Value | undefined];
    const weights = { weightIh, weightHh, biasIh, biasHh, weightHr: null };
    const ends = [null, c ?? null];
    runLayer(b, kind, weights, once(optional(b, input)!), once(h), {
      starts,
      ends,
      reverse: false,
    });
    return c ? [h, c] : h;
  };

type Cell = [
  input: Node,
  state: Node | readonly Node[],
  weightIh: Node,
  weightHh: Node,
  biasIh: Node | null,
  biasHh: Node | null,
];

const TABLE: Readonly<Record<string, Lower>> = {
  "tfjs.Cumsum": cumulated("sum"),
  "tfjs.Cumprod": cumulated("product"),
  "tfjs.ArgMax": extremeOf(false),
  "tfjs.ArgMin": extremeOf(true),
  "tfjs.TopK": topOf,
  "tfjs.Any": anyOrAll("max"),
  "tfjs.All": anyOrAll("min"),
  "tfjs.OneHot": (b, node) => {
    const { x, attrs } = read(b, node);
    return hot(b, node, x, attrs.onValue as number, attrs.offValue as number, true);
  },
  one_hot: (b, node) => hot(b, node, optional(b, node.args[0])!, 1, 0, false),
  embedding_bag: embeddingBag,
  grouped_mm: grouped,
  lstm_cell: cell("lstm"),
  gru_cell: cell("gru"),
  rnn_tanh_cell: cell("tanh"),
  rnn_relu_cell: cell("relu"),
  ...Object.fromEntries(
    [1, 2, 3].flatMap((dims) => [
      [`max_pool${dims}d`, sliding(dims)],
      [`adaptive_max_pool${dims}d`, adaptive(dims)],
      [`max_unpool${dims}d`, unpool(dims)],
    ]),
  ),
};

/** Makes the table of lowerings; ops without elements are left out. */
export const rarely = (
  shared: Shared,
): Readonly<Record<string, (b: Builder, node: Node) => Lowered | null>> =>
  Object.fromEntries(
    Object.entries(TABLE).map(([name, lower]) => [
      name,
      (b: Builder, node: Node) => {
        const all = [...node.inputs(), node].flatMap(metasOf);
        return all.some(({ shape }) => shape.includes(0)) ? null : lower(b, node, shared);
      },
    ]),
  );
