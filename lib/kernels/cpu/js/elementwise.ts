/**
 * Chains of elementwise operations in plain JavaScript: block by block, one operation at a time.
 */
import type { ElementwiseLibrary } from "../elementwise.js";
import type { ElementwiseOp, ElementwiseStep } from "../elementwise-ops.js";
import type { Heap } from "../heap.js";

const BLOCK = 256;

/** The same quotient of polynomials as in the other builds; ±1 where that is the nearest float. */
function erf(x: number): number {
  if (!(Math.abs(x) <= 3.92)) return Number.isNaN(x) ? x : Math.sign(x);
  const y = x * x;
  let top = -2.72614225801306e-10 * y + 2.77068142495902e-8;
  top = top * y - 2.10102402082508e-6;
  top = top * y - 5.69250639462346e-5;
  top = top * y - 7.34990630326855e-4;
  top = top * y - 2.95459980854025e-3;
  top = top * y - 1.60960333262415e-2;
  let bottom = -1.45660718464996e-5 * y - 2.13374055278905e-4;
  bottom = bottom * y - 1.68282697438203e-3;
  bottom = bottom * y - 7.37332916720468e-3;
  bottom = bottom * y - 1.42647390514189e-2;
  return (x * top) / bottom;
}

const COMPARING = /^(eq|ne|lt|le|gt|ge)$/;

type Scalar = (a: number, b: number, c: number) => number;

type Plain = Exclude<ElementwiseOp, `${string} int`>;

const SCALAR: Record<Plain, Scalar> = {
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
  isNaN: (x) => Number(Number.isNaN(x)),
  not: (x) => Number(x === 0),
  sin: Math.sin,
  cos: Math.cos,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  pow: Math.pow,
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  gt: (a, b) => Number(a > b),
  ge: (a, b) => Number(a >= b),
  and: (a, b) => Number(a !== 0 && b !== 0),
  or: (a, b) => Number(a !== 0 || b !== 0),
  float: (x) => x,
  where: (condition, yes, no) => (condition !== 0 ? yes : no),
};

export function elementwiseInJs(
  heap: Heap,
  steps: readonly ElementwiseStep[],
  inputs: number,
): ElementwiseLibrary {
  const values = Array.from({ length: inputs + steps.length }, () => new Float32Array(BLOCK));
  // The same memory as integers: bits that are no valid float would change if moved as floats.
  const integers = values.map(({ buffer }) => new Int32Array(buffer));
  const last = integers.at(-1)!;
  steps.forEach(([op, ...operands], i) => {
    if (op === "constant") values[inputs + i]!.fill(operands[0]);
  });
  const run = (count: number): void => {
    steps.forEach(([op, ...operands], i) => {
      if (op === "constant") return;
      const name = op.replace(" int", "") as Plain;
      const apply = op === "mul int" ? Math.imul : SCALAR[name];
      const isMove = op === "where";
      const isOfIntegers = isMove || op === "float" || name !== op;
      const gives = isMove || (name !== op && !COMPARING.test(name)) ? integers : values;
      const [a, b, c] = [0, 1, 2].map((k) => {
        const from = isOfIntegers && !(isMove && k === 0) ? integers : values;
        return from[operands[k] ?? operands[0]]!;
      });
      const result = gives[inputs + i]!;
      for (let k = 0; k < count; k += 1) result[k] = apply(a![k]!, b![k]!, c![k]!);
    });
  };
  return {
    run: (rows, n, ...moves) => {
      const memory = heap.i32;
      const [out, outRow, outStep] = moves as [number, number, number];
      for (let row = 0; row < rows; row += 1) {
        for (let first = 0; first < n; first += BLOCK) {
          const count = Math.min(BLOCK, n - first);
          for (let i = 0; i < inputs; i += 1) {
            const [x, rowBytes, stride] = moves.slice(3 * i + 3, 3 * i + 6) as [
              number,
              number,
              number,
            ];
            const from = (x + row * rowBytes + first * stride) >>> 2;
            for (let k = 0; k < count; k += 1) integers[i]![k] = memory[from + k * (stride >> 2)]!;
          }
          run(count);
          const to = (out + row * outRow + first * outStep) >>> 2;
          for (let k = 0; k < count; k += 1) memory[to + k * (outStep >> 2)] = last[k]!;
        }
      }
    },
  };
}
