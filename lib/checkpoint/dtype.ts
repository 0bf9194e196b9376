/** The dtypes that checkpoints hold, under PyTorch's names. */

/** The arrays that hold the values of an entry. */
export type EntryData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

interface DataConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): EntryData;
}

export interface DtypeInfo {
  /** The bits of one element; if less than 8, several elements share a byte. */
  bits: number;
  /** The array that holds the values; for halves and float8 it has their raw bits. */
  array: DataConstructor;
}

export const DTYPES = {
  bool: { bits: 8, array: Uint8Array },
  uint8: { bits: 8, array: Uint8Array },
  int8: { bits: 8, array: Int8Array },
  int16: { bits: 16, array: Int16Array },
  uint16: { bits: 16, array: Uint16Array },
  int32: { bits: 32, array: Int32Array },
  uint32: { bits: 32, array: Uint32Array },
  int64: { bits: 64, array: BigInt64Array },
  uint64: { bits: 64, array: BigUint64Array },
  float16: { bits: 16, array: Uint16Array },
  bfloat16: { bits: 16, array: Uint16Array },
  float32: { bits: 32, array: Float32Array },
  float64: { bits: 64, array: Float64Array },
  complex32: { bits: 32, array: Uint16Array },
  bcomplex32: { bits: 32, array: Uint16Array },
  complex64: { bits: 64, array: Float32Array },
  complex128: { bits: 128, array: Float64Array },
  float8_e4m3fn: { bits: 8, array: Uint8Array },
  float8_e5m2: { bits: 8, array: Uint8Array },
  float8_e4m3fnuz: { bits: 8, array: Uint8Array },
  float8_e5m2fnuz: { bits: 8, array: Uint8Array },
  float8_e8m0fnu: { bits: 8, array: Uint8Array },
  float6_e2m3fn: { bits: 6, array: Uint8Array },
  float6_e3m2fn: { bits: 6, array: Uint8Array },
  float4_e2m1fn: { bits: 4, array: Uint8Array },
  float4_e2m1fn_x2: { bits: 8, array: Uint8Array },
  qint8: { bits: 8, array: Int8Array },
  quint8: { bits: 8, array: Uint8Array },
  qint32: { bits: 32, array: Int32Array },
  quint4x2: { bits: 4, array: Uint8Array },
  quint2x4: { bits: 2, array: Uint8Array },
  bits1x8: { bits: 8, array: Uint8Array },
  bits2x4: { bits: 8, array: Uint8Array },
  bits4x2: { bits: 8, array: Uint8Array },
  bits8: { bits: 8, array: Uint8Array },
  bits16: { bits: 16, array: Uint16Array },
} satisfies Record<string, DtypeInfo>;

/** PyTorch's names of dtypes, as `float16` and `int64`. */
export type Dtype = keyof typeof DTYPES;

/**
 * dtypes of numpy that PyTorch lacks. Entries with them are listed, but their values cannot be
 * read.
 */
export type ForeignDtype =
  | "str"
  | "bytes"
  | "void"
  | "datetime64"
  | "timedelta64"
  | "longdouble"
  | "clongdouble"
  | "object"
  | "structured";

export const isDtype = (name: string): name is Dtype => Object.hasOwn(DTYPES, name);

/** Two numbers an element: the real and the imaginary part. */
export const isComplex = (dtype: Dtype): boolean => dtype.includes("complex");

/** The size of the words that byte order applies to. */
export const wordSize = (dtype: Dtype): number => DTYPES[dtype].array.BYTES_PER_ELEMENT;

/** The values in these bytes: a view if the alignment permits, else a copy. */
export function viewAs(dtype: Dtype, bytes: Uint8Array): EntryData {
  const { array: DataArray }: DtypeInfo = DTYPES[dtype];
  const size = DataArray.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new DataArray(aligned.buffer, aligned.byteOffset, aligned.byteLength / size);
}
