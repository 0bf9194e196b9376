/** Chains of elementwise operations in plain JavaScript: block by block, one operation at a time. */
import type { ElementwiseLibrary } from "../elementwise.js";
import type { ElementwiseOp, ElementwiseStep } from "../elementwise-ops.js";
import type { Heap } from "../heap.js";

const BLOCK = 256;

/** The even one of two integers that are as near. */
function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** By its series where that is short, else by the continued fraction of erfc. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < 2) {
    let [sum, term] = [x, x];
    for (let n = 1; n < 40; n += 1) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
      if (Math.abs(term) < 1e-17) break;
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  if (!(size < 6)) return size >= 6 ? Math.sign(x) : NaN;
  let fraction = 0;
  for (let n = 40; n > 0; n -= 1) fraction = n / 2 / (size + fraction);
  const rest = Math.exp(-size * size) / (Math.sqrt(Math.PI) * (size + fraction));
  return Math.sign(x) * (1 - rest);
}

type Scalar = (a: number, b: number, c: number) => number;

const SCALAR: Record<ElementwiseOp, Scalar> = {
  abs: Math.abs,
  neg: (x) => -x,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
  square: (x) => x * x,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  erf,
  relu: (x) => (x < 0 ? 0 : x),
  sign: (x) => Number(x > 0) - Number(x < 0),
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfToEven,
  trunc: Math.trunc,
  isNaN: (x) => Number(Number.isNaN(x)),
  not: (x) => Number(x === 0),
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  pow: Math.pow,
  atan2: Math.atan2,
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  gt: (a, b) => Number(a > b),
  ge: (a, b) => Number(a >= b),
  and: (a, b) => Number(a !== 0 && b !== 0),
  or: (a, b) => Number(a !== 0 || b !== 0),
  where: (condition, yes, no) => (condition !== 0 ? yes : no),
};

export function elementwiseInJs(
  heap: Heap,
  steps: readonly ElementwiseStep[],
  inputs: number,
): ElementwiseLibrary {
  const values = Array.from({ length: inputs + steps.length }, () => new Float32Array(BLOCK));
  const last = values.at(-1)!;
  steps.forEach(([op, ...operands], i) => {
    if (op === "constant") values[inputs + i]!.fill(operands[0]);
  });
  const run = (count: number): void => {
    steps.forEach(([op, ...operands], i) => {
      if (op === "constant") return;
      const apply = SCALAR[op];
      const [a, b, c] = [0, 1, 2].map((k) => values[operands[k] ?? operands[0]]!);
      const result = values[inputs + i]!;
      for (let k = 0; k < count; k += 1) result[k] = apply(a![k]!, b![k]!, c![k]!);
    });
  };
  return {
    run: (rows, n, out, outRow, ...moves) => {
      const memory = heap.f32;
      for (let row = 0; row < rows; row += 1) {
        for (let first = 0; first < n; first += BLOCK) {
          const count = Math.min(BLOCK, n - first);
          for (let i = 0; i < inputs; i += 1) {
            const [x, rowBytes, stride] = moves.slice(3 * i, 3 * i + 3) as [number, number, number];
            const from = (x + row * rowBytes + first * stride) >>> 2;
            for (let k = 0; k < count; k += 1) values[i]![k] = memory[from + k * (stride >> 2)]!;
          }
          run(count);
          memory.set(last.subarray(0, count), ((out + row * outRow) >>> 2) + first);
        }
      }
    },
  };
}
