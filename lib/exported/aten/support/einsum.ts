import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../../functional/op.js";
import { DTYPES, INT, type Kind, kindOf, toDtype, toFloat, toKind } from "./dtype.js";
import { expandTo, permuteAxes, takeAxis } from "./shape.js";

/** A tensor with named dimensions: letters, and `0`, `1`, … for those of `...`. */
interface Named {
  x: tf.Tensor;
  names: string[];
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Names the dimensions; `...` stands for as many as are left, counted from the end. */
function nameDims(term: string, x: tf.Tensor, index: number): string[] {
  const letters = term.replace("...", "").length;
  const dots = x.rank - letters;
  if (term.includes("...") ? dots < 0 : dots !== 0) {
    throw new Error(
      `einsum(): the number of subscripts in the equation (${letters}) does not match the number ` +
        `of dimensions (${x.rank}) for operand ${index}`,
    );
  }
  const hidden = Array.from({ length: Math.max(0, dots) }, (_, i) => String(dots - 1 - i));
  return (term.includes("...") ? term.split("...") : [term]).flatMap((part, i) => [
    ...(i === 1 ? hidden : []),
    ...part,
  ]);
}

/** A repeated name takes the diagonal of the two dimensions. */
function takeDiagonals({ x, names }: Named): Named {
  const first = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (first < 0) return { x, names };
  const twin = names.indexOf(names[first]!);
  const size = x.shape[first]!;
  const rest = names.map((_, i) => i).filter((i) => i !== first && i !== twin);
  const moved = permuteAxes(x, [...rest, twin, first]);
  const flat = tf.reshape(moved, [...moved.shape.slice(0, -2), size * size]);
  const places = Int32Array.from({ length: size }, (_, i) => i * (size + 1));
  const next = {
    x: takeAxis(flat, flat.rank - 1, places),
    names: [...rest.map((i) => names[i]!), names[twin]!],
  };
  return takeDiagonals(next);
}

/** Sums over dimensions that are no longer needed. */
function sumOver({ x, names }: Named, kept: ReadonlySet<string>): Named {
  const gone = names.flatMap((name, i) => (kept.has(name) ? [] : [i]));
  if (gone.length === 0) return { x, names };
  const left = names.map((_, i) => i).filter((i) => !gone.includes(i));
  const moved = permuteAxes(x, [...left, ...gone]);
  const shape = left.map((i) => x.shape[i]!);
  const rows = tf.reshape(moved, [product(shape), product(gone.map((i) => x.shape[i]!))]);
  return { x: tf.reshape(tf.sum(rows, 1), shape), names: left.map((i) => names[i]!) };
}

/** The product of two tensors, summed over names that are no longer needed: a batched matmul. */
function contract(a: Named, b: Named, kept: ReadonlySet<string>): Named {
  const sizes = new Map<string, number>();
  for (const { x, names } of [a, b]) {
    names.forEach((name, i) => {
      const size = sizes.get(name) ?? 1;
      sizes.set(name, size === 1 ? x.shape[i]! : size);
    });
  }
  const shared = a.names.filter((name) => b.names.includes(name));
  const batch = shared.filter((name) => kept.has(name));
  const summed = shared.filter((name) => !kept.has(name));
  const left = a.names.filter((name) => !shared.includes(name));
  const right = b.names.filter((name) => !shared.includes(name));
  const sizesOf = (names: string[]): number[] => names.map((name) => sizes.get(name)!);
  const bring = ({ x, names }: Named, order: string[], flat: number[]): tf.Tensor => {
    const moved = permuteAxes(
      x,
      order.map((name) => names.indexOf(name)),
    );
    return tf.reshape(expandTo(moved, sizesOf(order)), flat);
  };
  const [n, l, k, r] = [batch, left, summed, right].map((names) => product(sizesOf(names))) as [number, number, number, number]; // prettier-ignore
  const lead = batch[2] ? [n] : sizesOf(batch); // up to four dimensions in all
  const p = bring(a, [...batch, ...left, ...summed], [...lead, l, k]);
  const q = bring(b, [...batch, ...summed, ...right], [...lead, k, r]);
  const multiply = k === 1 ? tf.mul : tf.matMul;
  const y = p.size * q.size > 0 ? multiply(p, q) : tf.zeros([...lead, l, r]);
  const names = [...batch, ...left, ...right];
  return { x: tf.reshape(y, sizesOf(names)), names };
}

/**
 * The implicit result: letters that occur once, in alphabetical order, after the dimensions of
 * `...`.
 */
function implied(terms: readonly string[]): string {
  const letters = terms.join("").replaceAll(".", "");
  const once = [...letters].filter((one) => letters.split(one).length === 2);
  return (terms.some((term) => term.includes("...")) ? "..." : "") + once.sort().join("");
}

/** torch.einsum; operands are contracted from left to right. */
export const einsum = /* @__PURE__ */ op(
  "einsum",
  (equation: string, tensors: readonly tf.Tensor[]): tf.Tensor => {
    const [inputs, given] = equation.replaceAll(" ", "").split("->") as [string, string?];
    const terms = inputs.split(",");
    const output = given ?? implied(terms);
    const kind = Math.max(...tensors.map(kindOf)) as Kind;
    let operands: Named[] = tensors.map((x, i) => ({
      x: toFloat(x),
      names: nameDims(terms[i]!, x, i),
    }));
    const hidden = operands
      .flatMap(({ names }) => names.filter((name) => /\d/.test(name)))
      .filter((name, i, all) => all.indexOf(name) === i)
      .sort((a, b) => Number(b) - Number(a));
    const order = (output.includes("...") ? output.split("...") : [output]).flatMap((part, i) => [
      ...(i === 1 ? hidden : []),
      ...part,
    ]);
    operands = operands.map(takeDiagonals);
    let result = operands[0]!;
    for (let i = 0; i < operands.length; i += 1) {
      const later = operands.slice(i + 1).flatMap(({ names }) => names);
      const kept = new Set([...order, ...later]);
      const others = new Set([...kept, ...(i > 0 ? result.names : [])]);
      if (i === 0) result = sumOver(result, kept);
      else result = contract(result, sumOver(operands[i]!, others), kept);
    }
    result = sumOver(result, new Set(order));
    const y = permuteAxes(
      result.x,
      order.map((name) => result.names.indexOf(name)),
    );
    return kind === INT ? toKind(tf.round(y), INT) : toDtype(y, DTYPES[kind]);
  },
);
