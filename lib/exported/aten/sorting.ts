import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../functional/op.js";
import { defineOps } from "./support/define.js";
import { comparison } from "./support/arithmetic.js";
import type { Operand } from "./support/dtype.js";
import { arrayFor, tensorOf, type Values, valuesOf } from "./support/host.js";
import { type Before, quickSelect, sort as sortFirst, topOf } from "./support/select.js";
import { around, dimOf, resized } from "./support/shape.js";

/** Whether a value comes before another; NaN is the largest. */
const isLess = (x: number, y: number): boolean => x < y || (Number.isNaN(y) && !Number.isNaN(x));

export const beforeIn = (values: Values, descending: boolean): Before =>
  descending ? (a, b) => isLess(values[b]!, values[a]!) : (a, b) => isLess(values[a]!, values[b]!);

/**
 * The values and indices along a dimension in the order that `arrange` gives, from position `first`
 * on. In JavaScript, because tfjs' topk treats neither NaN nor equal values as PyTorch does.
 */
function arranged(
  self: tf.Tensor,
  dim: number,
  descending: boolean,
  [first, count]: readonly [first: number, count: number],
  arrange: (places: Int32Array, isBefore: Before) => void,
): tf.Tensor[] {
  if (self.rank === 0) return [tf.clone(self), tf.zeros([], "int32")].slice(0, 2);
  const at = dimOf("sort", self, dim);
  const [before, size, behind] = around(self, at);
  const values = valuesOf(self);
  const shape = resized(self, at, count);
  const total = before * count * behind;
  const [found, from] = [arrayFor(self.dtype, total), new Int32Array(total)];
  const isBefore = beforeIn(values, descending);
  const places = new Int32Array(size);
  for (let i = 0; i < before * behind; i += 1) {
    const [outer, inner] = [Math.floor(i / behind), i % behind];
    const start = outer * size * behind + inner;
    for (let k = 0; k < size; k += 1) places[k] = start + k * behind;
    arrange(places, isBefore);
    for (let k = 0; k < count; k += 1) {
      const to = (outer * count + k) * behind + inner;
      found[to] = values[places[first + k]!]!;
      from[to] = (places[first + k]! - start) / behind;
    }
  }
  return [tensorOf(found, shape, self.dtype), tensorOf(from, shape, "int32")];
}

/** A stable sort of indices. */
export const inOrder = <T extends Int32Array | number[]>(places: T, isBefore: Before): T =>
  places.sort((a, b) => (isBefore(a, b) ? -1 : Number(isBefore(b, a)))) as T;

const sorted = /* @__PURE__ */ op(
  "sort",
  (self: tf.Tensor, dim: number, descending: boolean): tf.Tensor[] =>
    arranged(self, dim, descending, [0, sizeAt(self, dim)], (places, isBefore) => {
      inOrder(places, isBefore);
    }),
);

const sizeAt = (self: tf.Tensor, dim: number): number =>
  self.rank === 0 ? 1 : self.shape[dimOf("sort", self, dim)]!;

const sort = (self: tf.Tensor, dim = -1, descending = false): tf.Tensor[] =>
  sorted(self, dim, descending);

const argsort = (self: tf.Tensor, dim = -1, descending = false): tf.Tensor =>
  sort(self, dim, descending)[1]!;

function checkTop(self: tf.Tensor, k: number, dim: number): void {
  const size = self.rank === 0 ? 1 : self.shape[dimOf("topk", self, dim)]!;
  if (k < 0 || k > size) throw new RangeError("selected index k out of range");
}

/** Refuses an empty dimension. */
function checkSome(name: string, self: tf.Tensor, dim: number): void {
  if (self.rank === 0) return;
  const at = dimOf(name, self, dim);
  if (self.shape[at] !== 0) return;
  throw new RangeError(`${name}(): Expected reduction dim ${at} to have non-zero size.`);
}

const topkOp = /* @__PURE__ */ op(
  "topk",
  (self: tf.Tensor, k: number, dim: number, largest: boolean, isSorted: boolean): tf.Tensor[] => {
    checkTop(self, k, dim);
    return arranged(self, dim, largest, [0, k], (places, isBefore) =>
      topOf(places, k, isBefore, isSorted),
    );
  },
);

const topk = (self: tf.Tensor, k: number, dim = -1, largest = true, isSorted = true): tf.Tensor[] =>
  topkOp(self, k, dim, largest, isSorted);

const dropDim = (x: tf.Tensor, dim: number, keepdim: boolean): tf.Tensor => {
  if (keepdim || x.rank === 0) return x;
  const at = dimOf("sort", x, dim);
  return tf.reshape(x, x.shape.filter((_, i) => i !== at)); // prettier-ignore
};

const pick = (parts: tf.Tensor[], dim: number, place: number, keepdim: boolean): tf.Tensor[] =>
  parts.map((part) => {
    if (part.rank === 0) return part;
    const [before, size, behind] = around(part, dimOf("sort", part, dim));
    const one = tf.slice(
      tf.reshape(part, [before, size, behind]),
      [0, place, 0],
      [before, 1, behind],
    );
    return dropDim(tf.reshape(one, resized(part, dimOf("sort", part, dim), 1)), dim, keepdim);
  });

const kthvalueOp = /* @__PURE__ */ op(
  "kthvalue",
  (self: tf.Tensor, k: number, dim: number): tf.Tensor[] => {
    checkSome("kthvalue", self, dim);
    const at = self.rank === 0 ? 0 : dimOf("kthvalue", self, dim);
    if (k < 1 || k > sizeAt(self, dim)) {
      throw new RangeError(`kthvalue(): selected number k out of range for dimension ${at}`);
    }
    return arranged(self, dim, false, [k - 1, 1], (places, isBefore) =>
      quickSelect(places, k - 1, isBefore),
    );
  },
);

const kthvalue = (self: tf.Tensor, k: number, dim = -1, keepdim = false): tf.Tensor[] =>
  kthvalueOp(self, k, dim).map((one) => dropDim(one, dim, keepdim));

/** The lower of the two middle values; NaN if there is one, unless `ignoring`. */
const medianAlong = /* @__PURE__ */ op(
  "median",
  (self: tf.Tensor, dim: number, keepdim: boolean, ignoring: boolean): tf.Tensor[] => {
    checkSome("median", self, dim);
    const [values, places] = sort(self, dim) as [tf.Tensor, tf.Tensor];
    const size = sizeAt(self, dim);
    if (self.rank === 0 || self.dtype !== "float32")
      return pick([values, places], dim, (size - 1) >> 1, keepdim);
    const at = dimOf("median", self, dim);
    const [before, , behind] = around(self, at);
    const [v, p] = [valuesOf(values), valuesOf(places)];
    const [mid, from] = [new Float32Array(before * behind), new Int32Array(before * behind)];
    for (let i = 0; i < before * behind; i += 1) {
      const start = Math.floor(i / behind) * size * behind + (i % behind);
      let numbers = size;
      while (numbers > 0 && Number.isNaN(v[start + (numbers - 1) * behind])) numbers -= 1;
      const k = numbers < size && !ignoring ? numbers : Math.max(0, numbers - 1) >> 1;
      mid[i] = v[start + k * behind]!;
      from[i] = p[start + k * behind]!;
    }
    const shape = resized(self, at, 1);
    return [tensorOf(mid, shape, "float32"), tensorOf(from, shape, "int32")].map((x) =>
      dropDim(x, dim, keepdim),
    );
  },
);

const medianOfAll = (self: tf.Tensor, ignoring: boolean): tf.Tensor =>
  self.size === 0 ? tf.scalar(NaN) : medianAlong(tf.reshape(self, [-1]), 0, false, ignoring)[0]!;

/**
 * The most frequent value (the smallest, if there are several), and the index of its last
 * occurrence in PyTorch's order.
 */
const modeOp = /* @__PURE__ */ op("mode", (self: tf.Tensor, dim: number): tf.Tensor[] => {
  checkSome("mode", self, dim);
  const values = valuesOf(self);
  return arranged(self, dim, false, [0, 1], (places, isBefore) => {
    sortFirst(places, places.length, isBefore);
    let [best, most, count] = [0, 0, 0];
    places.forEach((place, i) => {
      count += 1;
      if (i + 1 < places.length && values[place] === values[places[i + 1]!]) return;
      if (count > most) [best, most] = [place, count];
      count = 0;
    });
    places[0] = best;
  });
});

const mode = (self: tf.Tensor, dim: number, keepdim: boolean): tf.Tensor[] =>
  modeOp(self, dim).map((one) => dropDim(one, dim, keepdim));

/**
 * The position at which each value would be inserted into sorted rows, left or right of equal
 * values.
 */
const searchSorted = /* @__PURE__ */ op(
  "searchsorted",
  (rows: tf.Tensor, values: tf.Tensor, right: boolean, sorter: tf.Tensor | null): tf.Tensor => {
    const [edges, given] = [valuesOf(rows), valuesOf(values)];
    const size = rows.shape.at(-1)!;
    const perm = sorter === null ? null : valuesOf(sorter);
    const each = rows.rank === 1 ? values.size : (values.shape.at(-1) ?? 1);
    const places = Int32Array.from(given, (value, i) => {
      const row = rows.rank === 1 ? 0 : Math.floor(i / each) * size;
      let [low, high] = [0, size];
      while (low < high) {
        const middle = (low + high) >> 1;
        const edge = edges[row + (perm === null ? middle : perm[row + middle]!)]!;
        const goesRight = right
          ? !(value < edge)
          : edge < value || (Number.isNaN(value) && !Number.isNaN(edge));
        if (goesRight) low = middle + 1;
        else high = middle;
      }
      return low;
    });
    return tf.tensor(places, values.shape, "int32");
  },
);

function asTensor(x: Operand): tf.Tensor {
  if (x instanceof tf.Tensor) return x;
  const value = Number(x);
  return tf.scalar(value, value === (value | 0) ? "int32" : "float32");
}

const bucketize = (
  self: Operand,
  boundaries: tf.Tensor,
  _outInt32 = false,
  right = false,
): tf.Tensor => searchSorted(boundaries, asTensor(self), right, null);

function searchsorted(
  rows: tf.Tensor,
  self: Operand,
  _outInt32 = false,
  right = false,
  side: string | null = null,
  sorter: tf.Tensor | null = null,
): tf.Tensor {
  return searchSorted(rows, asTensor(self), side === null ? right : side === "right", sorter);
}

interface Distinct {
  values: tf.Tensor;
  inverse: tf.Tensor;
  counts: tf.Tensor;
}

/** Distinct values in order; with `consecutive`, the values after each change. */
function distinct(self: tf.Tensor, consecutive: boolean): Distinct {
  const values = valuesOf(self);
  const places = Array.from(values, (_, i) => i);
  if (!consecutive) inOrder(places, beforeIn(values, false));
  const [found, counts, inverse]: [number[], number[], Int32Array] = [
    [],
    [],
    new Int32Array(self.size),
  ];
  for (const place of places) {
    if (found.length === 0 || found.at(-1) !== values[place]) {
      found.push(values[place]!);
      counts.push(0);
    }
    counts[counts.length - 1]! += 1;
    inverse[place] = found.length - 1;
  }
  return {
    values: tf.tensor1d(found, self.dtype),
    inverse: tf.tensor(inverse, self.shape, "int32"),
    counts: tf.tensor1d(counts, "int32"),
  };
}

const uniqueOf = /* @__PURE__ */ op(
  "unique",
  (self: tf.Tensor, consecutive: boolean): tf.Tensor[] => {
    const { values, inverse, counts } = distinct(self, consecutive);
    return [values, inverse, counts];
  },
);

/** The distinct slices along a dimension. */
const uniqueAlong = /* @__PURE__ */ op(
  "unique_dim",
  (self: tf.Tensor, dim: number, consecutive: boolean): tf.Tensor[] => {
    const at = dimOf("unique_dim", self, dim);
    const [before, size, behind] = around(self, at);
    const values = valuesOf(self);
    const rows = Array.from({ length: size }, (_, k) =>
      Array.from(
        { length: before * behind },
        (_, i) => values[(Math.floor(i / behind) * size + k) * behind + (i % behind)]!,
      ),
    );
    const compare = (a: number, b: number): number => {
      const at = rows[a]!.findIndex((value, i) => value !== rows[b]![i]);
      return at < 0 ? 0 : rows[a]![at]! - rows[b]![at]!;
    };
    const places = rows.map((_, i) => i);
    if (!consecutive) places.sort(compare);
    const [kept, counts, inverse]: [number[], number[], Int32Array] = [
      [],
      [],
      new Int32Array(size),
    ];
    for (const place of places) {
      if (kept.length === 0 || compare(kept.at(-1)!, place) !== 0) {
        kept.push(place);
        counts.push(0);
      }
      counts[counts.length - 1]! += 1;
      inverse[place] = kept.length - 1;
    }
    const shown = tf.gather(
      tf.reshape(self, [before, size, behind]),
      tf.tensor1d(kept, "int32"),
      1,
    );
    return [
      tf.reshape(shown, resized(self, at, kept.length)),
      tf.tensor1d(inverse, "int32"),
      tf.tensor1d(counts, "int32"),
    ];
  },
);

/** Which elements are among others. */
function isin(elements: Operand, test: Operand, _assumeUnique = false, invert = false): tf.Tensor {
  const [x, y] = [asTensor(elements), asTensor(test)];
  const [row, column] = [tf.reshape(x, [-1, 1]), tf.reshape(y, [1, -1])];
  const found = tf.any(comparison(tf.equal, row, column), 1);
  const result =
    y.size === 0 || x.size === 0 ? tf.zeros(x.shape, "bool") : tf.reshape(found, x.shape);
  return invert ? tf.logicalNot(result) : result;
}

/** The distinct values, the inverse indices and the counts; empty unless asked for. */
const asked = (parts: tf.Tensor[], inverse: boolean, counts: boolean): tf.Tensor[] =>
  parts.map((one, i) => (i === 0 || [inverse, counts][i - 1] ? one : tf.zeros([0], "int32")));

export const sortingOps = defineOps({
  "sort|sort.stable(self, dim, descending, stable)": sort,
  "argsort|argsort.stable(self, dim, descending, stable)": argsort,
  "msort(self)": (self: tf.Tensor) => sort(self, 0)[0],
  "topk(self, k, dim, largest, sorted)": topk,
  "kthvalue(self, k, dim, keepdim)": kthvalue,
  "median(self)": (self: tf.Tensor) => medianOfAll(self, false),
  "nanmedian(self)": (self: tf.Tensor) => medianOfAll(self, true),
  "median.dim(self, dim, keepdim)": (self: tf.Tensor, dim: number, keepdim = false) =>
    medianAlong(self, dim, keepdim, false),
  "nanmedian.dim(self, dim, keepdim)": (self: tf.Tensor, dim: number, keepdim = false) =>
    medianAlong(self, dim, keepdim, true),
  "mode(self, dim, keepdim)": (self: tf.Tensor, dim = -1, keepdim = false) =>
    mode(self, dim, keepdim),
  "searchsorted.Tensor|searchsorted.Scalar(sorted_sequence, self, out_int32, right, side, sorter)":
    searchsorted,
  "bucketize.Tensor|bucketize.Scalar(self, boundaries, out_int32, right)": bucketize,
  "unique_consecutive(self, return_inverse, return_counts, dim)": (
    self: tf.Tensor,
    inverse = false,
    counts = false,
    dim: number | null = null,
  ) => asked(dim === null ? uniqueOf(self, true) : uniqueAlong(self, dim, true), inverse, counts),
  "_unique2(self, sorted, return_inverse, return_counts)": (
    self: tf.Tensor,
    _sorted = true,
    inverse = false,
    counts = false,
  ) => asked(uniqueOf(self, false), inverse, counts),
  "_unique(self, sorted, return_inverse)": (self: tf.Tensor) => uniqueOf(self, false).slice(0, 2),
  "unique_dim(self, dim, sorted, return_inverse, return_counts)": (self: tf.Tensor, dim: number) =>
    uniqueAlong(self, dim, false),
  "unique_dim_consecutive(self, dim, return_inverse, return_counts)": (
    self: tf.Tensor,
    dim: number,
  ) => uniqueAlong(self, dim, true),
  "isin.Tensor_Tensor|isin.Tensor_Scalar|isin.Scalar_Tensor(elements, test_elements, assume_unique, invert)":
    isin,
});
