import * as tf from "@tensorflow/tfjs-core";
import * as F from "../../functional/index.js";
import { defineOps } from "./support/define.js";
import { DTYPES, type Kind, kindOf, toKind } from "./support/dtype.js";
import {
  broadcastShapes,
  concatAxis,
  dimOf,
  expandTo,
  permuteAxes,
  sliceAxis,
  takeAxis,
  view,
} from "./support/shape.js";

type Sizes = readonly number[];

const permute = (self: tf.Tensor, dims: Sizes): tf.Tensor =>
  permuteAxes(self, dims.map((dim) => dimOf("permute", self, dim))); // prettier-ignore

function transpose(self: tf.Tensor, dim0: number, dim1: number): tf.Tensor {
  if (self.rank === 0) return self;
  const [a, b] = [dimOf("transpose", self, dim0), dimOf("transpose", self, dim1)];
  return permuteAxes(self, self.shape.map((_, i) => (i === a ? b : i === b ? a : i))); // prettier-ignore
}

const reversed = (self: tf.Tensor): tf.Tensor =>
  permuteAxes(self, self.shape.map((_, i) => self.rank - 1 - i)); // prettier-ignore

const matrixTranspose = (self: tf.Tensor): tf.Tensor =>
  self.rank < 2 ? self : transpose(self, -2, -1);

/** Moves some dimensions; the others keep their order. */
function movedim(self: tf.Tensor, source: number | Sizes, destination: number | Sizes): tf.Tensor {
  const from = [source].flat().map((dim) => dimOf("movedim", self, dim));
  const to = [destination].flat().map((dim) => dimOf("movedim", self, dim));
  const rest = self.shape.map((_, i) => i).filter((i) => !from.includes(i));
  const order = self.shape.map((_, i) => (to.includes(i) ? from[to.indexOf(i)]! : rest.shift()!));
  return permuteAxes(self, order);
}

function squeeze(self: tf.Tensor, dim?: number | Sizes): tf.Tensor {
  const dims =
    dim === undefined
      ? self.shape.map((_, i) => i)
      : [dim].flat().map((d) => dimOf("squeeze", self, d));
  return tf.reshape(self, self.shape.filter((size, i) => size !== 1 || !dims.includes(i))); // prettier-ignore
}

function unsqueeze(self: tf.Tensor, dim: number): tf.Tensor {
  const at = dim < 0 ? dim + self.rank + 1 : dim;
  return tf.reshape(self, [...self.shape.slice(0, at), 1, ...self.shape.slice(at)]);
}

/** `-1` keeps a dimension. */
function expand(self: tf.Tensor, size: Sizes): tf.Tensor {
  const lead = size.length - self.rank;
  return expandTo(self, size.map((one, i) => (one === -1 ? self.shape[i - lead]! : one))); // prettier-ignore
}

/** A position clamped to a dimension; negative ones count from the end. */
const bound = (place: number | null | undefined, size: number, otherwise: number): number => {
  if (place === null || place === undefined) return otherwise;
  return Math.min(Math.max(place < 0 ? place + size : place, 0), size);
};

export function readSlice(
  self: tf.Tensor,
  dim: number,
  start: number | null | undefined,
  end: number | null | undefined,
): [at: number, from: number, to: number] {
  const at = dimOf("slice", self, dim);
  const size = self.shape[at]!;
  const from = bound(start, size, 0);
  return [at, from, Math.max(from, bound(end, size, size))];
}

function slice(
  self: tf.Tensor,
  dim = 0,
  start: number | null = null,
  end: number | null = null,
  step = 1,
): tf.Tensor {
  const [at, from, to] = readSlice(self, dim, start, end);
  return sliceAxis(self, at, from, to, step);
}

function select(self: tf.Tensor, dim: number, index: number): tf.Tensor {
  const at = dimOf("select", self, dim);
  const size = self.shape[at]!;
  if (index < -size || index >= size) {
    throw new RangeError(
      `select(): index ${index} out of range for tensor of size [${self.shape.join(", ")}] ` +
        `at dimension ${dim}`,
    );
  }
  const place = index < 0 ? index + size : index;
  const part = sliceAxis(self, at, place, place + 1);
  return tf.reshape(part, self.shape.filter((_, i) => i !== at)); // prettier-ignore
}

function narrow(
  self: tf.Tensor,
  dim: number,
  start: number | tf.Tensor,
  length: number,
): tf.Tensor {
  const at = dimOf("narrow", self, dim);
  const given = start instanceof tf.Tensor ? start.dataSync()[0]! : start;
  const from = given < 0 ? given + self.shape[at]! : given;
  return sliceAxis(self, at, from, from + length);
}

function splitSizes(self: tf.Tensor, sizes: Sizes, dim = 0): tf.Tensor[] {
  const at = dimOf("split", self, dim);
  let from = 0;
  return sizes.map((size) => sliceAxis(self, at, from, (from += size)));
}

function split(self: tf.Tensor, size: number, dim = 0): tf.Tensor[] {
  const length = self.shape[dimOf("split", self, dim)]!;
  if (size === 0 || length === 0) return [self];
  const count = Math.ceil(length / size);
  return splitSizes(self, Array.from({ length: count }, (_, i) => Math.min(size, length - i * size)), dim); // prettier-ignore
}

function chunk(self: tf.Tensor, chunks: number, dim = 0): tf.Tensor[] {
  const length = self.shape[dimOf("chunk", self, dim)]!;
  if (length === 0) return splitSizes(self, new Array<number>(chunks).fill(0), dim);
  return split(self, Math.ceil(length / chunks), dim);
}

/** Splits into equal parts; the first ones are larger by one if it does not divide evenly. */
function tensorSplit(self: tf.Tensor, parts: number, dim = 0): tf.Tensor[] {
  const length = self.shape[dimOf("tensor_split", self, dim)]!;
  const base = Math.floor(length / parts);
  const sizes = Array.from({ length: parts }, (_, i) => base + (i < length % parts ? 1 : 0));
  return splitSizes(self, sizes, dim);
}

function tensorSplitAt(self: tf.Tensor, indices: Sizes, dim = 0): tf.Tensor[] {
  const size = self.shape[dimOf("tensor_split", self, dim)]!;
  return [...indices, size].map((end, i) => slice(self, dim, i === 0 ? 0 : indices[i - 1]!, end));
}

const unbind = (self: tf.Tensor, dim = 0): tf.Tensor[] =>
  Array.from({ length: self.shape[dimOf("unbind", self, dim)]! }, (_, i) => select(self, dim, i));

/** Concatenates in the promoted dtype; empty vectors are ignored. */
function cat(tensors: readonly tf.Tensor[], dim = 0): tf.Tensor {
  const kind = Math.max(...tensors.map(kindOf)) as Kind;
  const filled = tensors.filter(({ rank, size }) => rank !== 1 || size !== 0);
  if (filled.length === 0) return toKind(tensors[0]!, kind); // along whatever dimension
  const parts = filled.map((part) => toKind(part, kind));
  return concatAxis(parts, dimOf("cat", parts[0]!, dim));
}

function stack(tensors: readonly tf.Tensor[], dim = 0): tf.Tensor {
  const at = dim < 0 ? dim + tensors[0]!.rank + 1 : dim;
  return cat(tensors.map((part) => unsqueeze(part, at)), at); // prettier-ignore
}

/** Adds dimensions up to a rank, in the order of numpy. */
function atLeast(self: tf.Tensor, rank: number): tf.Tensor {
  if (self.rank >= rank) return self;
  if (rank === 1 || self.rank === 0) return tf.reshape(self, new Array<number>(rank).fill(1).map((one, i) => (i === rank - 1 ? self.size : one))); // prettier-ignore
  return self.rank === 1 && rank === 2 ? unsqueeze(self, 0) : self.rank === 1 ? tf.reshape(self, [1, self.size, 1]) : unsqueeze(self, 2); // prettier-ignore
}

const stackAt =
  (rank: number, dim: number) =>
  (tensors: readonly tf.Tensor[]): tf.Tensor => {
    const parts = tensors.map((one) => atLeast(one, rank));
    return cat(parts, rank === 1 && parts[0]!.rank > 1 ? 1 : dim);
  };

/** Copies of the whole tensor next to each other. */
function repeat(self: tf.Tensor, repeats: Sizes): tf.Tensor {
  const lead = new Array<number>(Math.max(0, repeats.length - self.rank)).fill(1);
  const shape = [...lead, ...self.shape];
  const counts = [...new Array<number>(shape.length - repeats.length).fill(1), ...repeats];
  const pairs = shape.flatMap((size) => [1, size]);
  const spread = shape.flatMap((size, i) => [counts[i]!, size]);
  return tf.reshape(
    expandTo(tf.reshape(self, pairs), spread),
    shape.map((size, i) => size * counts[i]!),
  );
}

function flip(self: tf.Tensor, dims: Sizes): tf.Tensor {
  return dims.reduce<tf.Tensor>((x, dim) => {
    const at = dimOf("flip", self, dim);
    const size = x.shape[at];
    if (size === undefined || size < 2) return x;
    return takeAxis(x, at, Int32Array.from({ length: size }, (_, i) => size - 1 - i)); // prettier-ignore
  }, self);
}

function roll(self: tf.Tensor, shifts: number | Sizes, dims: number | Sizes = []): tf.Tensor {
  const [by, axes] = [[shifts].flat(), [dims].flat()];
  if (axes.length === 0) return tf.reshape(roll(tf.reshape(self, [-1]), by, [0]), self.shape);
  return axes.reduce<tf.Tensor>((x, dim, i) => {
    const at = dimOf("roll", self, dim);
    const size = x.shape[at]!;
    const shift = size === 0 ? 0 : ((by[i]! % size) + size) % size;
    if (shift === 0) return x;
    return concatAxis([sliceAxis(x, at, size - shift, size), sliceAxis(x, at, 0, size - shift)], at); // prettier-ignore
  }, self);
}

function rot90(self: tf.Tensor, k = 1, dims: Sizes = [0, 1]): tf.Tensor {
  const turns = ((k % 4) + 4) % 4;
  const [a, b] = dims as [number, number];
  if (turns === 1) return flip(transpose(self, a, b), [a]);
  if (turns === 2) return flip(self, [a, b]);
  return turns === 3 ? flip(transpose(self, a, b), [b]) : self;
}

/** Windows of a dimension, as a new last dimension. */
function unfold(self: tf.Tensor, dimension: number, size: number, step: number): tf.Tensor {
  if (self.rank === 0) return size === 0 ? tf.zeros([0]) : tf.reshape(self, [1]);
  const at = dimOf("unfold", self, dimension);
  const count = Math.floor((self.shape[at]! - size) / step) + 1;
  const places = Int32Array.from({ length: count * size }, (_, i) => Math.floor(i / size) * step + (i % size)); // prettier-ignore
  const taken = takeAxis(self, at, places);
  const shape = [...self.shape.slice(0, at), count, size, ...self.shape.slice(at + 1)];
  return movedim(tf.reshape(taken, shape), at + 1, -1);
}

/** The flat indices that a strided view of a row-major tensor shows. */
export function stridedPlaces(size: Sizes, stride: Sizes, offset: number): Int32Array {
  let places = [offset];
  size.forEach((count, i) => {
    places = places.flatMap((place) => Array.from({ length: count }, (_, k) => place + k * stride[i]!)); // prettier-ignore
  });
  return Int32Array.from(places);
}

function asStrided(
  self: tf.Tensor,
  size: Sizes,
  stride: Sizes,
  offset: number | null = 0,
): tf.Tensor {
  const flat = tf.reshape(self, [-1]);
  return tf.reshape(takeAxis(flat, 0, stridedPlaces(size, stride, offset ?? 0)), [...size]);
}

function meshgrid(tensors: readonly tf.Tensor[], indexing = "ij"): tf.Tensor[] {
  const order =
    indexing === "xy" && tensors.length > 1
      ? [tensors[1]!, tensors[0]!, ...tensors.slice(2)]
      : tensors;
  const shape = order.map(({ size }) => size);
  const grids = order.map((one, i) => expandTo(tf.reshape(one, shape.map((n, k) => (k === i ? n : 1))), shape)); // prettier-ignore
  if (order === tensors) return grids;
  return [grids[1]!, grids[0]!, ...grids.slice(2)];
}

const same = (self: tf.Tensor): tf.Tensor => self;

/** In decompositions every view op also has a copying form. */
const COPIES = [
  "view", "permute", "transpose.int", "t", "squeeze", "squeeze.dim", "squeeze.dims", "unsqueeze",
  "expand", "slice.Tensor", "select.int", "split.Tensor", "split_with_sizes", "unbind.int",
  "as_strided", "alias", "detach", "unfold",
]; // prettier-ignore

const viewOps = defineOps({
  "view|reshape|_unsafe_view|_reshape_alias|_reshape_copy(self, size, stride)": view,
  "view_as|reshape_as(self, other)": (self: tf.Tensor, other: tf.Tensor) =>
    tf.reshape(self, other.shape),
  "permute(self, dims)": permute,
  "transpose.int|swapaxes|swapdims(self, dim0, dim1)": transpose,
  "t(self)": (self: tf.Tensor) => matrixTranspose(self),
  "numpy_T(self)": reversed,
  "mT|mH|adjoint|matrix_H(self)": matrixTranspose,
  "movedim.int|movedim.intlist|moveaxis.int|moveaxis.intlist(self, source, destination)": movedim,
  "squeeze(self)": (self: tf.Tensor) => squeeze(self),
  "squeeze.dim|squeeze.dims(self, dim)": squeeze,
  "unsqueeze(self, dim)": unsqueeze,
  "expand|broadcast_to(self, size, implicit)": expand,
  "expand_as(self, other)": (self: tf.Tensor, other: tf.Tensor) => expandTo(self, other.shape),
  "slice.Tensor(self, dim, start, end, step)": slice,
  "select.int(self, dim, index)": select,
  "split.Tensor|unsafe_split.Tensor(self, split_size, dim)": split,
  "split_with_sizes|split.sizes|split|unsafe_split_with_sizes(self, split_sizes, dim)": splitSizes,
  "unbind.int(self, dim)": unbind,
  "as_strided(self, size, stride, storage_offset)": asStrided,
  "alias|detach|lift_fresh|lift_fresh_copy|lift|contiguous|clone|prims.copy_strided.default|resolve_conj|resolve_neg|to_dense|_to_dense|to_sparse|_to_sparse|coalesce|_coalesce(self, dtype, masked_grad)":
    same,
  "unfold(self, dimension, size, step)": unfold,
});

export const shapeOps = {
  ...viewOps,
  ...Object.fromEntries(
    COPIES.map((name) => {
      const [base, overload = "default"] = name.split(".");
      return [`aten.${base}_copy.${overload}`, viewOps[`aten.${base}.${overload}`]!];
    }),
  ),
  ...defineOps({
    "flatten.using_ints(self, start_dim, end_dim)": (self: tf.Tensor, startDim = 0, endDim = -1) =>
      F.flatten(self, { startDim, endDim }),
    "ravel(self)": (self: tf.Tensor) => tf.reshape(self, [-1]),
    "unflatten.int(self, dim, sizes)": F.unflatten,
    "narrow|narrow.Tensor|narrow_copy(self, dim, start, length)": narrow,
    "chunk|unsafe_chunk(self, chunks, dim)": chunk,
    "tensor_split.sections(self, sections, dim)": tensorSplit,
    "tensor_split.indices(self, indices, dim)": tensorSplitAt,
    "tensor_split.tensor_indices_or_sections(self, indices, dim)": (
      self: tf.Tensor,
      indices: tf.Tensor,
      dim = 0,
    ) =>
      indices.rank === 0
        ? tensorSplit(self, indices.dataSync()[0]!, dim)
        : tensorSplitAt(self, [...indices.dataSync()], dim),
    "hsplit.int(self, sections)": (self: tf.Tensor, n: number) =>
      tensorSplit(self, n, self.rank === 1 ? 0 : 1),
    "hsplit.array(self, indices)": (self: tf.Tensor, at: Sizes) =>
      tensorSplitAt(self, at, self.rank === 1 ? 0 : 1),
    "vsplit.int(self, sections)": (self: tf.Tensor, n: number) => tensorSplit(self, n, 0),
    "vsplit.array(self, indices)": (self: tf.Tensor, at: Sizes) => tensorSplitAt(self, at, 0),
    "dsplit.int(self, sections)": (self: tf.Tensor, n: number) => tensorSplit(self, n, 2),
    "dsplit.array(self, indices)": (self: tf.Tensor, at: Sizes) => tensorSplitAt(self, at, 2),
    "cat|concat|concatenate(tensors, dim)": cat,
    "stack|_stack(tensors, dim)": stack,
    "hstack(tensors)": stackAt(1, 0),
    "vstack|row_stack(tensors)": stackAt(2, 0),
    "dstack(tensors)": stackAt(3, 2),
    "column_stack(tensors)": (tensors: readonly tf.Tensor[]) =>
      cat(
        tensors.map((one) => (one.rank < 2 ? tf.reshape(one, [-1, 1]) : one)),
        1,
      ),
    "atleast_1d|atleast_1d.Sequence(self)": (self: tf.Tensor | readonly tf.Tensor[]) =>
      eachAtLeast(self, 1),
    "atleast_2d|atleast_2d.Sequence(self)": (self: tf.Tensor | readonly tf.Tensor[]) =>
      eachAtLeast(self, 2),
    "atleast_3d|atleast_3d.Sequence(self)": (self: tf.Tensor | readonly tf.Tensor[]) =>
      eachAtLeast(self, 3),
    "repeat(self, repeats)": repeat,
    "tile(self, dims)": repeat,
    "flip(self, dims)": flip,
    "fliplr(self)": (self: tf.Tensor) => flip(self, [1]),
    "flipud(self)": (self: tf.Tensor) => flip(self, [0]),
    "roll(self, shifts, dims)": roll,
    "rot90(self, k, dims)": rot90,
    "meshgrid|meshgrid.indexing(tensors, indexing)": meshgrid,
    "broadcast_tensors(tensors)": (tensors: readonly tf.Tensor[]) => {
      const shape = broadcastShapes(...tensors.map((one) => one.shape));
      return tensors.map((one) => expandTo(one, shape));
    },
    "block_diag(tensors)": (tensors: readonly tf.Tensor[]) =>
      blockDiagonal(tensors.map((one) => atLeast(one, 2))),
    "cartesian_prod(tensors)": (tensors: readonly tf.Tensor[]) =>
      tensors.length === 1
        ? tensors[0]!
        : stack(
            meshgrid(tensors).map((one) => tf.reshape(one, [-1])),
            1,
          ),
  }),
};

function eachAtLeast(
  self: tf.Tensor | readonly tf.Tensor[],
  rank: number,
): tf.Tensor | tf.Tensor[] {
  return self instanceof tf.Tensor ? atLeast(self, rank) : self.map((one) => atLeast(one, rank));
}

function blockDiagonal(blocks: readonly tf.Tensor[]): tf.Tensor {
  const kind = Math.max(...blocks.map(kindOf)) as Kind;
  const width = blocks.reduce((sum, { shape }) => sum + shape[1]!, 0);
  let before = 0;
  const rows = blocks.map((block) => {
    const [height, own] = block.shape as [number, number];
    const zeros = (columns: number): tf.Tensor => tf.zeros([height, columns], DTYPES[kind]);
    const row = concatAxis([zeros(before), toKind(block, kind), zeros(width - before - own)], 1);
    before += own;
    return row;
  });
  return concatAxis(rows, 0);
}

export { movedim, roll };
