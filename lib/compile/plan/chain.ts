import { UNARY as PRIMITIVES } from "../primitives.js";
import {
  type Activation,
  Chain,
  type ElementwiseStep,
  type Emit,
  FUNCTIONS,
  plain,
} from "../../kernels/cpu/index.js";

/** The micro-operations for functions of one element, by op of `functional` or primitive. */
const UNARY: Readonly<Record<string, Emit>> = {
  ...FUNCTIONS,
  "prim.cast": (chain, x) => (chain.integers.has(x) ? chain.put("float", x) : x),
  "tfjs.LogicalNot": plain("not"),
  "tfjs.IsNan": plain("isNaN"),
  "tfjs.IsInf": (chain, x) => chain.put("eq", chain.put("abs", x), chain.constant(Infinity)),
  "tfjs.IsFinite": (chain, x) => chain.put("lt", chain.put("abs", x), chain.constant(Infinity)),
  ...Object.fromEntries(
    Object.keys(PRIMITIVES).map((name) => [
      `prim.${name}`,
      plain(name.toLowerCase() as ElementwiseStep[0]),
    ]),
  ),
};

const PLAIN: Readonly<Record<string, ElementwiseStep[0]>> = {
  "prim.Add": "add",
  "prim.Sub": "sub",
  "prim.Multiply": "mul",
  "prim.RealDiv": "div",
  "prim.Maximum": "max",
  "prim.Minimum": "min",
  "prim.Pow": "pow",
  "prim.Greater": "gt",
  "prim.GreaterEqual": "ge",
  "prim.Less": "lt",
  "prim.LessEqual": "le",
  "prim.Equal": "eq",
  "prim.NotEqual": "ne",
  "tfjs.LogicalAnd": "and",
  "tfjs.LogicalOr": "or",
  "prim.where": "where",
};

/** A step of `prim.pointwise`. */
type Line = readonly [target: string, ...operands: unknown[]];

/** Powers that are computed as products: exact, and as PyTorch computes them. */
function power(chain: Chain, x: number, exponent: unknown): number | null {
  if (exponent !== 2 && exponent !== 3) return null;
  const square = chain.put("mul", x, x);
  return exponent === 2 ? square : chain.put("mul", square, x);
}

/** The micro-operations for the lines of a `prim.pointwise`; `null` if one of them has none. */
export function chainOf(
  lines: readonly Line[],
  inputs: number,
  integers?: Set<number>,
): Chain | null {
  const chain = new Chain(inputs, integers);
  const results: number[] = [];
  const operand = (one: unknown): number => {
    if (typeof one === "number") return chain.constant(one);
    const index = Number((one as string).slice(1));
    return (one as string).startsWith("x") ? index : results[index]!;
  };
  for (const [target, ...rest] of lines) {
    const op = PLAIN[target];
    if (op !== undefined) {
      const product = op === "pow" ? power(chain, operand(rest[0]), rest[1]) : null;
      results.push(product ?? chain.put(op, ...rest.map(operand)));
    } else if (target === "prim.SquaredDifference") {
      results.push(chain.put("square", chain.put("sub", operand(rest[0]), operand(rest[1]))));
    } else if (target === "threshold") {
      const [x, limit, value] = rest.map(operand) as [number, number, number];
      results.push(chain.put("where", chain.put("le", x, limit), value, x));
    } else {
      const emit = UNARY[target];
      if (emit === undefined) return null;
      results.push(emit(chain, operand(rest[0]), (rest[1] ?? {}) as Record<string, number>));
    }
  }
  return chain.isWhole ? chain : null;
}

/** The kernel activation for an epilogue's list of functions; `null` if there is none. */
export function activationOf(list: readonly Line[]): Activation | null {
  const [first, ...rest] = list;
  if (first === undefined) return {};
  const options = (first[1] ?? {}) as { minVal?: number; maxVal?: number };
  const clamps: Record<string, Activation> = {
    relu: { low: 0 },
    relu6: { low: 0, high: 6 },
    hardtanh: { low: options.minVal ?? -1, high: options.maxVal ?? 1 },
  };
  const clamped = clamps[first[0]];
  const others = clamped === undefined ? list : rest;
  if (others.length === 0) return clamped!;
  const lines = others.map(([target, ...args], i): Line => [
    target,
    i ? `t${i - 1}` : "x0",
    ...args,
  ]);
  const chain = chainOf(lines, 1);
  return chain && { ...clamped, steps: chain.steps };
}
