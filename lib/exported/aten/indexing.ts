import * as tf from "@tensorflow/tfjs-core";
import { clamp } from "../../functional/numeric.js";
import { op } from "../../functional/op.js";
import { ensure } from "./refusals/ensure.js";
import { areReadable, placesOf } from "./refusals/places.js";
import { where } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { INT, kindOf, toDtype, toKind } from "./support/dtype.js";
import { stridesOf, tensorOf, valuesOf } from "./support/host.js";
import { scatterInto } from "./support/scatter.js";
import {
  around,
  broadcastShapes,
  dimOf,
  expandTo,
  permuteAxes,
  resized,
  takeAxis,
} from "./support/shape.js";

export type Index = tf.Tensor | null;

/** Non-negative indices for ones that may count from the end. */
function wrap(index: tf.Tensor, size: number): tf.Tensor {
  const places = toKind(index, INT);
  return where(
    tf.less(places, tf.scalar(0, "int32")),
    tf.add(places, tf.scalar(size, "int32")),
    places,
  );
}

/** The indices of nonzero elements, one row for each. Their number depends on the values. */
const nonzero = /* @__PURE__ */ op("nonzero", (self: tf.Tensor): tf.Tensor => {
  const strides = stridesOf(self.shape);
  const places: number[] = [];
  valuesOf(self).forEach((value, i) => {
    if (value !== 0)
      self.shape.forEach((size, d) => places.push(Math.floor(i / strides[d]!) % size));
  });
  const count = self.rank === 0 ? Number(valuesOf(self)[0] !== 0) : places.length / self.rank;
  return tf.tensor2d(Int32Array.from(places), [count, self.rank], "int32");
});

/**
 * Replaces bool masks by the indices of their true elements, one index for each dimension of the
 * mask.
 */
function withoutMasks(indices: readonly Index[]): Index[] {
  return indices.flatMap((index) => {
    if (index === null || index.dtype !== "bool") return index;
    const places = nonzero(index);
    const [count] = places.shape as [number, number];
    return Array.from({ length: index.rank }, (_, d) =>
      tf.reshape(tf.slice(places, [0, d], [count, 1]), [count]),
    );
  });
}

interface Plan {
  /** The permutation that moves the indexed dimensions next to each other. */
  order: number[];
  /** The number of dimensions before the indexed ones. */
  before: number;
  /** The number of indexed dimensions. */
  count: number;
  /** For each element of the broadcast indices, its flat index within the indexed dimensions. */
  places: tf.Tensor;
}

/**
 * Indexed dimensions stay where they are if they are adjacent; otherwise they move to the front.
 */
function planIndex(self: tf.Tensor, given: readonly Index[]): Plan {
  const indices = withoutMasks(given);
  const indexed = indices.flatMap((index, dim) => (index === null ? [] : [dim]));
  const first = indexed[0]!;
  const together = indexed.every((dim, i) => dim === first + i);
  const rest = self.shape.map((_, i) => i).filter((i) => !indexed.includes(i));
  const before = together ? first : 0;
  const order = [...rest.slice(0, before), ...indexed, ...rest.slice(before)];
  const shape = broadcastShapes(...indexed.map((dim) => indices[dim]!.shape));
  let places: tf.Tensor | null = null;
  for (const dim of indexed) {
    const size = self.shape[dim]!;
    const here = expandTo(wrap(indices[dim]!, size), shape);
    places = places === null ? here : tf.add(tf.mul(places, tf.scalar(size, "int32")), here);
  }
  return { order, before, count: indexed.length, places: places! };
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

function index(self: tf.Tensor, indices: readonly Index[]): tf.Tensor {
  if (indices.every((one) => one === null)) return self;
  const { order, before, count, places } = planIndex(self, indices);
  const moved = permuteAxes(self, order);
  const lead = moved.shape.slice(0, before);
  const middle = moved.shape.slice(before, before + count);
  const tail = moved.shape.slice(before + count);
  const shape = [...lead, ...places.shape, ...tail];
  if (product(shape) === 0) return tf.zeros(shape, self.dtype);
  const flat = tf.reshape(moved, [product(lead), product(middle), product(tail)]);
  return tf.reshape(gatherMiddle(flat, tf.reshape(places, [-1])), shape);
}

/** tf.gather along the middle dimension; bools are converted to integers for it. */
function gatherMiddle(flat: tf.Tensor, places: tf.Tensor): tf.Tensor {
  if (flat.dtype !== "bool") return tf.gather(flat, places, 1);
  return toDtype(tf.gather(toKind(flat, INT), places, 1), "bool");
}

function inverseOrder(order: readonly number[]): number[] {
  const inverse = new Array<number>(order.length);
  order.forEach((dim, i) => (inverse[dim] = i));
  return inverse;
}

export function indexPut(
  self: tf.Tensor,
  indices: readonly Index[],
  values: tf.Tensor,
  accumulate = false,
): tf.Tensor {
  const value = toDtype(values, self.dtype);
  const [mask] = indices;
  const isMasked = indices.length === 1 && mask?.dtype === "bool" && mask.rank === self.rank;
  if (isMasked && values.size === 1 && !accumulate) {
    return where(mask, tf.reshape(value, []), self);
  }
  if (mask?.dtype === "bool" && mask.rank === 0) {
    // A mask without dimensions tells for all elements together whether they are written.
    const rest = indices.slice(1);
    const whole = rest.some((one) => one !== null)
      ? indexPut(self, rest, values, accumulate)
      : accumulate
        ? tf.add(self, value)
        : expandTo(value, self.shape);
    return where(mask, whole, self);
  }
  const { order, before, count, places } = planIndex(self, indices);
  const moved = permuteAxes(self, order);
  const lead = moved.shape.slice(0, before);
  const middle = moved.shape.slice(before, before + count);
  const tail = moved.shape.slice(before + count);
  const source = expandTo(value, [...lead, ...places.shape, ...tail]);
  // Rows of the indexed dimensions: (places, lead · tail).
  const [l, m, t, n] = [product(lead), product(middle), product(tail), places.size];
  const rows = permuteAxes(tf.reshape(moved, [l, m, t]), [1, 0, 2]);
  const updates = permuteAxes(tf.reshape(source, [l, n, t]), [1, 0, 2]);
  const written = scatterInto(
    tf.reshape(rows, [m, l * t]),
    tf.reshape(places, [-1]),
    tf.reshape(updates, [n, l * t]),
    accumulate,
  );
  const back = permuteAxes(tf.reshape(written, [m, l, t]), [1, 0, 2]);
  return permuteAxes(tf.reshape(back, moved.shape), inverseOrder(order));
}

/**
 * For each element of `index`, the flat index of the element that it refers to along a dimension.
 */
export function flatPlaces(shape: readonly number[], at: number, index: tf.Tensor): tf.Tensor {
  const strides = stridesOf(shape);
  let places = tf.mul(wrap(index, shape[at]!), tf.scalar(strides[at]!, "int32"));
  index.shape.forEach((size, d) => {
    if (d === at || size === 1) return;
    const along = tf.range(0, size * strides[d]!, strides[d], "int32");
    places = tf.add(places, expandTo(tf.reshape(along, index.shape.map((_, i) => (i === d ? size : 1))), index.shape)); // prettier-ignore
  });
  return places;
}

function gather(self: tf.Tensor, dim: number, given: tf.Tensor): tf.Tensor {
  if (given.size === 0) return tf.zeros(given.shape, self.dtype);
  const at = dimOf("gather", self, dim);
  const x = self.rank === 0 ? tf.reshape(self, [1]) : self;
  const places = flatPlaces(x.shape, at, given.rank === 0 ? tf.reshape(given, [1]) : given);
  return tf.reshape(gatherMiddle(tf.reshape(x, [1, -1]), tf.reshape(places, [-1])), given.shape);
}

/** Selects, writes or adds rows along a dimension. */
function indexSelect(self: tf.Tensor, dim: number, given: tf.Tensor): tf.Tensor {
  if (self.rank === 0) return self;
  const at = dimOf("index_select", self, dim);
  const shape = resized(self, at, given.size);
  if (product(shape) === 0) return tf.zeros(shape, self.dtype);
  const flat = tf.reshape(self, around(self, at));
  return tf.reshape(gatherMiddle(flat, wrap(tf.reshape(given, [-1]), self.shape[at]!)), shape);
}

/** The elements where the mask is true, in order. Their number depends on the values. */
const maskedSelect = (self: tf.Tensor, mask: tf.Tensor): tf.Tensor => {
  const shape = broadcastShapes([1], self.shape, mask.shape);
  return index(expandTo(self, shape), [expandTo(mask, shape)]);
};

const maskedScatter = /* @__PURE__ */ op(
  "masked_scatter",
  (given: tf.Tensor, mask: tf.Tensor, source: tf.Tensor): tf.Tensor => {
    const shape = broadcastShapes(given.shape, mask.shape);
    const self = expandTo(given, shape);
    const [values, test, from] = [
      valuesOf(self).slice(),
      valuesOf(expandTo(mask, shape)),
      valuesOf(source),
    ];
    let next = 0;
    test.forEach((yes, i) => {
      if (yes) values[i] = from[next++]!;
    });
    if (next > from.length) {
      throw new RangeError("Number of elements of source < number of ones in mask");
    }
    return tensorOf(values, shape, self.dtype);
  },
);

function take(self: tf.Tensor, given: tf.Tensor): tf.Tensor {
  return tf.reshape(index(tf.reshape(self, [-1]), [tf.reshape(given, [-1])]), given.shape);
}

function takeAlongDim(self: tf.Tensor, given: tf.Tensor, dim: number | null = null): tf.Tensor {
  if (dim === null) return gather(tf.reshape(self, [-1]), 0, tf.reshape(given, [-1]));
  const at = dimOf("take_along_dim", self, dim);
  const shape = broadcastShapes(resized(self, at, 1), resized(given, at, 1));
  return gather(expandTo(self, resized0(shape, at, self.shape[at]!)), at, expandTo(given, resized0(shape, at, given.shape[at]!))); // prettier-ignore
}

const resized0 = (shape: readonly number[], at: number, size: number): number[] => shape.map((old, i) => (i === at ? size : old)); // prettier-ignore

/** Repeats each element, or row, as many times as given. */
const repeatPlaces = /* @__PURE__ */ op("repeat_interleave", (repeats: tf.Tensor): tf.Tensor => {
  const places: number[] = [];
  valuesOf(repeats).forEach((count, i) => {
    if (count < 0) throw new RangeError("repeats can not be negative");
    for (let k = 0; k < count; k += 1) places.push(i);
  });
  return tf.tensor1d(Int32Array.from(places), "int32");
});

function repeatInterleave(
  self: tf.Tensor,
  repeats: number | tf.Tensor,
  dim: number | null = null,
): tf.Tensor {
  const x = dim === null ? tf.reshape(self, [-1]) : self;
  const at = dimOf("repeat_interleave", x, dim ?? 0);
  if (repeats instanceof tf.Tensor && repeats.size !== 1)
    return indexSelect(x, at, repeatPlaces(repeats));
  const count = repeats instanceof tf.Tensor ? valuesOf(repeats)[0]! : repeats;
  if (count < 0) throw new RangeError("repeats can not be negative");
  const [before, size, behind] = around(x, at);
  const wide = expandTo(tf.reshape(x, [before, size, 1, behind]), [before, size, count, behind]);
  return tf.reshape(wide, resized(x, at, size * count));
}

/** All combinations of r elements, in their order. */
function combinations(self: tf.Tensor, r = 2, withReplacement = false): tf.Tensor {
  if (r === 0) return tf.zeros([0], self.dtype);
  let choices: number[][] = [[]];
  for (let k = 0; k < r; k += 1) {
    choices = choices.flatMap((choice) => {
      const first = choice.length === 0 ? 0 : choice.at(-1)! + (withReplacement ? 0 : 1);
      return Array.from({ length: Math.max(0, self.size - first) }, (_, i) => [...choice, first + i]); // prettier-ignore
    });
  }
  return tf.reshape(takeAxis(self, 0, choices.flat()), [choices.length, r]);
}

/** Checks indices and converts those that count from the end. */
const within = (self: tf.Tensor, indices: readonly Index[]): Index[] =>
  indices.map((one, dim) => one && clamp(one, -self.shape[dim]!, self.shape[dim]! - 1));

/**
 * Sums values at indices of a tensor of zeros. The indices are checked as with
 * `check_invariants=True`.
 */
function scattered(indices: tf.Tensor, values: tf.Tensor, size: readonly number[]): tf.Tensor {
  const places = tf.unstack(indices);
  if (areReadable()) {
    places.forEach((row, dim) => {
      const [least, most] = placesOf(row);
      ensure(least >= 0, `found negative index ${least} for dim ${dim}`);
      ensure(
        most < size[dim]!,
        `size is inconsistent with indices: for dim ${dim}, size is ${size[dim]} but found index ${most}`,
      );
    });
  }
  return indexPut(tf.zeros([...size], values.dtype), places, values, true);
}

export const indexingOps = defineOps({
  "combinations(self, r, with_replacement)": combinations,
  "index.Tensor|_unsafe_index.Tensor(self, indices)": index,
  "_unsafe_masked_index(self, mask, indices, fill)": (
    self: tf.Tensor,
    mask: tf.Tensor,
    indices: readonly Index[],
    fill: number,
  ) => {
    // Indices that the mask hides may be out of range.
    const inside = within(self, indices);
    return where(mask, index(self, inside), toKind(fill, kindOf(self)));
  },
  "index_put|_unsafe_index_put|_index_put_impl(self, indices, values, accumulate, unsafe)":
    indexPut,
  // Sparse tensors are stored as dense ones.
  "sparse_coo_tensor.indices_size|_sparse_coo_tensor_unsafe(indices, values, size, dtype, is_coalesced)":
    scattered,
  "_sparse_coo_tensor_with_dims_and_tensors(sparse_dim, dense_dim, size, indices, values, dtype, is_coalesced)":
    (
      _sparse: number,
      _dense: number,
      size: readonly number[],
      indices: tf.Tensor,
      values: tf.Tensor,
    ) => scattered(indices, values, size),
  "_unsafe_masked_index_put_accumulate(self, mask, indices, values)": (
    self: tf.Tensor,
    mask: tf.Tensor,
    indices: readonly Index[],
    values: tf.Tensor,
  ) => {
    const inside = within(self, indices);
    return indexPut(self, inside, where(mask, values, toKind(0, kindOf(self))), true);
  },
  "gather(self, dim, index, sparse_grad)": gather,
  "take_along_dim(self, indices, dim)": takeAlongDim,
  "take(self, index)": take,
  "index_select(self, dim, index)": indexSelect,
  "masked_select(self, mask)": maskedSelect,
  "masked_scatter(self, mask, source)": maskedScatter,
  "nonzero|argwhere(self)": nonzero,
  "nonzero_numpy|where(self)": (self: tf.Tensor) => {
    const places = nonzero(self.rank === 0 ? tf.reshape(self, [1]) : self);
    return tf.split(places, places.shape[1]!, 1).map((one) => tf.reshape(one, [-1]));
  },
  "nonzero_static(self, size, fill_value)": (self: tf.Tensor, size: number, fill = -1) => {
    const places = nonzero(self);
    const [count, rank] = places.shape as [number, number];
    if (count >= size) return tf.slice(places, [0, 0], [size, rank]);
    return tf.concat([places, tf.fill([size - count, rank], fill, "int32")], 0);
  },
  "repeat_interleave.self_int|repeat_interleave.self_Tensor(self, repeats, dim, output_size)":
    repeatInterleave,
  "repeat_interleave.Tensor(repeats, output_size)": (repeats: tf.Tensor) => repeatPlaces(repeats),
});
