import * as tf from "@tensorflow/tfjs-core";
import { where } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { kindOf, type Operand, toKind } from "./support/dtype.js";
import { stridesOf } from "./support/host.js";
import { dimOf, expandTo, permuteAxes, takeAxis } from "./support/shape.js";
import { writeFlat } from "./scatter.js";
import { movedim } from "./shape.js";

/** Keeps the elements on one side of a diagonal, and sets the others to 0. */
const triangle =
  (keeps: (row: number, column: number) => boolean) =>
  (self: tf.Tensor, diagonal = 0): tf.Tensor => {
    const [rows, columns] = self.shape.slice(-2) as [number, number];
    if (self.size === 0) return self;
    const kept = new Uint8Array(rows * columns);
    for (let i = 0; i < rows; i += 1) {
      for (let j = 0; j < columns; j += 1) kept[i * columns + j] = Number(keeps(i, j - diagonal));
    }
    const mask = tf.tensor(kept, [rows, columns], "bool");
    return where(expandTo(mask, self.shape), self, tf.zeros([], self.dtype));
  };

/** The flat indices of the elements of a diagonal. */
function diagonalPlaces(rows: number, columns: number, offset: number): Int32Array {
  const [top, left] = [Math.max(0, -offset), Math.max(0, offset)];
  const length = Math.max(0, Math.min(rows - top, columns - left));
  return Int32Array.from({ length }, (_, i) => (top + i) * columns + left + i);
}

/** The permutation that moves two dimensions to the end. */
function twoLast(
  self: tf.Tensor,
  dim1: number,
  dim2: number,
): { order: number[]; rows: number; columns: number } {
  const [a, b] = [dimOf("diagonal", self, dim1), dimOf("diagonal", self, dim2)];
  if (a === b) throw new Error(`diagonal dimensions cannot be identical ${dim1}, ${dim2}`);
  const rest = self.shape.map((_, i) => i).filter((i) => i !== a && i !== b);
  return { order: [...rest, a, b], rows: self.shape[a]!, columns: self.shape[b]! };
}

function diagonal(self: tf.Tensor, offset = 0, dim1 = 0, dim2 = 1): tf.Tensor {
  const { order, rows, columns } = twoLast(self, dim1, dim2);
  const moved = permuteAxes(self, order);
  const lead = moved.shape.slice(0, -2);
  const places = diagonalPlaces(rows, columns, offset);
  return takeAxis(tf.reshape(moved, [...lead, rows * columns]), lead.length, places);
}

/** Matrices with the given vectors on a diagonal, and 0 elsewhere. */
function diagEmbed(self: tf.Tensor, offset = 0, dim1 = -2, dim2 = -1): tf.Tensor {
  const length = self.shape.at(-1)!;
  const size = length + Math.abs(offset);
  const lead = self.shape.slice(0, -1);
  const from = new Int32Array(size * size).fill(length);
  diagonalPlaces(size, size, offset).forEach((place, i) => (from[place] = i));
  const padded = tf.concat([self, tf.zeros([...lead, 1], self.dtype)], -1);
  const matrices = tf.reshape(takeAxis(padded, lead.length, from), [...lead, size, size]);
  return movedim(matrices, [-2, -1], [dim1, dim2]);
}

const diag = (self: tf.Tensor, offset = 0): tf.Tensor =>
  self.rank === 1 ? diagEmbed(self, offset) : diagonal(self, offset);

/** Replaces the elements of a diagonal. */
function diagonalScatter(
  self: tf.Tensor,
  src: tf.Tensor,
  offset = 0,
  dim1 = 0,
  dim2 = 1,
): tf.Tensor {
  const { order, rows, columns } = twoLast(self, dim1, dim2);
  const strides = stridesOf(self.shape);
  const inMatrix = diagonalPlaces(rows, columns, offset);
  let places = [0];
  for (const dim of order.slice(0, -2)) {
    places = places.flatMap((place) => Array.from({ length: self.shape[dim]! }, (_, k) => place + k * strides[dim]!)); // prettier-ignore
  }
  const [a, b] = order.slice(-2).map((dim) => strides[dim]!) as [number, number];
  const all = places.flatMap((place) => Array.from(inMatrix, (one) => place + Math.floor(one / columns) * a + (one % columns) * b)); // prettier-ignore
  const shape = [...order.slice(0, -2).map((dim) => self.shape[dim]!), inMatrix.length];
  return writeFlat(self, Int32Array.from(all), expandTo(src, shape));
}

/**
 * Fills the diagonal of a matrix; with `wraps`, it starts again after each square and one row left
 * out.
 */
function fillDiagonal(self: tf.Tensor, value: Operand, wraps = false): tf.Tensor {
  const step = stridesOf(self.shape).reduce((sum, stride) => sum + stride, 0);
  const end = self.rank === 2 && !wraps ? Math.min(...self.shape) * step : self.size;
  const places = tf.util.arraysEqual(self.shape, []) ? [0] : Array.from({ length: Math.ceil(Math.min(end, self.size) / step) }, (_, i) => i * step); // prettier-ignore
  const written = expandTo(toKind(value, kindOf(self)), [places.length]);
  return writeFlat(self, Int32Array.from(places), written);
}

export const diagonalOps = defineOps({
  "tril(self, diagonal)": triangle((row, column) => column <= row),
  "triu(self, diagonal)": triangle((row, column) => column >= row),
  "diagonal|diagonal_copy(self, offset, dim1, dim2)": diagonal,
  "linalg_diagonal(A, offset, dim1, dim2)": (x: tf.Tensor, offset = 0, dim1 = -2, dim2 = -1) =>
    diagonal(x, offset, dim1, dim2),
  "fill_diagonal(self, fill_value, wrap)": fillDiagonal,
  "diag_embed(self, offset, dim1, dim2)": diagEmbed,
  "diag(self, diagonal)": diag,
  "diagflat(self, offset)": (self: tf.Tensor, offset = 0) =>
    diagEmbed(tf.reshape(self, [-1]), offset),
  "diagonal_scatter(self, src, offset, dim1, dim2)": diagonalScatter,
});
