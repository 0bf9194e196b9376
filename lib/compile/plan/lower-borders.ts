import { elementwise, taps, type TapsSpec } from "../../kernels/cpu/index.js";
import type { Argument, Node } from "../../graph/index.js";
import { type InterpolateOptions, resamplings } from "../../functional/resampling.js";
import { paddedPlaces, type PadMode } from "../../functional/windows.js";
import { shapeOf, tensorMeta } from "../passes/facts.js";
import { type Builder } from "./builder.js";
import { type Lower, type Lowerings, ofFloats, optionsOf } from "./lower-basic.js";
import { count, sliceValue, type Value } from "./value.js";

/** Rebuilds a tensor along one dimension: each new place is a weighted sum of old places. */
export function alongDim(
  b: Builder,
  given: Value,
  dim: number,
  spec: Pick<TapsSpec, "positions" | "weights">,
): Value {
  const x = b.contiguous(given);
  const kernel = taps(b.heap, { ...spec, shape: x.shape, dim });
  const out = b.make(x.shape.map((size, i) => (i === dim ? spec.positions.length : size)));
  const flops = 2 * (count(out.shape) / spec.positions.length) * spec.positions.flat().length;
  b.call("taps", kernel, { x }, { out }, { flops });
  return out;
}

/** A tensor of one repeated number. */
function filled(b: Builder, shape: readonly number[], dtype: string, value: number): Value {
  const out = b.make(shape, dtype);
  // The constant is a float: an integer is given as the float with the same bits, a multiple of the
  // smallest one.
  const constant = dtype === "int32" ? value * 2 ** -149 : value;
  const kernel = elementwise(b.heap, { steps: [["constant", constant]], shape, strides: [] });
  b.call("fill", kernel, { inputs: [] }, { out });
  return out;
}

const like =
  (value: number): Lower =>
  (b, node) =>
    filled(b, shapeOf(node), tensorMeta(node)!.dtype, value);

/** Pads with a constant; negative sizes crop. */
export function padConstant(
  b: Builder,
  given: Value,
  sizes: readonly number[],
  value: number,
): Value {
  const rank = given.shape.length;
  const side = (dim: number, at: 0 | 1): number => sizes[2 * (rank - 1 - dim) + at] ?? 0;
  const begin = given.shape.map((_, dim) => Math.max(0, -side(dim, 0)));
  const kept = given.shape.map((size, dim) => size + Math.min(0, side(dim, 0)) + Math.min(0, side(dim, 1))); // prettier-ignore
  const x = sliceValue(given, begin, kept);
  if (sizes.every((size) => size <= 0)) return x;
  const shape = given.shape.map((size, dim) => size + side(dim, 0) + side(dim, 1));
  const out = filled(b, shape, "float32", value);
  const place = shape.map((_, dim) => Math.max(0, side(dim, 0)));
  b.copy(x, sliceValue(out, place, x.shape));
  return out;
}

const pad: Lower = (b, node) => {
  const [input, sizes, given] = node.args as [Node, number[], Argument];
  const { mode = "constant", value } = optionsOf(given) as { mode?: PadMode; value?: number | null }; // prettier-ignore
  let x = b.read(input);
  if (sizes.every((size) => size === 0)) return x;
  if (mode === "constant") return padConstant(b, x, sizes, value ?? 0);
  for (let i = 0; i < sizes.length / 2; i += 1) {
    const [before, after] = sizes.slice(2 * i, 2 * i + 2) as [number, number];
    if (before === 0 && after === 0) continue;
    const axis = x.shape.length - 1 - i;
    const sources = paddedPlaces(x.shape[axis]!, before, after, mode);
    x = alongDim(b, x, axis, { positions: sources.map((source) => [source]) });
  }
  return x;
};

/** All modes but "area", which is a pooling. */
export const interpolate: Lower = (b, node) => {
  let x = b.read(node.args[0] as Node);
  const options = optionsOf(node.args[1]) as InterpolateOptions;
  const tables = resamplings(x.shape.slice(2), shapeOf(node).slice(2), options);
  for (let i = tables.length - 1; i >= 0; i -= 1) x = alongDim(b, x, i + 2, tables[i]!);
  return x;
};

export const BORDERS: Lowerings = {
  ...ofFloats({ pad }),
  "tfjs.ZerosLike": like(0),
  "tfjs.OnesLike": like(1),
};
