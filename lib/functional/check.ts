import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../arguments.js";

/** `(10, 3)`, a shape as PyTorch's messages and our docs write it. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

/** `[10, 3]`, numbers as PyTorch's messages write a list. */
export const listText = (values: readonly (number | string | null)[]): string =>
  `[${values.join(", ")}]`;

/** Refuses what is no tensor, in PyTorch's words. */
export function checkTensor(
  op: string,
  value: unknown,
  name = "input",
  position = 1,
): asserts value is tf.Tensor {
  if (value instanceof tf.Tensor) {
    if (!value.isDisposed) return;
    throw new Error(`${op}(): argument '${name}' (position ${position}): Tensor is disposed`);
  }
  throw new TypeError(
    `${op}(): argument '${name}' (position ${position}) must be Tensor, not ${describe(value)}`,
  );
}

/** Refuses what is not the states of a recurrent layer: `[h]`, or `[h, c]` of an LSTM. */
export function checkStates(op: string, given: unknown, count: number): void {
  if (given === null) return;
  if (!Array.isArray(given) || given.length !== count) {
    const got = Array.isArray(given) ? `${given.length} elements` : describe(given);
    throw new TypeError(`${op}(): argument 'state' (position 2) must be [h, c], not ${got}`);
  }
  given.forEach((state, i) => checkTensor(op, state, ["h", "c"][i], 2));
}

const TORCH_NAMES: Partial<Record<tf.DataType, string>> = {
  float32: "Float",
  int32: "Int",
  bool: "Bool",
  complex64: "ComplexFloat",
};

/** PyTorch's name for a tensor's dtype in messages: `Float`, `Int`, `Bool`. */
export function dtypeName(tensor: tf.Tensor): string {
  return TORCH_NAMES[tensor.dtype] ?? tensor.dtype;
}

/** Refuses what is no tensor of floats. */
export function checkFloatTensor(op: string, value: unknown): asserts value is tf.Tensor {
  checkTensor(op, value);
  if (value.dtype === "float32") return;
  throw new TypeError(`${op}(): "${op}" not implemented for '${dtypeName(value)}', expected Float`);
}

/** Refuses what is no tensor of numbers. */
export function checkNumberTensor(op: string, value: unknown): asserts value is tf.Tensor {
  checkTensor(op, value);
  if (value.dtype !== "bool") return;
  throw new TypeError(`${op}(): Boolean inputs not supported for ${op}`);
}

/** A tensor as floats, which integers and booleans become. */
export function asFloat(x: tf.Tensor): tf.Tensor {
  return x.dtype === "float32" ? x : tf.cast(x, "float32");
}

/** A dimension counted from the front, whether it was given from the front or from the back. */
export function wrapDim(name: string, dim: number, rank: number): number {
  const size = Math.max(rank, 1);
  if (Number.isInteger(dim) && dim >= -size && dim < size) return dim < 0 ? dim + size : dim;
  throw new RangeError(
    `${name}(): Dimension out of range (expected to be in range of [${-size}, ${size - 1}], ` +
      `but got ${dim})`,
  );
}
