import { groupNorm, layerNorm, reduce, type ReduceSpec, softmax } from "../../kernels/cpu/index.js";
import type { Argument, Node } from "../../graph/index.js";
import { shapeOf } from "../passes/facts.js";
import { type Builder, Decline, type Lowered } from "./builder.js";
import { type Lower, type Lowerings, optionsOf, runChain } from "./lower-basic.js";
import { optional } from "./lower-linear.js";
import { count, permuteValue, reshapeValue, type Value } from "./value.js";

const FLOAT32_EPS = 2 ** -23;

/** Layer norm and RMS norm over the last dimensions. */
const lowerLayerNorm =
  (kind: "layer" | "rms"): Lower =>
  (b, node) => {
    const [input, sizes, given] = node.args;
    const options = optionsOf(given);
    const n = typeof sizes === "number" ? sizes : count(sizes as number[]);
    const x = b.contiguous(b.read(input as Node));
    const rows = count(x.shape) / n;
    const weight = optional(b, options.weight);
    const bias = optional(b, options.bias);
    if (bias !== null && weight === null) return new Decline("a bias without a weight");
    const kernel = layerNorm(b.heap, {
      ...{ kind, rows, n },
      eps: (options.eps as number | null | undefined) ?? (kind === "layer" ? 1e-5 : FLOAT32_EPS),
    });
    const out = b.make(x.shape);
    b.call(
      `${kind} norm`,
      kernel,
      { x, weight, bias },
      { out },
      { over: [x], flops: 8 * rows * n },
    );
    return out;
  };

function normGroups(
  b: Builder,
  input: Node,
  groups: number | null,
  options: Record<string, Argument>,
): Lowered {
  const x = b.contiguous(b.read(input));
  const [batch, channels] = x.shape as [number, number];
  const weight = optional(b, options.weight);
  const bias = optional(b, options.bias);
  const n = count(x.shape.slice(2));
  const eps = (options.eps as number | undefined) ?? 1e-5;
  const kernel = groupNorm(b.heap, { batch, channels, groups: groups ?? channels, n, eps });
  const out = b.make(x.shape);
  const flops = 8 * count(x.shape);
  b.call("group norm", kernel, { x, weight, bias }, { out }, { over: [x], flops });
  return out;
}

const lowerSoftmax =
  (kind: "softmax" | "log softmax"): Lower =>
  (b, node) => {
    const [input, given] = node.args;
    const whole = b.read(input as Node);
    const rank = whole.shape.length;
    const options = optionsOf(given);
    const implicit = [0, 1, 3].includes(rank) ? 0 : 1;
    const dim = (options.dim as number | null | undefined) ?? implicit;
    if (options.dtype) return new Decline("another dtype");
    if (rank === 0) return new Decline("no dimension");
    // The kernel works along the last dimension: another one changes places with it, and back in
    // the result.
    const order = whole.shape.map((_, i) => i);
    const moved = [...order];
    moved.push(...moved.splice((dim + rank) % rank, 1));
    const turned = permuteValue(whole, moved);
    const x = b.contiguous(turned);
    const n = x.shape.at(-1)!;
    const log = kind === "log softmax";
    const kernel = softmax(b.heap, { rows: count(x.shape) / n, n, log });
    const out = b.make(x.shape);
    const flops = 5 * count(x.shape);
    b.call(kind, kernel, { x }, { out }, { over: [x], flops });
    return permuteValue(out, order.map((axis) => moved.indexOf(axis))); // prettier-ignore
  };

/** A norm with given statistics: arithmetic with one factor and one summand per channel. */
function normByStatistics(
  b: Builder,
  input: Argument,
  statistics: readonly Argument[],
  options: Record<string, Argument>,
): Lowered {
  const x = b.read(input as Node);
  const given = [...statistics, options.weight, options.bias];
  const vectors = given.map((vector) => (vector ? b.read(vector as Node) : null));
  const inputs = [x];
  const operands = vectors.map((vector) => {
    if (vector === null) return null;
    const shape = x.shape.map((size, dim) => (dim === 1 ? size : 1));
    return `x${inputs.push(reshapeValue(vector, shape)!) - 1}`;
  });
  const [mean, variance, weight, bias] = operands;
  const lines: [string, ...unknown[]][] = [
    ["prim.Sub", "x0", mean],
    ["prim.Add", variance, options.eps ?? 1e-5],
    ["prim.Rsqrt", "t1"],
    ["prim.Multiply", "t0", "t2"],
  ];
  const last = (): string => `t${lines.length - 1}`;
  if (weight) lines.push(["prim.Multiply", last(), weight]);
  if (bias) lines.push(["prim.Add", last(), bias]);
  return runChain(b, inputs, lines, x.shape);
}

/** A reduction; dimensions that are not adjacent are first moved next to each other. */
export function runReduction(
  b: Builder,
  value: Value,
  axes: readonly number[],
  reduction: ReduceSpec["reduction"],
  shape: readonly number[],
): Lowered {
  const x = b.contiguous(value);
  const [first, last] = [axes[0], axes.at(-1)];
  if (first === undefined) return reshapeValue(x, shape)!;
  if (axes.some((axis, i) => axis !== first + i)) {
    const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
    const turned = permuteValue(x, [...kept, ...axes]);
    return runReduction(
      b,
      turned,
      axes.map((_, i) => kept.length + i),
      reduction,
      shape,
    );
  }
  const spec = {
    ...{ reduction, outer: count(x.shape.slice(0, first)) },
    n: count(x.shape.slice(first, last! + 1)),
    inner: count(x.shape.slice(last! + 1)),
  };
  const kernel = reduce(b.heap, spec);
  const out = b.make(shape);
  b.call(reduction, kernel, { x }, { out }, { flops: count(x.shape) });
  return out;
}

const REDUCTIONS = { Sum: "sum", Mean: "mean", Max: "max", Min: "min" } as const;

export const NORM: Lowerings = {
  layer_norm: lowerLayerNorm("layer"),
  rms_norm: lowerLayerNorm("rms"),
  group_norm: (b, { args }) =>
    normGroups(b, args[0] as Node, args[1] as number, optionsOf(args[2])),
  instance_norm: (b, { args }) => {
    const options = optionsOf(args[1]);
    if (options.useInputStats !== false) return normGroups(b, args[0] as Node, null, options);
    return normByStatistics(b, args[0], [options.runningMean, options.runningVar], options);
  },
  batch_norm: (b, { args }) => {
    const options = optionsOf(args[3]);
    if (options.training) return new Decline("the batch's own statistics");
    return normByStatistics(b, args[0], args.slice(1, 3), options);
  },
  softmax: lowerSoftmax("softmax"),
  log_softmax: lowerSoftmax("log softmax"),
  ...Object.fromEntries(
    Object.entries(REDUCTIONS).map(([name, reduction]): [string, Lower] => [
      `prim.${name}`,
      (b, node) =>
        runReduction(b, b.read(node.args[0] as Node), node.args[1] as number[], reduction, shapeOf(node)), // prettier-ignore
    ]),
  ),
};
