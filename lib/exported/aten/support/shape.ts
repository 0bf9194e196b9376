import * as tf from "@tensorflow/tfjs-core";
import { broadcastShape } from "../../../functional/broadcast.js";
import { listText, wrapDim } from "../../../functional/check.js";
import { ensure } from "../refusals/ensure.js";

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** `[before, size, behind]`: the numbers of elements before, along and behind a dimension. */
export function around(x: tf.Tensor, dim: number): [number, number, number] {
  return [product(x.shape.slice(0, dim)), x.shape[dim]!, product(x.shape.slice(dim + 1))];
}

export const dimOf = (name: string, x: tf.Tensor, dim: number): number =>
  wrapDim(name, dim, x.rank);

/** Non-negative dimensions; none (and for reductions an empty list) means all. */
export function dimsOf(
  name: string,
  x: tf.Tensor,
  dims: number | readonly number[] | null | undefined,
): number[] {
  if (dims === null || dims === undefined) return x.shape.map((_, i) => i);
  const list = typeof dims === "number" ? [dims] : dims;
  if (list.length === 0) return x.shape.map((_, i) => i);
  // A scalar may be reduced along dimension 0 or -1, though it has none.
  return list.map((dim) => wrapDim(name, dim, x.rank)).filter((dim) => dim < x.rank);
}

/** The shape with another size for one dimension. */
export const resized = (x: tf.Tensor, dim: number, size: number): number[] =>
  x.shape.map((old, i) => (i === dim ? size : old));

/** Elements `start`, `start + step`, … before `end` of a dimension; for any rank. */
export function sliceAxis(
  x: tf.Tensor,
  dim: number,
  start: number,
  end: number,
  step = 1,
): tf.Tensor {
  const [before, size, behind] = around(x, dim);
  const count = Math.max(0, Math.ceil((end - start) / step));
  const shape = resized(x, dim, count);
  if (count === size && step === 1) return x;
  if (product(shape) === 0) return tf.zeros(shape, x.dtype);
  const begin = x.shape.map((_, i) => (i === dim ? start : 0));
  if (step === 1 && x.rank <= 4) return tf.slice(x, begin, shape);
  const flat = tf.reshape(x, [before, size, behind]);
  if (step === 1) return tf.reshape(tf.slice(flat, [0, start, 0], [before, count, behind]), shape);
  const places = Int32Array.from({ length: count }, (_, i) => start + i * step);
  return tf.reshape(tf.gather(flat, tf.tensor1d(places, "int32"), 1), shape);
}

/** Reshapes; one size may be -1. */
export function view(self: tf.Tensor, size: readonly number[]): tf.Tensor {
  const known = size.reduce((a, b) => (b < 0 ? a : a * b), 1);
  const isOpen = size.includes(-1);
  ensure(
    isOpen ? self.size % known === 0 : self.size === known,
    isOpen && self.size === 0
      ? `cannot reshape tensor of 0 elements into shape ${listText(size)} because the unspecified ` +
          "dimension size -1 can be any value and is ambiguous"
      : `shape '${listText(size)}' is invalid for input of size ${self.size}`,
  );
  return tf.reshape(self, size.map((one) => (one < 0 ? self.size / known : one))); // prettier-ignore
}

/** The elements at some indices of a dimension; for any rank. */
export function takeAxis(x: tf.Tensor, dim: number, places: ArrayLike<number>): tf.Tensor {
  const shape = resized(x, dim, places.length);
  if (product(shape) === 0) return tf.zeros(shape, x.dtype);
  const indices = tf.tensor1d(Int32Array.from(places), "int32");
  return tf.reshape(tf.gather(tf.reshape(x, around(x, dim)), indices, 1), shape);
}

/** Concatenates along a dimension; for any rank. */
export function concatAxis(parts: readonly tf.Tensor[], dim: number): tf.Tensor {
  const first = parts[0]!;
  const total = parts.reduce((sum, part) => sum + part.shape[dim]!, 0);
  const shape = resized(first, dim, total);
  const filled = parts.filter(({ size }) => size > 0);
  if (filled.length === 0) return tf.zeros(shape, first.dtype);
  if (filled.length === 1) return tf.reshape(filled[0]!, shape);
  const flat = filled.map((part) => tf.reshape(part, around(part, dim)));
  return tf.reshape(tf.concat(flat, 1), shape);
}

/**
 * Permutes the dimensions. Adjacent dimensions that stay together are joined, and those of size 1
 * are left out, which usually brings the rank down to what webgl's transpose supports.
 */
export function permuteAxes(x: tf.Tensor, order: readonly number[]): tf.Tensor {
  const shape = order.map((dim) => x.shape[dim]!);
  const moving = order.filter((dim) => x.shape[dim] !== 1);
  const runs: number[][] = [];
  for (const dim of moving) {
    const last = runs.at(-1)?.at(-1);
    const follows = last !== undefined && isNext(x.shape, last, dim);
    if (follows) runs.at(-1)!.push(dim);
    else runs.push([dim]);
  }
  if (runs.length <= 1 || x.size === 0) return tf.reshape(x, shape);
  if (x.rank <= 4) return tf.transpose(x, [...order]); // which the compiler's passes know best
  const sorted = [...runs].sort((a, b) => a[0]! - b[0]!);
  const merged = sorted.map((run) => product(run.map((dim) => x.shape[dim]!)));
  const turned = tf.transpose(
    tf.reshape(x, merged),
    runs.map((run) => sorted.indexOf(run)),
  );
  return tf.reshape(turned, shape);
}

/** Whether there are only dimensions of size 1 between two. */
const isNext = (shape: readonly number[], a: number, b: number): boolean =>
  b > a && shape.slice(a + 1, b).every((size) => size === 1);

/** Repeats along dimensions of size 1; for any rank. */
export function expandTo(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const lead = new Array<number>(Math.max(0, shape.length - x.rank)).fill(1);
  const from = [...lead, ...x.shape];
  let y = tf.reshape(x, from);
  if (product(shape) === 0) return tf.zeros([...shape], x.dtype);
  shape.forEach((to, i) => {
    const size = from[i]!;
    if (size === to || size === 1) return;
    throw new Error(
      `The expanded size of the tensor (${to}) must match the existing size (${size}) at ` +
        `non-singleton dimension ${i}. Target sizes: [${shape.join(", ")}]. ` +
        `Tensor sizes: [${x.shape.join(", ")}]`,
    );
  });
  if (shape.length <= 4) return tf.broadcastTo(y, [...shape]);
  // One repetition at a time, so that the rank stays 3.
  shape.forEach((to, i) => {
    if (from[i] === to) return;
    const [before, behind] = [product(shape.slice(0, i)), product(from.slice(i + 1))];
    y = tf.tile(tf.reshape(y, [before, 1, behind]), [1, to, 1]);
  });
  return tf.reshape(y, [...shape]);
}

export const broadcastShapes = (...shapes: (readonly number[])[]): number[] =>
  shapes.reduce<number[]>((a, b) => broadcastShape(a, b), []);
