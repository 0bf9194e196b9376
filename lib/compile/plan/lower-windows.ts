import { pool, type PoolSpec } from "../../kernels/cpu/index.js";
import type { Argument, Node } from "../../graph/index.js";
import { shapeOf } from "../passes/facts.js";
import { type Builder, Decline, type Lowered } from "./builder.js";
import { adaptiveWindows } from "../../functional/windows.js";
import { alongDim, interpolate } from "./lower-borders.js";
import { inDimensions, type Lower, type Lowerings, optionsOf } from "./lower-basic.js";
import { runReduction } from "./lower-norm.js";
import { count, reshapeValue, type Value } from "./value.js";

/** One number for all dimensions, or one for each; what is not given is `missing`. */
const sizes = (value: Argument, dims: number, missing: Argument): number[] => {
  const given = [value ?? []].flat() as number[];
  const list = given.length === 0 ? ([missing].flat() as number[]) : given;
  return list.length === dims ? list : new Array<number>(dims).fill(list[0]!);
};

type Windows = Omit<PoolSpec, "planes" | "size">;

/** What windows are made of, and what makes no difference. */
const PARTS = { kernel: 1, stride: 1, padding: 0, paddingAfter: 0, dilation: 1 };

/** Pools a tensor's last dimensions, two at a time: windows in three are those of a plane, in a row. */
function runPool(b: Builder, input: Value, spec: Windows, shape: readonly number[]): Lowered {
  const x = b.contiguous(input);
  if (spec.kernel.length < 3) return poolPlanes(b, x, spec, shape);
  const cut = (some: (list: readonly number[], none: number) => number[]): Windows => {
    const parts = Object.entries(PARTS).map(([name, none]) => {
      const list = spec[name as keyof typeof PARTS];
      return [name, list && some(list, none)];
    });
    return { ...spec, ...(Object.fromEntries(parts) as Partial<Windows>) };
  };
  const depth = x.shape.at(-3)!;
  const inPlanes = cut((list) => list.slice(1));
  const planes = poolPlanes(b, x, inPlanes, [...x.shape.slice(0, -2), ...shape.slice(-2)]);
  // Places of a plane side by side, one plane behind the other.
  const area = count(shape.slice(-2));
  const lead = count(x.shape.slice(0, -3));
  const along = cut(([first], none) => [first!, none]);
  if (spec.divisor !== undefined) along.divisor = 1;
  const rows = reshapeValue(planes, [lead, depth, area])!;
  return reshapeValue(poolPlanes(b, rows, along, [lead, shape.at(-3)!, area]), shape)!;
}

function poolPlanes(b: Builder, x: Value, spec: Windows, shape: readonly number[]): Value {
  const dims = spec.kernel.length;
  const size = x.shape.slice(-dims);
  const kernel = pool(b.heap, { ...spec, size, planes: count(x.shape.slice(0, -dims)) });
  const out = b.make(shape);
  const flops = count(shape) * count(spec.kernel);
  b.call(`${spec.kind} pool`, kernel, { x }, { out }, { flops });
  return out;
}

const lowerPool =
  (kind: "max" | "avg", dims: number): Lower =>
  (b, node) => {
    const options = optionsOf(node.args[2]);
    if (options.returnIndices) return new Decline("indices");
    const kernel = sizes(node.args[1], dims, 1);
    const padding = sizes(options.padding, dims, 0);
    const spec: Windows = {
      ...{ kind, kernel, padding, paddingAfter: padding },
      stride: sizes(options.stride, dims, kernel),
      dilation: sizes(options.dilation, dims, 1),
      ceilMode: Boolean(options.ceilMode),
      countIncludePad: (options.countIncludePad as boolean | undefined) ?? true,
      divisor: (options.divisorOverride as number | null | undefined) ?? undefined,
    };
    return runPool(b, b.read(node.args[0] as Node), spec, shapeOf(node));
  };

/** Where the windows are all alike, they are those of a plain pooling; else one dimension at a time. */
const lowerAdaptive =
  (kind: "max" | "avg", dims: number): Lower =>
  (b, node) => {
    if (optionsOf(node.args[2]).returnIndices) return new Decline("indices");
    const shape = shapeOf(node);
    let x = b.read(node.args[0] as Node);
    const rank = x.shape.length;
    const size = x.shape.slice(-dims);
    const output = shape.slice(-dims);
    if (count(output) === 1) {
      const axes = size.map((_, i) => rank - dims + i);
      return runReduction(b, x, axes, kind === "max" ? "max" : "mean", shape);
    }
    if (size.every((n, i) => output[i]! > 0 && n % output[i]! === 0)) {
      const kernel = size.map((n, i) => n / output[i]!);
      return runPool(b, x, { kind, kernel, stride: kernel }, shape);
    }
    for (let i = dims - 1; i >= 0; i -= 1) {
      const positions = adaptiveWindows(size[i]!, output[i]!);
      const means = positions.map((window) => window.map(() => 1 / window.length));
      const spec = kind === "max" ? { positions } : { positions, weights: means };
      x = alongDim(b, x, rank - dims + i, spec);
    }
    return x;
  };

export const WINDOWS: Lowerings = {
  interpolate: (b, node) =>
    optionsOf(node.args[1]).mode === "area"
      ? lowerAdaptive("avg", shapeOf(node).length - 2)(b, node)
      : interpolate(b, node),
  ...inDimensions((dims) => ({
    [`max_pool${dims}d`]: lowerPool("max", dims),
    [`avg_pool${dims}d`]: lowerPool("avg", dims),
    [`adaptive_avg_pool${dims}d`]: lowerAdaptive("avg", dims),
    [`adaptive_max_pool${dims}d`]: lowerAdaptive("max", dims),
  })),
};
