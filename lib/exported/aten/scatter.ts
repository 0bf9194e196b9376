import * as tf from "@tensorflow/tfjs-core";
import { type Index, flatPlaces, indexPut } from "./indexing.js";
import { readSlice, stridedPlaces } from "./shape.js";
import { defineOps } from "./support/define.js";
import { kindOf, type Operand, toDtype, toFloat, toKind } from "./support/dtype.js";
import { type Reduce, scatterInto, scatterReduce } from "./support/scatter.js";
import { around, dimOf, expandTo, permuteAxes, resized, takeAxis } from "./support/shape.js";

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

function scatter(
  self: tf.Tensor,
  dim: number,
  given: tf.Tensor,
  src: Operand,
  reduce?: string,
): tf.Tensor {
  if (given.size === 0) return self;
  const at = dimOf("scatter", self, dim);
  const x = self.rank === 0 ? tf.reshape(self, [1]) : self;
  const index = given.rank === 0 ? tf.reshape(given, [1]) : given;
  const places = tf.reshape(flatPlaces(x.shape, at, index), [-1]);
  const value = toKind(src, kindOf(self));
  const updates = tf.reshape(cutTo(value, index.shape), [-1, 1]);
  const flat = tf.reshape(x, [-1, 1]);
  const written =
    reduce === undefined
      ? scatterInto(flat, places, updates, false)
      : reduce === "add"
        ? scatterInto(flat, places, updates, true)
        : scatterReduce(flat, places, updates, REDUCE[reduce]!, true);
  return tf.reshape(written, self.shape);
}

const write = (self: tf.Tensor, dim: number, given: tf.Tensor, src: Operand): tf.Tensor =>
  scatter(self, dim, given, src);

const REDUCE: Record<string, Reduce> = {
  multiply: "prod", sum: "sum", prod: "prod", mean: "mean", amax: "amax", amin: "amin",
}; // prettier-ignore

/**
 * A source may be larger than the index: then its first elements are used. A scalar is used
 * everywhere.
 */
function cutTo(value: tf.Tensor, shape: readonly number[]): tf.Tensor {
  if (value.size === 1) return expandTo(tf.reshape(value, []), shape);
  return shape.reduce<tf.Tensor>((x, size, d) => (x.shape[d] === size ? x : takeAxis(x, d, Int32Array.from({ length: size }, (_, i) => i))), value); // prettier-ignore
}

function scatterReduceTwo(
  self: tf.Tensor,
  dim: number,
  given: tf.Tensor,
  src: tf.Tensor,
  reduce: string,
  includeSelf = true,
): tf.Tensor {
  if (given.size === 0) return self;
  const at = dimOf("scatter_reduce", self, dim);
  const x = self.rank === 0 ? tf.reshape(self, [1]) : self;
  const index = given.rank === 0 ? tf.reshape(given, [1]) : given;
  const places = tf.reshape(flatPlaces(x.shape, at, index), [-1]);
  const source = src.rank === 0 ? tf.reshape(src, [1]) : src;
  const updates = tf.reshape(cutTo(source, index.shape), [-1, 1]);
  return tf.reshape(scatterReduce(tf.reshape(x, [-1, 1]), places, updates, REDUCE[reduce]!, includeSelf), self.shape); // prettier-ignore
}

const along = (self: tf.Tensor, dim: number, given: tf.Tensor): Index[] => {
  const at = dimOf("index", self, dim);
  return Array.from({ length: at + 1 }, (_, i) => (i === at ? tf.reshape(given, [-1]) : null));
};

function indexWrite(accumulate: boolean) {
  return (
    self: tf.Tensor,
    dim: number,
    given: tf.Tensor,
    source: Operand,
    alpha = 1,
  ): tf.Tensor => {
    const value = toKind(source, kindOf(self));
    const scaled = alpha === 1 ? value : toDtype(tf.mul(toFloat(value), alpha), self.dtype);
    const x = self.rank === 0 ? tf.reshape(self, [1]) : self;
    const at = dimOf("index", x, dim);
    const shape = resized(x, at, given.size);
    const spread =
      scaled.size === product(shape) ? tf.reshape(scaled, shape) : expandTo(scaled, shape);
    // Moves the indexed dimension to the same position for both.
    return tf.reshape(indexPut(x, along(x, at, given), spread, accumulate), self.shape);
  };
}

function indexReduce(
  self: tf.Tensor,
  dim: number,
  given: tf.Tensor,
  source: tf.Tensor,
  reduce: string,
  includeSelf = true,
): tf.Tensor {
  const at = dimOf("index_reduce", self, dim);
  const x = self.rank === 0 ? tf.reshape(self, [1]) : self;
  const [before, size, behind] = around(x, at);
  const toRows = (t: tf.Tensor, n: number): tf.Tensor => tf.reshape(permuteAxes(tf.reshape(t, [before, n, behind]), [1, 0, 2]), [n, before * behind]); // prettier-ignore
  const written = scatterReduce(toRows(x, size), tf.reshape(given, [-1]), toRows(source, given.size), REDUCE[reduce]!, includeSelf); // prettier-ignore
  return tf.reshape(
    permuteAxes(tf.reshape(written, [size, before, behind]), [1, 0, 2]),
    self.shape,
  );
}

/** Replaces the elements at some positions of a dimension. */
function writeAxis(self: tf.Tensor, at: number, places: Int32Array, src: tf.Tensor): tf.Tensor {
  if (places.length === 0) return self;
  const shape = resized(self, at, places.length);
  // Each position takes its old element, or the one that is written there.
  const from = Int32Array.from({ length: self.shape[at]! }, (_, i) => i);
  places.forEach((place, i) => (from[place] = self.shape[at]! + i));
  const source = expandTo(toDtype(src, self.dtype), shape);
  const [before, size, behind] = around(self, at);
  const both = tf.concat([tf.reshape(self, [before, size, behind]), tf.reshape(source, [before, places.length, behind])], 1); // prettier-ignore
  return tf.reshape(takeAxis(both, 1, from), self.shape);
}

function sliceScatter(
  self: tf.Tensor,
  src: tf.Tensor,
  dim = 0,
  start?: number | null,
  end?: number | null,
  step = 1,
): tf.Tensor {
  const [at, from, to] = readSlice(self, dim, start, end);
  const count = Math.ceil((to - from) / step);
  return writeAxis(
    self,
    at,
    Int32Array.from({ length: count }, (_, i) => from + i * step),
    src,
  );
}

function selectScatter(self: tf.Tensor, src: tf.Tensor, dim: number, place: number): tf.Tensor {
  const at = dimOf("select_scatter", self, dim);
  const size = self.shape[at]!;
  const one = tf.reshape(expandTo(src, self.shape.filter((_, i) => i !== at)), resized(self, at, 1)); // prettier-ignore
  return writeAxis(self, at, Int32Array.of(place < 0 ? place + size : place), one);
}

/**
 * Adds windows of a dimension back where they overlap; writes to windows are decomposed to this.
 */
function unfoldBackward(
  windows: tf.Tensor,
  shape: readonly number[],
  dim: number,
  size: number,
  step: number,
): tf.Tensor {
  const self = tf.zeros([...shape], windows.dtype);
  if (self.rank === 0) return tf.reshape(windows, []);
  const at = dimOf("unfold_backward", self, dim);
  const count = windows.shape[at]! * size;
  const order = windows.shape.map((_, i) => i);
  const inPlace = permuteAxes(windows, [...order.toSpliced(-1).toSpliced(at + 1, 0, self.rank)]);
  const places = Int32Array.from({ length: count }, (_, i) => Math.floor(i / size) * step + (i % size)); // prettier-ignore
  return indexWrite(true)(self, at, tf.tensor1d(places), tf.reshape(inPlace, resized(self, at, count))); // prettier-ignore
}

/** Replaces the elements at flat indices. */
export function writeFlat(self: tf.Tensor, places: Int32Array, src: tf.Tensor): tf.Tensor {
  return tf.reshape(
    writeAxis(tf.reshape(self, [-1]), 0, places, tf.reshape(src, [-1])),
    self.shape,
  );
}

export const scatterOps = defineOps({
  "scatter.src(self, dim, index, src)": write,
  "scatter.value(self, dim, index, value)": write,
  "scatter.reduce(self, dim, index, src, reduce)": scatter,
  "scatter.value_reduce(self, dim, index, value, reduce)": scatter,
  "scatter_add(self, dim, index, src)": (
    self: tf.Tensor,
    dim: number,
    given: tf.Tensor,
    src: tf.Tensor,
  ) => scatter(self, dim, given, src, "add"),
  "scatter_reduce.two(self, dim, index, src, reduce, include_self)": scatterReduceTwo,
  "index_copy(self, dim, index, source)": indexWrite(false),
  "index_add(self, dim, index, source, alpha)": indexWrite(true),
  "unfold_backward(grad_in, input_sizes, dim, size, step)": unfoldBackward,
  "index_fill.int_Scalar|index_fill.int_Tensor(self, dim, index, value)": indexWrite(false),
  "index_reduce(self, dim, index, source, reduce, include_self)": indexReduce,
  "slice_scatter(self, src, dim, start, end, step)": sliceScatter,
  "select_scatter(self, src, dim, index)": selectScatter,
  "as_strided_scatter(self, src, size, stride, storage_offset)": (
    self: tf.Tensor,
    src: tf.Tensor,
    size: readonly number[],
    stride: readonly number[],
    offset: number | null = 0,
  ) => writeFlat(self, stridedPlaces(size, stride, offset ?? 0), src),
  "put(self, index, source, accumulate)": (
    self: tf.Tensor,
    given: tf.Tensor,
    source: tf.Tensor,
    accumulate = false,
  ) =>
    tf.reshape(
      indexPut(
        tf.reshape(self, [-1]),
        [tf.reshape(given, [-1])],
        tf.reshape(source, [-1]),
        accumulate,
      ),
      self.shape,
    ),
});
