import * as tf from "@tensorflow/tfjs-core";

/** The values of a tensor for computations in JavaScript, row-major. */
export type Values = Float32Array | Int32Array | Uint8Array;

export const valuesOf = (x: tf.Tensor): Values => x.dataSync();

/** An empty array for values of a dtype. */
export function arrayFor(dtype: tf.DataType, length: number): Values {
  return dtype === "float32" ? new Float32Array(length) : dtype === "int32" ? new Int32Array(length) : new Uint8Array(length); // prettier-ignore
}

export const tensorOf = (values: Values, shape: readonly number[], dtype: tf.DataType): tf.Tensor =>
  tf.tensor(values, [...shape], dtype);

/** Minimum and maximum, also for more values than a call can have arguments; NaN if one is NaN. */
export function extentOf(values: ArrayLike<number>): [low: number, high: number] {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i += 1) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  return [low, high];
}

/** A number as C++ prints it, for PyTorch's messages. */
export function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

/** Row-major strides. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i -= 1) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}
