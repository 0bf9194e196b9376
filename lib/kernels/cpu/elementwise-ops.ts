/** The micro-operations that elementwise chains are made of: their names and how many they take. */

export const ARITY = {
  abs: 1, neg: 1, exp: 1, expm1: 1, log: 1, log1p: 1, sqrt: 1, rsqrt: 1, reciprocal: 1, square: 1,
  sigmoid: 1, tanh: 1, erf: 1, relu: 1, sign: 1, floor: 1, ceil: 1, round: 1, trunc: 1, isNaN: 1,
  not: 1, sin: 1, cos: 1, tan: 1, asin: 1, acos: 1, atan: 1, sinh: 1, cosh: 1, asinh: 1, acosh: 1,
  atanh: 1, add: 2, sub: 2, mul: 2, div: 2, min: 2, max: 2, pow: 2, atan2: 2, eq: 2, ne: 2, lt: 2,
  le: 2, gt: 2, ge: 2, and: 2, or: 2, where: 3,
} as const; // prettier-ignore

/**
 * Comparisons give 1 and 0, and whatever is not 0 counts as true. `round` takes halves to the even
 * number; `min` and `max` give NaN if one is NaN; `sign` of NaN is 0, as PyTorch's.
 */
export type ElementwiseOp = keyof typeof ARITY;

/**
 * One step of a chain. Operands are numbered: the inputs first, then the results of the steps in
 * order. The last step's result is the chain's.
 */
export type ElementwiseStep =
  readonly [op: ElementwiseOp, ...operands: number[]] | readonly [op: "constant", value: number];

/** Says what is wrong with a chain. */
export function checkSteps(steps: readonly ElementwiseStep[], inputs: number): void {
  steps.forEach(([op, ...operands], i) => {
    if (op === "constant") return;
    const arity = ARITY[op];
    if (arity === undefined) throw new Error(`elementwise: no operation ${String(op)}`);
    if (operands.length !== arity) {
      throw new Error(`elementwise: ${op} takes ${arity} operands, got ${operands.length}`);
    }
    for (const operand of operands) {
      if (Number.isInteger(operand) && operand >= 0 && operand < inputs + i) continue;
      throw new Error(`elementwise: step ${i} (${op}) reads ${operand}, which is not computed yet`);
    }
  });
}
