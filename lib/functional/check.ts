import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../arguments.js";

/** A shape as `(10, 3)`, as in PyTorch's messages and our docs. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

/** A list as `[10, 3]`, as in PyTorch's messages. */
export const listText = (values: readonly (number | string | null)[]): string =>
  `[${values.join(", ")}]`;

/** Refuses a value that is not a tensor, with PyTorch's message. */
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

/** Refuses a value that is not the state of a recurrent layer: `[h]`, or `[h, c]` for an LSTM. */
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

/** Refuses a value that is not a float tensor. */
export function checkFloatTensor(op: string, value: unknown): asserts value is tf.Tensor {
  checkTensor(op, value);
  if (value.dtype === "float32") return;
  throw new TypeError(`${op}(): "${op}" not implemented for '${dtypeName(value)}', expected Float`);
}

/** Refuses a value that is not a tensor of numbers. */
export function checkNumberTensor(op: string, value: unknown): asserts value is tf.Tensor {
  checkTensor(op, value);
  if (value.dtype !== "bool") return;
  throw new TypeError(`${op}(): Boolean inputs not supported for ${op}`);
}

/** Converts integers and booleans to floats. */
export function asFloat(x: tf.Tensor): tf.Tensor {
  return x.dtype === "float32" ? x : tf.cast(x, "float32");
}

/** A non-negative dimension for one that may be negative, which counts from the end. */
export function wrapDim(name: string, dim: number, rank: number): number {
  const size = Math.max(rank, 1);
  if (Number.isInteger(dim) && dim >= -size && dim < size) return dim < 0 ? dim + size : dim;
  throw new RangeError(
    `${name}(): Dimension out of range (expected to be in range of [${-size}, ${size - 1}], ` +
      `but got ${dim})`,
  );
}
