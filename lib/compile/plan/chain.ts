import { UNARY as PRIMITIVES } from "../primitives.js";
import { ACTIVATIONS, type Activation, type ElementwiseStep } from "../../kernels/cpu/index.js";

/** A chain of micro-operations under way: operands are numbers of inputs and of earlier steps. */
class Chain {
  readonly steps: ElementwiseStep[] = [];

  constructor(private readonly inputs: number) {}

  put(op: ElementwiseStep[0], ...operands: number[]): number {
    this.steps.push([op, ...operands] as unknown as ElementwiseStep);
    return this.inputs + this.steps.length - 1;
  }

  constant(value: number): number {
    return this.put("constant", value);
  }

  /** A chain of one input behind an operand. */
  follow(steps: readonly ElementwiseStep[], x: number): number {
    const base = this.inputs + this.steps.length - 1;
    const move = (operand: number): number => (operand === 0 ? x : base + operand);
    for (const [op, ...operands] of steps) {
      if (op === "constant") this.constant(operands[0]);
      else this.put(op, ...operands.map(move));
    }
    return this.inputs + this.steps.length - 1;
  }
}

type Emit = (chain: Chain, x: number, options: Record<string, number>) => number;

const plain =
  (op: ElementwiseStep[0]): Emit =>
  (chain, x) =>
    chain.put(op, x);

const clamp = (chain: Chain, x: number, low: number, high: number): number =>
  chain.put("min", chain.put("max", x, chain.constant(low)), chain.constant(high));

/** `scale · x` where x > 0, else `scale · alpha · (exp(x / slope) - 1)`. */
const exponentialUnit = (chain: Chain, x: number, alpha: number, scale = 1, slope = 1): number => {
  const zero = chain.constant(0);
  const inner = slope === 1 ? x : chain.put("div", x, chain.constant(slope));
  const low = chain.put("mul", chain.put("expm1", inner), chain.constant(alpha * scale));
  const high = scale === 1 ? x : chain.put("mul", x, chain.constant(scale));
  return chain.put("where", chain.put("le", x, zero), low, high);
};

const softplus = (chain: Chain, x: number): number => {
  const tail = chain.put("log1p", chain.put("exp", chain.put("neg", chain.put("abs", x))));
  return chain.put("add", chain.put("relu", x), tail);
};

/** The functions of one element, by the op of functional or the primitive. */
const UNARY: Readonly<Record<string, Emit>> = {
  relu: plain("relu"),
  sigmoid: plain("sigmoid"),
  tanh: plain("tanh"),
  relu6: (chain, x) => clamp(chain, x, 0, 6),
  hardtanh: (chain, x, { minVal = -1, maxVal = 1 }) => clamp(chain, x, minVal, maxVal),
  silu: (chain, x) => chain.follow(ACTIVATIONS.silu(), x),
  mish: (chain, x) => chain.put("mul", x, chain.put("tanh", softplus(chain, x))),
  hardsigmoid: (chain, x) => {
    const y = clamp(chain, chain.put("add", x, chain.constant(3)), 0, 6);
    return chain.put("div", y, chain.constant(6));
  },
  hardswish: (chain, x) => {
    const y = clamp(chain, chain.put("add", x, chain.constant(3)), 0, 6);
    return chain.put("div", chain.put("mul", x, y), chain.constant(6));
  },
  gelu: (chain, x, options) =>
    chain.follow(
      (options.approximate as unknown) === "tanh" ? ACTIVATIONS.geluTanh() : ACTIVATIONS.gelu(),
      x,
    ),
  leaky_relu: (chain, x, { negativeSlope = 0.01 }) =>
    chain.follow(ACTIVATIONS.leakyRelu(negativeSlope), x),
  elu: (chain, x, { alpha = 1 }) => exponentialUnit(chain, x, alpha),
  celu: (chain, x, { alpha = 1 }) => exponentialUnit(chain, x, alpha, 1, alpha),
  selu: (chain, x) => exponentialUnit(chain, x, 1.6732632423543772, 1.0507009873554805),
  softplus: (chain, x, { beta = 1, threshold = 20 }) => {
    const z = chain.put("mul", x, chain.constant(beta));
    const y = chain.put("div", softplus(chain, z), chain.constant(beta));
    return chain.put("where", chain.put("gt", z, chain.constant(threshold)), x, y);
  },
  log_sigmoid: (chain, x) => {
    const tail = chain.put("log1p", chain.put("exp", chain.put("neg", chain.put("abs", x))));
    return chain.put("sub", chain.put("min", x, chain.constant(0)), tail);
  },
  softsign: (chain, x) =>
    chain.put("div", x, chain.put("add", chain.put("abs", x), chain.constant(1))),
  "tfjs.LogicalNot": plain("not"),
  "tfjs.IsNan": plain("isNaN"),
  "tfjs.IsInf": (chain, x) => chain.put("eq", chain.put("abs", x), chain.constant(Infinity)),
  "tfjs.IsFinite": (chain, x) => chain.put("lt", chain.put("abs", x), chain.constant(Infinity)),
  tanhshrink: (chain, x) => chain.put("sub", x, chain.put("tanh", x)),
  hardshrink: (chain, x, { lambd = 0.5 }) => {
    const isLow = chain.put("le", chain.put("abs", x), chain.constant(lambd));
    return chain.put("where", isLow, chain.constant(0), x);
  },
  softshrink: (chain, x, { lambd = 0.5 }) => {
    const by = chain.constant(lambd);
    const zero = chain.constant(0);
    const high = chain.put("max", chain.put("sub", x, by), zero);
    return chain.put("add", high, chain.put("min", chain.put("add", x, by), zero));
  },
  ...Object.fromEntries(
    Object.keys(PRIMITIVES).map((name) => [
      `prim.${name}`,
      plain(name.toLowerCase() as ElementwiseStep[0]),
    ]),
  ),
};

const BINARY: Readonly<Record<string, ElementwiseStep[0]>> = {
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
};

/** A step of `prim.pointwise`. */
type Line = readonly [target: string, ...operands: unknown[]];

/** Micro-operations for the lines of a `prim.pointwise`; `null`: one of them has none. */
export function chainOf(lines: readonly Line[], inputs: number): ElementwiseStep[] | null {
  const chain = new Chain(inputs);
  const results: number[] = [];
  const operand = (one: unknown): number => {
    if (typeof one === "number") return chain.constant(one);
    const index = Number((one as string).slice(1));
    return (one as string).startsWith("x") ? index : results[index]!;
  };
  for (const [target, ...rest] of lines) {
    const binary = BINARY[target];
    if (binary !== undefined) {
      results.push(chain.put(binary, operand(rest[0]), operand(rest[1])));
    } else if (target === "prim.SquaredDifference") {
      results.push(chain.put("square", chain.put("sub", operand(rest[0]), operand(rest[1]))));
    } else if (target === "prim.where") {
      const [condition, yes, no] = rest.map(operand) as [number, number, number];
      results.push(chain.put("where", condition, yes, no));
    } else if (target === "threshold") {
      const [x, limit, value] = rest.map(operand) as [number, number, number];
      results.push(chain.put("where", chain.put("le", x, limit), value, x));
    } else {
      const emit = UNARY[target];
      if (emit === undefined) return null;
      results.push(emit(chain, operand(rest[0]), (rest[1] ?? {}) as Record<string, number>));
    }
  }
  return chain.steps;
}

/** The activation of a kernel for the list of an epilogue; `null`: there is none. */
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
  const steps = chainOf(lines, 1);
  return steps === null ? null : { ...clamped, steps };
}
