import { elementwise } from "../../kernels/cpu/index.js";
import type { Argument, Node } from "../../graph/index.js";
import { isFloat, shapeOf, sizeOf } from "../passes/facts.js";
import { type Builder, Decline, type Lowered } from "./builder.js";
import { chainOf } from "./chain.js";
import {
  broadcastStrides,
  count,
  permuteValue,
  reshapeValue,
  sliceValue,
  type Value,
} from "./value.js";

export type Lower = (builder: Builder, node: Node) => Lowered;
export type Lowerings = Readonly<Record<string, Lower>>;

/**
 * Restricts lowerings to ops whose result and tensor inputs are float32, with at least one input.
 */
export const ofFloats = (lowerings: Lowerings): Lowerings =>
  Object.fromEntries(
    Object.entries(lowerings).map(([name, lower]): [string, Lower] => [
      name,
      (b, node) => {
        const inputs = node.inputs();
        if (!inputs.every(isFloat)) return new Decline("integers");
        const isEmpty = [node, ...inputs].some((one) => sizeOf(one) === 0);
        return isEmpty ? new Decline("an empty tensor") : lower(b, node);
      },
    ]),
  );

/** Repeats lowerings for ops with one, two and three dimensions. */
export const inDimensions = (make: (dims: number) => Lowerings): Lowerings => ({
  ...make(1),
  ...make(2),
  ...make(3),
});

/** Views cost nothing: they are the same memory with other strides. */
export const VIEWS: Lowerings = {
  "prim.permute": (b, { args }) => permuteValue(b.read(args[0] as Node), args[1] as number[]),
  "prim.slice": (b, { args }) =>
    sliceValue(b.read(args[0] as Node), args[1] as number[], args[2] as number[]),
  "prim.reshape": (b, { args }) => {
    const value = b.read(args[0] as Node);
    const shape = args[1] as number[];
    return reshapeValue(value, shape) ?? reshapeValue(b.contiguous(value), shape)!;
  },
  getitem: (b, { args }) => {
    const list = b.values.get(args[0] as Node) as readonly Value[] | undefined;
    return list?.[args[1] as number] ?? new Decline("its list was not computed here");
  },
};

type Line = readonly [string, ...unknown[]];

/** Elementwise arithmetic in one pass over memory. */
export function runChain(
  b: Builder,
  inputs: readonly Value[],
  lines: readonly Line[],
  shape: readonly number[],
  out: Value = b.make(shape),
): Lowered {
  const integers = new Set(inputs.flatMap(({ dtype }, i) => (dtype === "int32" ? [i] : [])));
  const chain = chainOf(lines, inputs.length, integers);
  if (chain === null) return new Decline(`no kernel for ${lines.map(([name]) => name).join(", ")}`);
  if (count(shape) === 0) return new Decline("an empty tensor");
  if ((out.dtype === "int32") !== integers.has(chain.last)) return new Decline("integers");
  const kernel = elementwise(b.heap, {
    steps: chain.steps,
    shape,
    strides: inputs.map((value) => broadcastStrides(value, shape)),
  });
  const over = inputs.filter((value) => count(value.shape) === count(shape));
  const flops = lines.length * count(shape);
  b.call(`elementwise ×${lines.length}`, kernel, { inputs }, { out }, { over, flops });
  return out;
}

export const POINTWISE: Lowerings = {
  "prim.pointwise": (b, node) => {
    const [inputs, lines] = node.args as unknown as [Node[], Line[]];
    return runChain(b, inputs.map((one) => b.read(one)), lines, shapeOf(node)); // prettier-ignore
  },
  /** One slope, or one per channel. */
  prelu: (b, node) => {
    const [x, weight] = node.args.map((one) => b.read(one as Node)) as [Value, Value];
    const shape = x.shape.map((_, dim) => (dim === 1 ? count(weight.shape) : 1));
    const slope = reshapeValue(b.contiguous(weight), count(weight.shape) === 1 ? [] : shape)!;
    const lines: Line[] = [
      ["prim.Multiply", "x0", "x1"],
      ["prim.Greater", "x0", 0],
      ["prim.where", "t1", "x0", "t0"],
    ];
    return runChain(b, [x, slope], lines, x.shape);
  },
  "prim.concat": (b, node) => {
    const [parts, axis] = node.args as [Node[], number];
    const values = parts.map((part) => b.read(part));
    if (values.some(({ dtype }) => dtype !== values[0]!.dtype))
      return new Decline("several dtypes");
    const out = b.make(shapeOf(node), values[0]!.dtype);
    let at = 0;
    for (const value of values) {
      const begin = out.shape.map((_, i) => (i === axis ? at : 0));
      b.copy(value, sliceValue(out, begin, value.shape));
      at += value.shape[axis]!;
    }
    return out;
  },
};

/** The options object of an op; an empty one if the argument is none. */
export const optionsOf = (argument: Argument): Record<string, Argument> =>
  (argument ?? {}) as Record<string, Argument>;

/** One size per dimension, from a number or a list; `missing` if not given. */
export const sizes = (value: Argument, dims: number, missing: Argument): number[] => {
  const given = [value ?? []].flat() as number[];
  const list = given.length === 0 ? ([missing].flat() as number[]) : given;
  return list.length === dims ? list : new Array<number>(dims).fill(list[0]!);
};
