/**
 * Functions of one element as GLSL expressions, four at a time. NaN and infinities are treated as
 * in PyTorch where the GPU keeps them; `mix` with a boolean selects without computing with the
 * other value.
 */

/** Plain arguments of an op besides tensors: numbers, or an options object. */
export type Options = Readonly<Record<string, unknown>>;

type Unary = (x: string, options: Options) => string;

/** A number as a GLSL literal. */
export function literal(value: number): string {
  if (Number.isNaN(value)) return "(0.0 / 0.0)";
  if (!Number.isFinite(value)) return value > 0 ? "(1.0 / 0.0)" : "(-1.0 / 0.0)";
  const text = Object.is(value, -0) ? "-0" : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/**
 * Helper functions that several expressions call.
 *
 * - `relu4`: a compiler may turn a selection into a maximum, which drops NaN.
 * - `exp4`, `log4`: GLSL does not define its own ones for NaN, 0 and negative numbers.
 * - `area4`: the square of numbers above 1e9 could overflow.
 * - `times0`: a compiler replaces a product with a literal 0 by 0.
 * - `erf4`: Abramowitz and Stegun 7.1.26.
 * - `wave4`: the sine of x + turn π. GLSL's own may be off by 2^-11, and more for large x. π is the
 *   sum of three numbers, so that products with few multiples are exact.
 * - `withoutBits`: rounds off the last bits, ties to even, as to float16 or bfloat16.
 * - `toFloat16`: numbers below 2^-14 are 2^-24 apart.
 */
export const HELPERS = `
vec4 choose(bvec4 condition, vec4 yes, vec4 no) { return mix(no, yes, condition); }
vec4 relu4(vec4 x) { return choose(isnan(x), x, max(x, vec4(0))); }
vec4 least(vec4 a, vec4 b) { return choose(isnan(a), a, choose(lessThan(a, b), a, b)); }
vec4 most(vec4 a, vec4 b) { return choose(isnan(a), a, choose(greaterThan(a, b), a, b)); }
vec4 exp4(vec4 x) { return choose(isnan(x), x, exp(x)); }
vec4 log4(vec4 x) { return choose(greaterThan(x, vec4(0)), log(x), choose(equal(x, vec4(0)), vec4(-1.0 / 0.0), vec4(0.0 / 0.0))); }
vec4 sigmoid4(vec4 x) { return 1.0 / (1.0 + exp4(-x)); }
vec4 tanh4(vec4 x) { return choose(isnan(x), x, 1.0 - 2.0 / (exp(2.0 * clamp(x, -15.0, 15.0)) + 1.0)); }
vec4 log1p4(vec4 x) { return choose(lessThan(abs(x), vec4(0.02)), x * (1.0 - x * (0.5 - x * (1.0 / 3.0 - x / 4.0))), log4(1.0 + x)); }
vec4 expm14(vec4 x) { return choose(lessThan(abs(x), vec4(0.02)), x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x / 24.0))), exp4(x) - 1.0); }
vec4 area4(vec4 x, float by) {
  vec4 near = min(x, vec4(1e9));
  return log4(near + sqrt(near * near + by)) + log4(max(x / 1e9, vec4(1)));
}
vec4 times0(vec4 x) { return choose(lessThan(abs(x), vec4(1.0 / 0.0)), vec4(0), vec4(0.0 / 0.0)); }
vec4 wave4(vec4 x, float turn) {
  vec4 n = round(x * 0.318309886 + turn), m = n - turn;
  vec4 r = x - m * 3.140625 - m * 9.67502594e-4 - m * 1.50995799e-7, s = r * r;
  r += r * s * (-0.1666666 + s * (0.00833307859 + s * (-1.98106907e-4 + s * 2.60831598e-6)));
  return choose(lessThan(abs(x), vec4(1e5)), r - 2.0 * r * mod(n, 2.0), sin(x + turn * 3.14159265));
}
vec4 erf4(vec4 x) {
  vec4 t = 1.0 / (1.0 + 0.3275911 * abs(x));
  vec4 p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - p * exp(-x * x));
}
vec4 power4(vec4 a, vec4 b) {
  vec4 v = choose(isnan(a), a, choose(isnan(b), b, pow(abs(a), b)));
  v = choose(equal(abs(a), vec4(1)), vec4(1), v);
  vec4 odd = choose(isinf(b), vec4(0), mod(b, 2.0));
  vec4 negative = choose(equal(odd, vec4(0)), v, choose(equal(odd, vec4(1)), -v, vec4(0.0 / 0.0)));
  return choose(equal(b, vec4(0)), vec4(1), choose(lessThan(a, vec4(0)), negative, v));
}
vec4 softplus4(vec4 x, float beta, float threshold) {
  vec4 z = x * beta;
  return choose(greaterThan(z, vec4(threshold)), x, log1p4(exp4(z)) / beta);
}
vec4 withoutBits(vec4 x, int bits) {
  uvec4 u = floatBitsToUint(x);
  u += (u >> bits & 1u) + ((1u << (bits - 1)) - 1u);
  return choose(isnan(x), x, uintBitsToFloat(u >> bits << bits));
}
vec4 toFloat16(vec4 x) {
  vec4 tiny = roundEven(x * 16777216.0) / 16777216.0;
  vec4 rounded = choose(lessThan(abs(x), vec4(6.103515625e-5)), tiny, withoutBits(x, 13));
  return choose(greaterThanEqual(abs(x), vec4(65520.0)), x * (1.0 / 0.0), rounded);
}
`;

const number = (options: Options, name: string, otherwise: number): string =>
  literal((options[name] as number | undefined) ?? otherwise);

const above = (x: string, limit: string, yes: string, no: string): string =>
  `choose(greaterThan(${x}, vec4(${limit})), ${yes}, ${no})`;

const UNARY: Readonly<Record<string, Unary>> = {
  "prim.Abs": (x) => `abs(${x})`,
  "prim.Ceil": (x) => `ceil(${x})`,
  "prim.Cos": (x) => `wave4(${x}, 0.5)`,
  "prim.Erf": (x) => `erf4(${x})`,
  "prim.Exp": (x) => `exp4(${x})`,
  "prim.Expm1": (x) => `expm14(${x})`,
  "prim.Floor": (x) => `floor(${x})`,
  "prim.Log": (x) => `log4(${x})`,
  "prim.Log1p": (x) => `log1p4(${x})`,
  "prim.Neg": (x) => `(-${x})`,
  "prim.Reciprocal": (x) => `(1.0 / ${x})`,
  "prim.Rsqrt": (x) => `inversesqrt(${x})`,
  "prim.Sign": (x) => `sign(${x})`,
  "prim.Sin": (x) => `wave4(${x}, 0.0)`,
  "prim.Sqrt": (x) => `sqrt(${x})`,
  "prim.Square": (x) => `(${x} * ${x})`,
  "prim.cast": (x, { dtype }) =>
    dtype === "bool" ? `vec4(notEqual(${x}, vec4(0)))` : `trunc(${x})`,
  "tfjs.LogicalNot": (x) => `(1.0 - ${x})`,
  "tfjs.IsNan": (x) => `vec4(isnan(${x}))`,
  "tfjs.IsInf": (x) => `vec4(isinf(${x}))`,
  "tfjs.IsFinite": (x) => `(1.0 - max(vec4(isnan(${x})), vec4(isinf(${x}))))`,
  "tfjs.Round": (x) => `roundEven(${x})`,
  "tfjs.Tan": (x) => `(wave4(${x}, 0.0) / wave4(${x}, 0.5))`,
  "tfjs.Asin": (x) => `asin(${x})`,
  "tfjs.Acos": (x) => `acos(${x})`,
  "tfjs.Atan": (x) => `atan(${x})`,
  "tfjs.Sinh": (x) => `sinh(${x})`,
  "tfjs.Cosh": (x) => `choose(isnan(${x}), ${x}, cosh(${x}))`,
  "tfjs.Asinh": (x) => `choose(isnan(${x}), ${x}, sign(${x}) * area4(abs(${x}), 1.0))`,
  "tfjs.Acosh": (x) =>
    `choose(lessThan(${x}, vec4(1)), vec4(0.0 / 0.0), choose(isnan(${x}), ${x}, area4(${x}, -1.0)))`,
  "tfjs.Atanh": (x) => `(0.5 * log1p4(2.0 * ${x} / (1.0 - ${x})))`,
  "tfjs.Step": (x, options) =>
    `choose(isnan(${x}), ${x}, ${above(x, "0.0", "vec4(1)", `vec4(${number(options, "alpha", 0)})`)})`,
  celu: (x, options) => {
    const alpha = number(options, "alpha", 1);
    return above(x, "0.0", x, `(${alpha} * expm14(${x} / ${alpha}))`);
  },
  hardshrink: (x, options) =>
    `choose(lessThanEqual(abs(${x}), vec4(${number(options, "lambd", 0.5)})), vec4(0), ${x})`,
  softshrink: (x, options) => {
    const lambda = number(options, "lambd", 0.5);
    return `choose(lessThanEqual(abs(${x}), vec4(${lambda})), vec4(0), ${x} - sign(${x}) * ${lambda})`;
  },
  relu: (x) => `relu4(${x})`,
  relu6: (x) => `least(relu4(${x}), vec4(6))`,
  sigmoid: (x) => `sigmoid4(${x})`,
  tanh: (x) => `tanh4(${x})`,
  silu: (x) => `(${x} * sigmoid4(${x}))`,
  gelu: (x, options) =>
    options.approximate === "tanh"
      ? `(0.5 * ${x} * (1.0 + tanh4(0.7978845608 * (${x} + 0.044715 * ${x} * ${x} * ${x}))))`
      : `(0.5 * ${x} * (1.0 + erf4(${x} * 0.7071067812)))`,
  hardsigmoid: (x) => `least(relu4(${x} + 3.0), vec4(6)) / 6.0`,
  hardswish: (x) => `(${x} * least(relu4(${x} + 3.0), vec4(6)) / 6.0)`,
  hardtanh: (x, options) =>
    `least(most(${x}, vec4(${number(options, "minVal", -1)})), vec4(${number(options, "maxVal", 1)}))`,
  leaky_relu: (x, options) =>
    above(x, "0.0", x, product(x, `vec4(${number(options, "negativeSlope", 0.01)})`)),
  elu: (x, options) =>
    above(x, "0.0", x, product(`vec4(${number(options, "alpha", 1)})`, `expm14(${x})`)),
  selu: (x) => `1.0507009874 * ${above(x, "0.0", x, `1.6732632424 * expm14(${x})`)}`,
  softplus: (x, options) =>
    `softplus4(${x}, ${number(options, "beta", 1)}, ${number(options, "threshold", 20)})`,
  // Both are divided by 4: a GPU may divide by multiplying with the reciprocal, which is 0 for the
  // largest numbers.
  softsign: (x) => `(0.25 * ${x} / (0.25 + 0.25 * abs(${x})))`,
  mish: (x) => `(${x} * tanh4(softplus4(${x}, 1.0, 20.0)))`,
  to_half: (x, { dtype }) => (dtype === "float16" ? `toFloat16(${x})` : `withoutBits(${x}, 16)`),
  tanhshrink: (x) => `(${x} - tanh4(${x}))`,
  log_sigmoid: (x) => `(least(${x}, vec4(0)) - log1p4(exp4(-abs(${x}))))`,
};

const isZero = (operand: string): boolean => /^vec4\(-?0\.0\)$/.test(operand);

const product = (a: string, b: string): string => {
  if (isZero(b)) return `times0(${a})`;
  return isZero(a) ? `times0(${b})` : `(${a} * ${b})`;
};

function quotient(a: string, b: string): string {
  // GLSL does not define a quotient by 0; if the 0 is a literal, some compilers make it `a`.
  if (isZero(b)) return `(${a} * (1.0 / ${b}))`;
  if (isZero(a)) return `times0(1.0 / ${b})`;
  return /^vec4\(\(-?1\.0 \/ 0\.0\)\)$/.test(b) ? `times0(${a})` : `(${a} / ${b})`;
}

const BINARY: Readonly<Record<string, (a: string, b: string) => string>> = {
  "prim.Add": (a, b) => `(${a} + ${b})`,
  "prim.Sub": (a, b) => `(${a} - ${b})`,
  "prim.Multiply": product,
  "prim.RealDiv": quotient,
  "prim.Maximum": (a, b) => `most(${a}, ${b})`,
  "prim.Minimum": (a, b) => `least(${a}, ${b})`,
  "prim.Pow": (a, b) => `power4(${a}, ${b})`,
  "prim.Greater": (a, b) => `vec4(greaterThan(${a}, ${b}))`,
  "prim.GreaterEqual": (a, b) => `vec4(greaterThanEqual(${a}, ${b}))`,
  "prim.Less": (a, b) => `vec4(lessThan(${a}, ${b}))`,
  "prim.LessEqual": (a, b) => `vec4(lessThanEqual(${a}, ${b}))`,
  "prim.Equal": (a, b) => `vec4(equal(${a}, ${b}))`,
  "prim.NotEqual": (a, b) => `vec4(notEqual(${a}, ${b}))`,
  "tfjs.LogicalAnd": (a, b) => `(${a} * ${b})`,
  "tfjs.LogicalOr": (a, b) => `max(${a}, ${b})`,
  "tfjs.LogicalXor": (a, b) => `abs(${a} - ${b})`,
  "tfjs.Mod": (a, b) => `mod(${a}, ${b})`,
  "tfjs.FloorDiv": (a, b) => `floor(${a} / ${b})`,
  "tfjs.Atan2": (a, b) => `atan(${a}, ${b})`,
  "tfjs.Prelu": (a, b) => `choose(lessThan(${a}, vec4(0)), ${a} * ${b}, ${a})`,
  "prim.SquaredDifference": (a, b) => `((${a} - ${b}) * (${a} - ${b}))`,
};

/** The expression of an op on operands that are expressions themselves; `null` if there is none. */
export function expression(
  target: string,
  operands: readonly string[],
  options: Options = {},
): string | null {
  if (Object.hasOwn(UNARY, target)) return UNARY[target]!(operands[0]!, options);
  if (target === "threshold") {
    const [x, limit, value] = operands as [string, string, string];
    return `choose(isnan(${x}), ${x}, choose(lessThanEqual(${x}, ${limit}), ${value}, ${x}))`;
  }
  if (target === "prim.where") {
    return `choose(notEqual(${operands[0]!}, vec4(0)), ${operands[1]!}, ${operands[2]!})`;
  }
  if (Object.hasOwn(BINARY, target)) return BINARY[target]!(operands[0]!, operands[1]!);
  return null;
}

/** A chain of unary ops, `[name, options]`, as a statement on `y[r]`; `null` if one is unknown. */
export function activationStatement(
  chain: readonly (readonly [string, ...unknown[]])[],
): string | null {
  const lines: string[] = [];
  for (const [target, ...rest] of chain) {
    if (target.startsWith("prim.") && !Object.hasOwn(UNARY, target)) return null;
    const numbers = rest.filter((one) => typeof one === "number");
    const options = rest.find((one) => typeof one === "object" && one !== null) ?? {};
    const operands = ["y[r]", ...numbers.map((one) => `vec4(${literal(one)})`)];
    const code = expression(target, operands, options as Options);
    if (code === null) return null;
    lines.push(`y[r] = ${code};`);
  }
  return lines.join(" ");
}
