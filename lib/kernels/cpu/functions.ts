/** The elementwise functions of `functional` as chains of micro-operations. */
import type { ElementwiseStep } from "./elementwise-ops.js";
import { OPS } from "./wasm/elementwise.js";

/** Operations that give booleans, also for integers. */
const COMPARING = /^(eq|ne|lt|le|gt|ge)$/;

/** A chain under construction. Operands are indices of inputs and of earlier steps. */
export class Chain {
  readonly steps: ElementwiseStep[] = [];
  /** Whether every operation asked for so far exists. */
  isWhole = true;

  /**
   * @param integers the indices of inputs that are integers; results computed from them are added.
   */
  constructor(
    private readonly inputs: number,
    readonly integers = new Set<number>(),
  ) {}

  put(op: ElementwiseStep[0], ...operands: number[]): number {
    const of = op === "where" ? operands.slice(1) : operands;
    const count = op === "constant" ? 0 : of.filter((one) => this.integers.has(one)).length;
    const isPlain = count === 0 || op === "where" || op === "float";
    const name = isPlain ? op : `${op} int`;
    if (count % of.length > 0 || !(isPlain || Object.hasOwn(OPS, name))) this.isWhole = false;
    this.steps.push([name, ...operands] as unknown as ElementwiseStep);
    if (count > 0 && op !== "float" && !COMPARING.test(op)) this.integers.add(this.last);
    return this.last;
  }

  /** The index of the latest result. */
  get last(): number {
    return this.inputs + this.steps.length - 1;
  }

  constant(value: number): number {
    return this.put("constant", value);
  }
}

export type Emit = (chain: Chain, x: number, options: Record<string, number>) => number;

export const plain =
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

/** The factor -2u of the argument u of GELU's tanh, for x and x³. */
const GELU_TANH = -2 * Math.sqrt(2 / Math.PI);

/** `x / (1 + exp(y))`. */
const overOnePlusExp = (chain: Chain, x: number, y: number): number =>
  chain.put("div", x, chain.put("add", chain.put("exp", y), chain.constant(1)));

/** For each elementwise op of `functional`, what adds it to a chain. */
export const FUNCTIONS: Readonly<Record<string, Emit>> = {
  relu: plain("relu"),
  sigmoid: plain("sigmoid"),
  tanh: plain("tanh"),
  relu6: (chain, x) => clamp(chain, x, 0, 6),
  hardtanh: (chain, x, { minVal = -1, maxVal = 1 }) => clamp(chain, x, minVal, maxVal),
  // Division instead of a product, so that -∞ gives NaN, as in PyTorch.
  silu: (chain, x) => overOnePlusExp(chain, x, chain.put("neg", x)),
  mish: (chain, x) => chain.put("mul", x, chain.put("tanh", softplus(chain, x))),
  hardsigmoid: (chain, x) => {
    const y = clamp(chain, chain.put("add", x, chain.constant(3)), 0, 6);
    return chain.put("div", y, chain.constant(6));
  },
  hardswish: (chain, x) => {
    const y = clamp(chain, chain.put("add", x, chain.constant(3)), 0, 6);
    return chain.put("div", chain.put("mul", x, y), chain.constant(6));
  },
  gelu: (chain, x, options) => {
    if ((options.approximate as unknown) === "tanh") {
      // x·(1 + tanh u) / 2 = x / (1 + exp(-2u)), which takes half the time.
      const cubic = chain.put("mul", chain.put("square", x), chain.constant(0.044715 * GELU_TANH));
      const u = chain.put("add", cubic, chain.constant(GELU_TANH));
      return overOnePlusExp(chain, x, chain.put("mul", x, u));
    }
    const erf = chain.put("erf", chain.put("mul", x, chain.constant(Math.SQRT1_2)));
    const half = chain.put("mul", x, chain.constant(0.5));
    return chain.put("mul", half, chain.put("add", erf, chain.constant(1)));
  },
  leaky_relu: (chain, x, { negativeSlope = 0.01 }) => {
    const low = chain.put("mul", x, chain.constant(negativeSlope));
    return chain.put("where", chain.put("gt", x, chain.constant(0)), x, low);
  },
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
};

/** The chain that consists of one function. */
export function stepsOf(name: string, options: Record<string, unknown> = {}): ElementwiseStep[] {
  const chain = new Chain(1);
  FUNCTIONS[name]!(chain, 0, options as Record<string, number>);
  return chain.steps;
}
