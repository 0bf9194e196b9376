import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../functional/op.js";
import { defineOps } from "./support/define.js";
import {
  DTYPES,
  FLOAT,
  INT,
  type Kind,
  kindOf,
  numberIn,
  type Operand,
  readDtype,
  toKind,
} from "./support/dtype.js";
import { numberText } from "./support/host.js";
import { expandTo } from "./support/shape.js";

type Sizes = readonly number[];

const full = (size: Sizes, value: Operand, dtype?: unknown): tf.Tensor => {
  const wanted = readDtype(dtype);
  const kind = wanted === null ? kindOf(value) : (DTYPES.indexOf(wanted as "bool") as Kind);
  if (value instanceof tf.Tensor) return expandTo(toKind(value, kind), size);
  // tfjs' cpu backend would repeat a tensor element by element, and on webgl fills few dimensions.
  const flat = tf.fill([tf.util.sizeFromShape([...size])], numberIn(value, kind), DTYPES[kind]);
  return tf.reshape(flat, [...size]);
};

const fullLike = (self: tf.Tensor, value: Operand, dtype?: unknown): tf.Tensor =>
  full(self.shape, value, dtype ?? self.dtype);

const filled =
  (value: number) =>
  (size: Sizes, dtype?: unknown): tf.Tensor =>
    full(size, value, dtype ?? "float32");

const filledLike =
  (value: number) =>
  (self: tf.Tensor, dtype?: unknown): tf.Tensor =>
    fullLike(self, value, dtype);

const newFilled =
  (value: number) =>
  (self: tf.Tensor, size: Sizes, dtype?: unknown): tf.Tensor =>
    full(size, value, dtype ?? self.dtype);

const numberOf = (value: Operand): number =>
  Number(value instanceof tf.Tensor ? value.dataSync()[0] : value);

/** Refuses a range that the step does not lead through. */
function checkRange(start: number, end: number, step: number): void {
  if (step === 0) throw new RangeError("step must be nonzero");
  if (!isFinite(start) || !isFinite(end)) {
    const [from, to] = [start, end].map(numberText);
    throw new RangeError(`unsupported range: ${from} -> ${to}`);
  }
  if (step > 0 ? end >= start : end <= start) return;
  throw new RangeError("upper bound and lower bound inconsistent with step sign");
}

/** `start`, `start + step`, … before `end`. */
function arange(start: number, end: number, step = 1, dtype?: unknown): tf.Tensor {
  checkRange(start, end, step);
  const count = Math.ceil((end - start) / step);
  const isWhole = [start, end, step].every(Number.isInteger);
  const wanted = readDtype(dtype) ?? DTYPES[isWhole ? INT : FLOAT];
  const [first, by] = wanted === "int32" ? [Math.trunc(start), Math.trunc(step)] : [start, step];
  return tf.tensor1d(
    Array.from({ length: count }, (_, i) => first + i * by),
    wanted,
  );
}

/**
 * Likewise, with `end` included if a step meets it. (Floats, unless another dtype is requested.)
 */
function range(start: number, end: number, step = 1): tf.Tensor {
  checkRange(start, end, step);
  const count = Math.floor((end - start) / step) + 1;
  return tf.tensor1d(Array.from({ length: count }, (_, i) => start + i * step));
}

/** Computed from both ends, so that both are exact. */
function linspace(start: Operand, end: Operand, steps: number): tf.Tensor {
  const [from, to] = [numberOf(start), numberOf(end)];
  const step = steps > 1 ? (to - from) / (steps - 1) : 0;
  const values = Array.from({ length: steps }, (_, i) =>
    i < steps / 2 ? from + step * i : to - step * (steps - 1 - i),
  );
  return tf.tensor1d(values);
}

function logspace(start: Operand, end: Operand, steps: number, base = 10): tf.Tensor {
  const exponents = linspace(start, end, steps).dataSync();
  return tf.tensor1d(Float32Array.from(exponents, (e) => base ** e));
}

function eye(n: number, m = n): tf.Tensor {
  const values = new Float32Array(n * m);
  for (let i = 0; i < Math.min(n, m); i += 1) values[i * m + i] = 1;
  return tf.tensor2d(values, [n, m]);
}

/** The rows and columns of the elements on one side of a diagonal. */
function triangle(
  row: number,
  column: number,
  keeps: (i: number, j: number) => boolean,
): tf.Tensor {
  const places: [number, number][] = [];
  for (let i = 0; i < row; i += 1) {
    for (let j = 0; j < column; j += 1) if (keeps(i, j)) places.push([i, j]);
  }
  const both = [...places.map(([i]) => i), ...places.map(([, j]) => j)];
  return tf.tensor2d(both, [2, places.length], "int32");
}

/** One-hot rows. Without a number of classes, it is the largest index plus one. */
const oneHot = /* @__PURE__ */ op("one_hot", (self: tf.Tensor, numClasses: number): tf.Tensor => {
  const indices = Array.from(self.dataSync());
  const classes = numClasses === -1 ? indices.reduce((a, b) => Math.max(a, b), -1) + 1 : numClasses;
  const values = new Int32Array(self.size * classes);
  indices.forEach((index, i) => {
    if (index < 0 || index >= classes)
      throw new RangeError("Class values must be smaller than num_classes.");
    values[i * classes + index] = 1;
  });
  return tf.tensor(values, [...self.shape, classes], "int32");
});

const same = (self: tf.Tensor): tf.Tensor => self;

export const creationOps = defineOps({
  "full(size, fill_value, dtype)": full,
  "full_like(self, fill_value, dtype)": fullLike,
  "new_full(self, size, fill_value, dtype)": (
    self: tf.Tensor,
    size: Sizes,
    value: Operand,
    dtype?: unknown,
  ) => full(size, value, dtype ?? self.dtype),
  "zeros|empty.memory_format(size, dtype)": filled(0),
  "ones(size, dtype)": filled(1),
  "zeros_like|empty_like(self, dtype)": filledLike(0),
  "ones_like(self, dtype)": filledLike(1),
  "new_zeros|new_empty(self, size, dtype)": newFilled(0),
  "new_ones(self, size, dtype)": newFilled(1),
  "empty_strided|empty_permuted(size, stride, dtype)": (
    size: Sizes,
    _stride: Sizes,
    dtype?: unknown,
  ) => filled(0)(size, dtype),
  "new_empty_strided(self, size, stride, dtype)": (
    self: tf.Tensor,
    size: Sizes,
    _stride: Sizes,
    dtype?: unknown,
  ) => newFilled(0)(self, size, dtype),
  "scalar_tensor(s, dtype)": (s: Operand, dtype?: unknown) => full([], s, dtype ?? "float32"),
  "arange(end, dtype)": (end: number, dtype?: unknown) => arange(0, end, 1, dtype),
  "arange.start|arange.start_step(start, end, step, dtype)": arange,
  "range|range.step(start, end, step, dtype)": range,
  "linspace|linspace.Tensor_Tensor|linspace.Tensor_Scalar|linspace.Scalar_Tensor(start, end, steps, dtype)":
    linspace,
  "logspace|logspace.Tensor_Tensor|logspace.Tensor_Scalar|logspace.Scalar_Tensor(start, end, steps, base, dtype)":
    logspace,
  "eye|eye.m(n, m, dtype)": eye,
  "tril_indices(row, col, offset, dtype)": (row: number, column: number, offset = 0) =>
    triangle(row, column, (i, j) => j - i <= offset),
  "triu_indices(row, col, offset, dtype)": (row: number, column: number, offset = 0) =>
    triangle(row, column, (i, j) => j - i >= offset),
  "one_hot(self, num_classes)": (self: tf.Tensor, numClasses = -1) => oneHot(self, numClasses),
  // The result is then cast to the dtype that the program recorded.
  "_to_copy|to.dtype|to.dtype_layout|to.prim_dtype|chalf(self, dtype, non_blocking, copy, memory_format)":
    same,
  "to.device|to.prim_Device(self, device, dtype, non_blocking, copy, memory_format)": same,
  "to.other|type_as(self, other, non_blocking, copy, memory_format)": same,
  "item|_local_scalar_dense(self)": (self: tf.Tensor) => {
    const [value] = self.dataSync();
    return self.dtype === "bool" ? Boolean(value) : value;
  },
});
