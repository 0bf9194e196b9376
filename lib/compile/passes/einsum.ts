import type { Node } from "../../graph/index.js";
import { isFloat, shapeOf } from "./facts.js";
import { type Make, permute, reshape } from "./views.js";

/**
 * Rewrites an einsum of two tensors as a matrix product of permuted and reshaped operands; `null`
 * for one tensor, for other dtypes than float32, and where an index of only one operand is summed.
 */
export function einsum(make: Make, tensors: readonly Node[], equation: string): Node | null {
  const terms = equation.replace(/\s/g, "").split(/,|->/);
  const sizes: Record<string, number> = {};
  tensors.forEach((x, i) => shapeOf(x).forEach((size, at) => (sizes[terms[i]![at]!] = size)));
  const letters = Object.keys(sizes);
  /** The indices that occur in exactly these terms (`0` and `1` the operands, `2` the result). */
  const those = (places: string): string[] =>
    letters.filter((one) => places === terms.map((term) => +term.includes(one)).join(""));
  const [batch, rows, columns, summed] = ["111", "101", "011", "110"].map(those) as [string[], string[], string[], string[]]; // prettier-ignore
  const order = [...batch, ...rows, ...columns];
  const isWhole = letters.length - summed.length === terms[2]?.length;
  if (!isWhole || !tensors.every(isFloat)) return null;
  const size = (some: string[]): number => some.reduce((n, one) => n * sizes[one]!, 1);
  const turn = (x: Node, from: string | string[], to: string[]): Node =>
    permute(make, x, to.map((one) => from.indexOf(one))); // prettier-ignore
  const matrix = (i: number, ...groups: string[][]): Node =>
    reshape(make, turn(tensors[i]!, terms[i]!, groups.flat()), groups.map(size));
  const pair = [matrix(0, batch, rows, summed), matrix(1, batch, summed, columns)];
  const y = make("prim.matmul", [...pair, false, false], [batch, rows, columns].map(size));
  return turn(reshape(make, y, order.map((one) => sizes[one]!)), order, [...terms[2]!]); // prettier-ignore
}
