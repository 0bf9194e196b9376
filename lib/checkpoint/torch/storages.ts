import { type Dtype, DTYPES } from "../dtype.js";
import { CheckpointError } from "../errors.js";
import { Global } from "../pickle/values.js";

const DTYPE_OF_CLASS = new Map<string, Dtype>([
  ["BoolStorage", "bool"],
  ["ByteStorage", "uint8"],
  ["CharStorage", "int8"],
  ["ShortStorage", "int16"],
  ["IntStorage", "int32"],
  ["LongStorage", "int64"],
  ["HalfStorage", "float16"],
  ["BFloat16Storage", "bfloat16"],
  ["FloatStorage", "float32"],
  ["DoubleStorage", "float64"],
  ["ComplexFloatStorage", "complex64"],
  ["ComplexDoubleStorage", "complex128"],
  ["QInt8Storage", "qint8"],
  ["QUInt8Storage", "quint8"],
  ["QInt32Storage", "qint32"],
  ["QUInt4x2Storage", "quint4x2"],
  ["QUInt2x4Storage", "quint2x4"],
]);

const UNTYPED = new Set(["UntypedStorage", "_UntypedStorage"]);

/** The dtype of a storage class; null if it has none, in which case sizes are in bytes. */
export function storageDtype(type: unknown): Dtype | null {
  if (type instanceof Global && /^torch(\.|$)/.test(type.module)) {
    const dtype = DTYPE_OF_CLASS.get(type.name);
    if (dtype !== undefined) return dtype;
    if (UNTYPED.has(type.name)) return null;
  }
  const name = type instanceof Global ? type.path : typeof type;
  throw new CheckpointError(`a storage of unknown class ${name}`);
}

/** The size of an element; 1 for dtypes smaller than a byte. */
export const storageItemSize = (dtype: Dtype | null): number =>
  dtype === null ? 1 : Math.max(1, DTYPES[dtype].bits / 8);
