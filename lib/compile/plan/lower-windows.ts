import { pool, type PoolSpec } from "../../kernels/cpu/index.js";
import type { Argument, Node } from "../../graph/index.js";
import { shapeOf } from "../passes/facts.js";
import { addressOf, type Builder, Decline, type Lowered } from "./builder.js";
import { type Lower, optionsOf } from "./lower-basic.js";
import { runReduction } from "./lower-norm.js";
import { count } from "./value.js";

/** One number for all dimensions, or one for each. */
const sizes = (value: Argument, dims: number, missing: readonly number[]): number[] => {
  if (value === null || value === undefined) return [...missing];
  const list = [value].flat() as number[];
  if (list.length === 0) return [...missing];
  return list.length === dims ? list : new Array<number>(dims).fill(list[0]!);
};

function runPool(b: Builder, node: Node, spec: Omit<PoolSpec, "planes" | "size">): Lowered {
  const shape = shapeOf(node);
  const dims = spec.kernel.length;
  const x = b.contiguous(b.read(node.args[0] as Node));
  if (x.dtype !== "float32") return new Decline("integers");
  if (count(shape) === 0 || count(x.shape) === 0) return new Decline("an empty tensor");
  const size = x.shape.slice(-dims);
  const kernel = pool(b.heap, { ...spec, size, planes: count(x.shape.slice(0, -dims)) });
  const out = b.make(shape);
  b.add({
    kernel: `${spec.kind} pool`,
    onOneThread: kernel.onOneThread,
    reads: [x.block],
    writes: [out.block],
    workspace: kernel.workspaceBytes,
    flops: count(shape) * count(spec.kernel),
    bind: (workspace) => {
      const pointers = { x: addressOf(x), out: addressOf(out), workspace };
      return (part, parts) => kernel.run(pointers, part, parts);
    },
  });
  return out;
}

const lowerPool =
  (kind: "max" | "avg", dims: number): Lower =>
  (b, node) => {
    const options = optionsOf(node.args[2]);
    if (options.returnIndices) return new Decline("indices");
    const kernel = sizes(node.args[1], dims, []);
    const zeros = kernel.map(() => 0);
    const ones = kernel.map(() => 1);
    const padding = sizes(options.padding, dims, zeros);
    return runPool(b, node, {
      ...{ kind, kernel, padding, paddingAfter: padding },
      stride: sizes(options.stride, dims, kernel),
      dilation: sizes(options.dilation, dims, ones),
      ceilMode: Boolean(options.ceilMode),
      countIncludePad: (options.countIncludePad as boolean | undefined) ?? true,
      divisor: (options.divisorOverride as number | null | undefined) ?? undefined,
    });
  };

/** Where the windows are all alike, they are those of a plain pooling. */
const lowerAdaptive =
  (kind: "max" | "avg", dims: number): Lower =>
  (b, node) => {
    if (optionsOf(node.args[2]).returnIndices) return new Decline("indices");
    const shape = shapeOf(node);
    const input = shapeOf(node.args[0] as Node);
    const size = input.slice(-dims);
    const output = shape.slice(-dims);
    if (count(output) === 1) {
      const axes = size.map((_, i) => input.length - dims + i);
      const reduction = kind === "max" ? "max" : "mean";
      return runReduction(b, b.read(node.args[0] as Node), axes, reduction, shape);
    }
    if (!size.every((n, i) => output[i]! > 0 && n % output[i]! === 0)) {
      return new Decline("windows of different sizes");
    }
    const kernel = size.map((n, i) => n / output[i]!);
    return runPool(b, node, { kind, kernel, stride: kernel });
  };

export const WINDOWS: Readonly<Record<string, Lower>> = Object.fromEntries(
  [1, 2].flatMap((dims): [string, Lower][] => [
    [`max_pool${dims}d`, lowerPool("max", dims)],
    [`avg_pool${dims}d`, lowerPool("avg", dims)],
    [`adaptive_avg_pool${dims}d`, lowerAdaptive("avg", dims)],
    [`adaptive_max_pool${dims}d`, lowerAdaptive("max", dims)],
  ]),
);
