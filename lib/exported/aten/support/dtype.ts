import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../../../arguments.js";

/** What stands for a tensor in an exported program's call: Python's numbers are not wrapped there. */
export type Operand = tf.Tensor | number | boolean | bigint;

/** The categories of PyTorch's type promotion; the higher one wins. */
export const BOOL = 0;
export const INT = 1;
export const FLOAT = 2;
export type Kind = typeof BOOL | typeof INT | typeof FLOAT;

/** What tfjs holds each category as. */
export const DTYPES = ["bool", "int32", "float32"] as const;

/**
 * A number's category. A float that happens to be whole (`2.0`) looks like an integer here; the
 * result's dtype, which the program recorded, settles what comes out.
 */
export function kindOf(value: Operand): Kind {
  if (value instanceof tf.Tensor) {
    return value.dtype === "bool" ? BOOL : value.dtype === "int32" ? INT : FLOAT;
  }
  if (typeof value === "boolean") return BOOL;
  return typeof value === "bigint" || Number.isInteger(value) ? INT : FLOAT;
}

const INT32_MAX = 2 ** 31 - 1;

/** A scalar of a category; integers beyond int32, such as the least int64, become its ends. */
export function scalar(value: number | boolean | bigint, kind: Kind): tf.Scalar {
  if (kind === BOOL) return tf.scalar(Boolean(value), "bool");
  const number = Number(value);
  if (kind === FLOAT) return tf.scalar(number, "float32");
  return tf.scalar(Math.min(Math.max(number, -INT32_MAX - 1), INT32_MAX), "int32");
}

/** A value as a tensor of a category. */
export function toKind(value: Operand, kind: Kind): tf.Tensor {
  if (!(value instanceof tf.Tensor)) return scalar(value, kind);
  return toDtype(value, DTYPES[kind]);
}

export function toDtype(x: tf.Tensor, dtype: tf.DataType): tf.Tensor {
  if (x.dtype === dtype) return x;
  // A cast to bool is a comparison with 0: so NaN is true.
  if (dtype === "bool") return tf.logicalNot(tf.equal(x, tf.scalar(0, x.dtype)));
  return tf.cast(x, dtype);
}

export const toFloat = (x: Operand): tf.Tensor => toKind(x, FLOAT);

/** A tensor as one that sums and products of counts are made of: bools count as integers. */
export const toNumber = (x: tf.Tensor): tf.Tensor => (x.dtype === "bool" ? toKind(x, INT) : x);

/** The category of PyTorch's dtype of that name: `int64`, `torch.float16`. */
export function kindOfName(name: string): Kind {
  const plain = name.replace(/^torch\./, "");
  if (plain === "bool") return BOOL;
  return /^u?int/.test(plain) ? INT : FLOAT;
}

/** A `dtype=` argument. Halves and doubles are held as float32, all integers as int32. */
export function readDtype(value: unknown): tf.DataType | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return DTYPES[kindOfName(value)];
  throw new TypeError(`expected a dtype by name, such as 'float32', but got ${describe(value)}`);
}

/** The tensor in the dtype that is asked for, or as it is. */
export function withDtype(x: tf.Tensor, dtype: unknown): tf.Tensor {
  const wanted = readDtype(dtype);
  return wanted === null ? x : toDtype(x, wanted);
}
