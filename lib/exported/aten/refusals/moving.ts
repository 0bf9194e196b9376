/** Refuses invalid dimensions, parts and repetitions of ops that move elements. */
import * as tf from "@tensorflow/tfjs-core";
import { listText } from "../../../functional/check.js";
import { dimOf } from "../support/shape.js";
import { ensure } from "./ensure.js";

function checkVector(x: tf.Tensor): void {
  ensure(x.rank === 1, `Expect a 1D vector, but got shape ${listText(x.shape)}`);
}

const divided =
  (name: string, place: (rank: number) => number) =>
  (self: tf.Tensor, sections: unknown): void => {
    const dim = place(self.rank);
    const least = name === "hsplit" ? 1 : dim === 0 ? 2 : 3;
    ensure(
      self.rank >= least,
      `torch.${name} requires a tensor with at least ${least} dimension, but got a tensor with ${self.rank} dimensions!`,
    );
    if (typeof sections !== "number") return;
    const size = self.shape[dim] ?? 1;
    ensure(
      sections > 0 && size % sections === 0,
      `torch.${name} attempted to split along dimension ${dim}, ` +
        `but the size of the dimension ${size} is not divisible by the split_size ${sections}!`,
    );
  };

/** Refuses parts that do not add up to the dimension. */
function splits(self: tf.Tensor, given: unknown, dim = 0): void {
  ensure(self.rank > 0, "split expects at least a 1-dimensional tensor");
  const at = dimOf("split", self, dim);
  const size = self.shape[at] ?? 1;
  if (typeof given === "number") {
    ensure(given >= 0, `split expects split_size be non-negative, but got split_size=${given}`);
    ensure(
      given > 0 || size === 0,
      `split_size can only be 0 if dimension size is 0, but got dimension size of ${size}`,
    );
  } else if (Array.isArray(given)) {
    const sizes = given as number[];
    ensure(
      sizes.every((one) => one >= 0),
      `split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=${listText(sizes)}`,
    );
    ensure(
      sizes.reduce((sum, one) => sum + one, 0) === size,
      `split_with_sizes expects split_sizes to sum exactly to ${size} ` +
        `(input tensor's size at dimension ${at}), but got split_sizes=${listText(sizes)}`,
    );
  }
}

/** Refuses a source of another shape than the part that it is written to. */
function sameAsSlice(src: tf.Tensor, slice: readonly number[]): void {
  ensure(
    String(src.shape) === String(slice),
    "expected src to have a size equal to the slice of self. " +
      `src size = ${listText(src.shape)}, slice size = ${listText(slice)}`,
  );
}

const distinctDims = (name: string, self: tf.Tensor, dims: readonly number[]): void => {
  const found = dims.map((dim) => dimOf(name, self, dim));
  const twice = found.find((dim, i) => found.indexOf(dim) !== i);
  ensure(twice === undefined, `dim ${twice} appears multiple times in the list of dims`);
};

const isBatched = (name: string) => (self: tf.Tensor): void =>
  ensure(
    self.rank >= 2 || self.rank === 0,
    `tensor.${name} is only supported on matrices or batches of matrices. Got ${self.rank}-D tensor.`,
  ); // prettier-ignore

/** Refuses to concatenate tensors that differ in another dimension. Empty vectors are ignored. */
function joined(all: readonly tf.Tensor[], dim = 0): void {
  ensure(all.length > 0, "torch.cat(): expected a non-empty list of Tensors");
  const parts = all.filter(({ rank, size }) => rank !== 1 || size !== 0);
  const [first] = parts;
  if (first === undefined) return;
  const at = dimOf("cat", first, dim);
  parts.forEach(({ rank, shape }, i) => {
    ensure(
      rank === first.rank,
      `Tensors must have same number of dimensions: got ${first.rank} and ${rank}`,
    );
    const wrong = shape.findIndex((size, d) => d !== at && size !== first.shape[d]);
    ensure(
      wrong < 0,
      `Sizes of tensors must match except in dimension ${at}. Expected size ${first.shape[wrong]} ` +
        `but got size ${shape[wrong]} for tensor number ${i} in the list.`,
    );
  });
}

function stacked(all: readonly tf.Tensor[]): void {
  ensure(all.length > 0, "stack expects a non-empty TensorList");
  const wrong = all.findIndex(({ shape }) => String(shape) !== String(all[0]!.shape));
  ensure(
    wrong < 0,
    `stack expects each tensor to be equal size, but got ${listText(all[0]!.shape)} at entry 0 ` +
      `and ${listText(all[wrong]?.shape ?? [])} at entry ${wrong}`,
  );
}

const some =
  (name: string) =>
  (all: readonly tf.Tensor[]): void =>
    ensure(all.length > 0, `${name} expects a non-empty TensorList`);

function chunked(self: tf.Tensor, chunks: number): void {
  ensure(self.rank > 0, "chunk expects at least a 1-dimensional tensor");
  ensure(chunks > 0, `chunk expects \`chunks\` to be greater than 0, got: ${chunks}`);
}

const unbound = (self: tf.Tensor, dim = 0): void =>
  ensure(self.rank > 0, `Dimension specified as ${dim} but tensor has no dimensions`);

const atMostMatrix = ({ rank }: tf.Tensor): void =>
  ensure(rank <= 2, `t() expects a tensor with <= 2 dimensions, but self is ${rank}D`);

const narrowed = (_self: tf.Tensor, _dim: number, _start: unknown, length: number): void =>
  ensure(length >= 0, "narrow(): length must be non-negative.");

export const MOVING_REFUSALS = {
  cat: joined,
  concat: joined,
  concatenate: joined,
  stack: stacked,
  hstack: some("hstack"),
  vstack: some("vstack"),
  dstack: some("dstack"),
  column_stack: some("column_stack"),
  ...{ chunk: chunked, unsafe_chunk: chunked },
  ...{ unbind: unbound, unbind_copy: unbound, t: atMostMatrix, t_copy: atMostMatrix },
  narrow: narrowed,
  split: splits,
  unsafe_split: splits,
  split_copy: splits,
  split_with_sizes: splits,
  split_with_sizes_copy: splits,
  unsafe_split_with_sizes: splits,
  hsplit: divided("hsplit", (rank) => (rank < 2 ? 0 : 1)),
  vsplit: divided("vsplit", () => 0),
  dsplit: divided("dsplit", () => 2),
  flip: (self: tf.Tensor, dims: readonly number[]): void => distinctDims("flip", self, dims),
  roll: (_self: tf.Tensor, shifts: readonly number[], dims: readonly number[] = []): void => {
    const [m, n] = [shifts.length, dims.length];
    ensure(
      m === n || (m === 1 && n === 0),
      `shifts and dimensions must align. shifts: ${m}, dims:${n}`,
    );
  },
  movedim: (_self: tf.Tensor, source: unknown, destination: unknown): void => {
    if (!Array.isArray(source) || !Array.isArray(destination)) return;
    ensure(
      source.length === destination.length,
      `movedim: Invalid source or destination dims: source (${listText(source as number[])} dims) ` +
        `should contain the same number of dims as destination (${listText(destination as number[])} dims)`,
    );
  },
  rot90: (self: tf.Tensor, _k = 1, dims: readonly number[] = [0, 1]): void => {
    ensure(dims.length === 2, `expected total rotation dims == 2, but got dims = ${dims.length}`);
    const [a, b] = dims.map((dim) => dimOf("rot90", self, dim));
    ensure(
      a !== b,
      `expected rotation dims to be different, but got dim0 = ${dims[0]} and dim1 = ${dims[1]}`,
    );
  },
  repeat: (self: tf.Tensor, repeats: readonly number[]): void =>
    ensure(
      repeats.length >= self.rank,
      "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor",
    ),
  unfold: (self: tf.Tensor, dim: number, size: number, step: number): void => {
    const at = self.rank === 0 ? 0 : dimOf("unfold", self, dim);
    const whole = self.shape[at] ?? 1;
    ensure(size >= 0, `size is ${size} but must be >= 0`);
    ensure(
      size <= whole,
      `maximum size for tensor at dimension ${at} is ${whole} but size is ${size}`,
    );
    ensure(step > 0, `step is ${step} but must be > 0`);
  },
  unsqueeze: (self: tf.Tensor, dim: number): void => {
    const { rank } = self;
    ensure(
      dim >= -rank - 1 && dim <= rank,
      `Dimension out of range (expected to be in range of [${-rank - 1}, ${rank}], but got ${dim})`,
    );
  },
  matrix_H: (self: tf.Tensor): void =>
    ensure(
      self.rank === 2 || self.rank === 0,
      `tensor.H is only supported on matrices (2-D tensors). Got ${self.rank}-D tensor.`,
    ),
  mT: isBatched("mT"),
  mH: isBatched("mH"),
  select_scatter: (self: tf.Tensor, src: tf.Tensor, dim: number, index: number): void => {
    const at = dimOf("select_scatter", self, dim);
    const size = self.shape[at]!;
    ensure(
      index >= -size && index < size,
      `select(): index ${index} out of range for tensor of size ${listText(self.shape)} at dimension ${at}`,
    );
    sameAsSlice(
      src,
      self.shape.filter((_, i) => i !== at),
    );
  },
  diagonal_scatter: (self: tf.Tensor, src: tf.Tensor, offset = 0, first = 0, second = 1): void => {
    const [i, j] = [first, second].map((dim) => dimOf("diagonal_scatter", self, dim)) as [number, number]; // prettier-ignore
    const [rows, columns] = [self.shape[i]!, self.shape[j]!];
    const count = Math.min(rows, columns, rows + offset, columns - offset);
    const rest = self.shape.filter((_, d) => d !== i && d !== j);
    sameAsSlice(src, [...rest, Math.max(0, count)]);
  },
  cartesian_prod: (all: readonly tf.Tensor[]): void => all.forEach(checkVector),
  combinations: (self: tf.Tensor, r = 2): void => {
    checkVector(self);
    ensure(r >= 0, `Expect a non-negative number, but got ${r}`);
  },
  meshgrid: (all: readonly tf.Tensor[]): void => {
    ensure(all.length > 0, "meshgrid expects a non-empty TensorList");
    const wrong = all.find(({ rank }) => rank > 1);
    ensure(
      wrong === undefined,
      "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got one of shape " +
        listText(wrong?.shape ?? []),
    );
  },
  repeat_interleave: (self: tf.Tensor, repeats: unknown, dim: number | null = null): void => {
    if (!(repeats instanceof tf.Tensor)) {
      if (typeof repeats === "number") ensure(repeats >= 0, "Repeats must be non-negative");
      return;
    }
    ensure(repeats.rank <= 1, "repeats must be 0-dim or 1-dim tensor");
    const at = dim === null ? 0 : dimOf("repeat_interleave", self, dim);
    const size = dim === null ? self.size : self.shape[at];
    ensure(
      repeats.size === 1 || repeats.size === size,
      "repeats must have the same size as input along dim, " +
        `but got repeats.size(0) = ${repeats.size} and input.size(${at}) = ${size}`,
    );
  },
};
