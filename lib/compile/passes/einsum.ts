import type { Node } from "../../graph/index.js";
import { shapeOf } from "./facts.js";
import { type Make, permute, reshape } from "./views.js";

/**
 * A sum of products of two tensors as a product of matrices, with the dimensions of both brought in
 * order; `null` where a letter of one alone is summed, or there is one tensor alone.
 */
export function einsum(make: Make, tensors: readonly Node[], equation: string): Node | null {
  const terms = equation.split(/ *(?:,|->) */);
  const sizes: Record<string, number> = {};
  tensors.forEach((x, i) => shapeOf(x).forEach((size, at) => (sizes[terms[i]![at]!] = size)));
  /** The letters that stand in these terms and in no other. */
  const those = (places: string): string[] =>
    Object.keys(sizes).filter(
      (one) => places === terms.map((term) => +term.includes(one)).join(""),
    );
  const [batch, rows, columns, summed] = ["111", "101", "011", "110"].map(those) as [string[], string[], string[], string[]]; // prettier-ignore
  const order = [...batch, ...rows, ...columns];
  if (order.length + summed.length < Object.keys(sizes).length) return null;
  const size = (letters: string[]): number => letters.reduce((n, one) => n * sizes[one]!, 1);
  const turn = (x: Node, from: string[], to: string[]): Node =>
    permute(make, x, to.map((one) => from.indexOf(one))); // prettier-ignore
  const matrix = (i: number, ...groups: string[][]): Node =>
    reshape(make, turn(tensors[i]!, [...terms[i]!], groups.flat()), groups.map(size));
  const pair = [matrix(0, batch, rows, summed), matrix(1, batch, summed, columns)];
  const y = make("prim.matmul", [...pair, false, false], [batch, rows, columns].map(size));
  return turn(reshape(make, y, order.map((one) => sizes[one]!)), order, [...terms[2]!]); // prettier-ignore
}
