import { pool, type PoolSpec } from "../../kernels/cpu/index.js";
import type { Node } from "../../graph/index.js";
import { shapeOf } from "../passes/facts.js";
import { type Builder, Decline, type Lowered } from "./builder.js";
import { adaptiveWindows } from "../../functional/windows.js";
import { alongDim, interpolate } from "./lower-borders.js";
import { inDimensions, type Lower, type Lowerings, optionsOf, sizes } from "./lower-basic.js";
import { runReduction } from "./lower-norm.js";
import { count, type Value } from "./value.js";

type Windows = Omit<PoolSpec, "planes" | "size">;

/** Pools the last dimensions of a tensor. */
function runPool(b: Builder, input: Value, spec: Windows, shape: readonly number[]): Lowered {
  const x = b.contiguous(input);
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

/**
 * If all windows have the same size and distance, this is plain pooling; else one dimension after
 * the other.
 */
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
