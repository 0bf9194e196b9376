import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../../../arguments.js";

/** An operand in an exported program's call; Python numbers are not converted to tensors there. */
export type Operand = tf.Tensor | number | boolean | bigint;

/** The categories of PyTorch's type promotion, in ascending order. */
export const BOOL = 0;
export const INT = 1;
export const FLOAT = 2;
export type Kind = typeof BOOL | typeof INT | typeof FLOAT;

/** tfjs' dtype for each category. */
export const DTYPES = ["bool", "int32", "float32"] as const;

/**
 * The category of a value. A float that is an integer (`2.0`) looks like an integer here; the dtype
 * that the program recorded determines the result.
 */
export function kindOf(value: Operand): Kind {
  if (value instanceof tf.Tensor) {
    return value.dtype === "bool" ? BOOL : value.dtype === "int32" ? INT : FLOAT;
  }
  if (typeof value === "boolean") return BOOL;
  return typeof value === "bigint" || Number.isInteger(value) ? INT : FLOAT;
}

const INT32_MAX = 2 ** 31 - 1;

/**
 * A number as a category holds it; integers beyond int32, such as the smallest int64, become the
 * nearest int32.
 */
export function numberIn(value: number | boolean | bigint, kind: Kind): number {
  const number = Number(value);
  if (kind === BOOL) return Number(number !== 0);
  // Without its fraction: tfjs' webgl backend rounds what it fills with.
  return kind === FLOAT ? number : Math.min(Math.max(number, -INT32_MAX - 1), INT32_MAX) | 0;
}

export const scalar = (value: number | boolean | bigint, kind: Kind): tf.Scalar =>
  tf.scalar(numberIn(value, kind), DTYPES[kind]);

/** A value as a tensor of a category. */
export function toKind(value: Operand, kind: Kind): tf.Tensor {
  if (!(value instanceof tf.Tensor)) return scalar(value, kind);
  return toDtype(value, DTYPES[kind]);
}

export function toDtype(x: tf.Tensor, dtype: tf.DataType): tf.Tensor {
  if (x.dtype === dtype) return x;
  // A cast to bool is a comparison with 0, for which NaN is true.
  if (dtype === "bool") return tf.logicalNot(tf.equal(x, tf.scalar(0, x.dtype)));
  return tf.cast(x, dtype);
}

export const toFloat = (x: Operand): tf.Tensor => toKind(x, FLOAT);

/** Converts bools to integers, for sums and products. */
export const toNumber = (x: tf.Tensor): tf.Tensor => (x.dtype === "bool" ? toKind(x, INT) : x);

/** The category of a PyTorch dtype given by name: `int64`, `torch.float16`. */
export function kindOfName(name: string): Kind {
  const plain = name.replace(/^torch\./, "");
  if (plain === "bool") return BOOL;
  return /^u?int/.test(plain) ? INT : FLOAT;
}

/** Reads a `dtype=` argument. Halves and doubles are stored as float32, all integers as int32. */
export function readDtype(value: unknown): tf.DataType | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return DTYPES[kindOfName(value)];
  throw new TypeError(`expected a dtype by name, such as 'float32', but got ${describe(value)}`);
}

/** The tensor in the requested dtype, or unchanged. */
export function withDtype(x: tf.Tensor, dtype: unknown): tf.Tensor {
  const wanted = readDtype(dtype);
  return wanted === null ? x : toDtype(x, wanted);
}
