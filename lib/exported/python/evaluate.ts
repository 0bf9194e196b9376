import type { Expression } from "./parse.js";

/** The values of the names in an expression. */
export type Names = ReadonlyMap<string, unknown>;

type Value = number | boolean;

/** Rounds half to even, as Python's `round`. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Python's `%`, with the sign of the divisor. */
export function pythonMod(a: number, b: number): number {
  if (b === 0) throw new RangeError("integer modulo by zero");
  return a - Math.floor(a / b) * b;
}

export function floorDiv(a: number, b: number): number {
  if (b === 0) throw new RangeError("integer division or modulo by zero");
  return Math.floor(a / b);
}

const sum = (...args: number[]): number => args.reduce((a, b) => a + b, 0);
const product = (...args: number[]): number => args.reduce((a, b) => a * b, 1);
const power = (a: number, b: number): number => a ** b;
const equal = (a: Value, b: Value): boolean => Number(a) === Number(b);

/** Classes of sympy as written by `srepr`, and of torch.utils._sympy. */
const FUNCTIONS: Readonly<Record<string, (...args: never[]) => Value>> = {
  ...{ Add: sum, Mul: product, Pow: power, PowByNatural: power, FloatPow: power, pow: power },
  ...{ Max: Math.max, Min: Math.min, max: Math.max, min: Math.min },
  ...{ Abs: Math.abs, abs: Math.abs, sqrt: Math.sqrt, OpaqueUnaryFn_sqrt: Math.sqrt },
  Integer: (value: number) => value,
  Float: (value: number | string) => Number(value),
  float: (value: number) => value,
  ToFloat: (value: number) => value,
  Identity: (value: number) => value,
  Rational: (a: number, b: number) => a / b,
  ...{ FloorDiv: floorDiv, CleanDiv: floorDiv, Mod: pythonMod, PythonMod: pythonMod },
  ModularIndexing: (a: number, b: number, c: number) => pythonMod(floorDiv(a, b), c),
  CeilDiv: (a: number, b: number) => -floorDiv(-a, b),
  IntTrueDiv: (a: number, b: number) => a / b,
  FloatTrueDiv: (a: number, b: number) => a / b,
  ...{ TruncToInt: Math.trunc, TruncToFloat: Math.trunc, int: Math.trunc, trunc: Math.trunc },
  ...{ CeilToInt: Math.ceil, ceiling: Math.ceil, ceil: Math.ceil },
  ...{ FloorToInt: Math.floor, floor: Math.floor },
  ...{ RoundToInt: roundHalfEven, round: roundHalfEven },
  RoundDecimal: (value: number, digits: number) =>
    roundHalfEven(value * 10 ** digits) / 10 ** digits,
  LShift: (a: number, b: number) => a * 2 ** b,
  RShift: (a: number, b: number) => Math.floor(a / 2 ** b),
  Where: (condition: Value, a: number, b: number) => (condition ? a : b),
  ...{ Equality: equal, Eq: equal },
  Unequality: (a: Value, b: Value) => !equal(a, b),
  Ne: (a: Value, b: Value) => !equal(a, b),
  StrictLessThan: (a: number, b: number) => a < b,
  Lt: (a: number, b: number) => a < b,
  LessThan: (a: number, b: number) => a <= b,
  Le: (a: number, b: number) => a <= b,
  StrictGreaterThan: (a: number, b: number) => a > b,
  Gt: (a: number, b: number) => a > b,
  GreaterThan: (a: number, b: number) => a >= b,
  Ge: (a: number, b: number) => a >= b,
  And: (...args: Value[]) => args.every(Boolean),
  Or: (...args: Value[]) => args.some(Boolean),
  Not: (value: Value) => !value,
  IsNonOverlappingAndDenseIndicator: () => 1,
  isnan: (value: number) => Number.isNaN(value),
};

const CONSTANTS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ...([
    ["True", true],
    ["true", true],
    ["False", false],
    ["false", false],
  ] as const),
  ...([
    ["inf", Infinity],
    ["oo", Infinity],
    ["int_oo", Infinity],
    ["nan", NaN],
  ] as const),
]);

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "//": floorDiv,
  "%": pythonMod,
  "**": power,
  "<<": (a, b) => a * 2 ** b,
  ">>": (a, b) => Math.floor(a / 2 ** b),
  "&": (a, b) => a & b,
  "|": (a, b) => a | b,
  "^": (a, b) => a ^ b,
};

const COMPARE: Readonly<Record<string, (a: unknown, b: unknown) => boolean>> = {
  "<": (a, b) => Number(a) < Number(b),
  "<=": (a, b) => Number(a) <= Number(b),
  ">": (a, b) => Number(a) > Number(b),
  ">=": (a, b) => Number(a) >= Number(b),
  "==": (a, b) => pythonEqual(a, b),
  "!=": (a, b) => !pythonEqual(a, b),
};

const plain = (value: unknown): unknown => (typeof value === "boolean" ? Number(value) : value);
const pythonEqual = (a: unknown, b: unknown): boolean => plain(a) === plain(b);

/** @throws ReferenceError for an unknown name or function. */
export function evaluate(expression: Expression, names: Names): unknown {
  const number = (inner: Expression): number => Number(evaluate(inner, names));
  switch (expression.kind) {
    case "number":
    case "string":
      return expression.value;
    case "name":
      return lookUp(expression.name, names);
    case "attribute":
      return attribute(expression, names);
    case "index": {
      const container = evaluate(expression.of, names);
      const index = evaluate(expression.index, names);
      if (container instanceof Map) return container.get(String(index)) as unknown;
      return (container as Record<string, unknown>)[index as string];
    }
    case "call":
      return call(expression, names);
    case "unary":
      if (expression.op === "not") return !evaluate(expression.of, names);
      return expression.op === "-" ? -number(expression.of) : number(expression.of);
    case "binary": {
      const { op, left, right } = expression;
      if (op === "and") return evaluate(left, names) && evaluate(right, names);
      if (op === "or") return evaluate(left, names) || evaluate(right, names);
      return BINARY[op]!(number(left), number(right));
    }
    case "compare": {
      let left = evaluate(expression.first, names);
      return expression.rest.every(([op, next]) => {
        const right = evaluate(next, names);
        const holds = COMPARE[op]!(left, right);
        left = right;
        return holds;
      });
    }
  }
}

function lookUp(name: string, names: Names): unknown {
  if (names.has(name)) return names.get(name);
  if (CONSTANTS.has(name)) return CONSTANTS.get(name);
  throw new ReferenceError(`name '${name}' is not defined`);
}

function attribute(
  { of, name }: Extract<Expression, { kind: "attribute" }>,
  names: Names,
): unknown {
  if (of.kind === "name" && of.name === "math") return lookUp(name, new Map());
  const object = evaluate(of, names) as { shape?: unknown } | null | undefined;
  if (object instanceof Map) return object.get(name) as unknown;
  if (name === "shape") return object?.shape;
  throw new ReferenceError(`attribute '${name}' is not known`);
}

function call({ of, args }: Extract<Expression, { kind: "call" }>, names: Names): unknown {
  if (of.kind === "attribute" && of.name === "size") {
    const { shape } = evaluate(of.of, names) as { shape: readonly number[] };
    return args.length === 0 ? shape : shape[Number(evaluate(args[0]!, names))];
  }
  const name = of.kind === "name" || of.kind === "attribute" ? of.name : "";
  if (name === "Symbol") {
    const symbol = (args[0] as { value: string }).value;
    return lookUp(symbol, names);
  }
  if (name === "Piecewise") return piecewise(args, names);
  const fn = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (fn === undefined) throw new ReferenceError(`the function '${name}' is not known`);
  return fn(...(args.map((one) => evaluate(one, names)) as never[]));
}

function piecewise(pairs: readonly Expression[], names: Names): unknown {
  for (const pair of pairs) {
    if (pair.kind !== "call") break;
    const [value, condition] = pair.args;
    if (evaluate(condition!, names)) return evaluate(value!, names);
  }
  throw new ReferenceError("no case of Piecewise applies");
}
