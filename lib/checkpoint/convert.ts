/** Converts values of all real dtypes to JavaScript's numbers. */
import { type Dtype, type EntryData } from "./dtype.js";
import { bfloat16ToFloat32, e8m0ToFloat32, isSmallFloat, smallToFloat32 } from "./float.js";

type BigData = BigInt64Array | BigUint64Array;

const isBig = (data: EntryData): data is BigData =>
  data instanceof BigInt64Array || data instanceof BigUint64Array;

/** A faster conversion of float16, if it has been loaded; returns null if it is not available. */
let widenHalves: (codes: Uint16Array) => Float32Array | null = () => null;

/** Loads faster conversions for these dtypes; results are the same without. */
export async function prepareFor(dtypes: Iterable<string>): Promise<void> {
  if ([...dtypes].includes("float16")) ({ widenHalves } = await import("./half-loop.js"));
}

/** Exact for values that float32 can hold, else rounded; float32 arrays are not copied. */
export function toFloat32(dtype: Dtype, data: EntryData): Float32Array {
  if (data instanceof Float32Array) return data;
  const widened = dtype === "float16" ? widenHalves(data as Uint16Array) : null;
  if (widened !== null) return widened;
  if (isSmallFloat(dtype)) return smallToFloat32(dtype, data as Uint8Array | Uint16Array);
  if (dtype === "bfloat16") return bfloat16ToFloat32(data as Uint16Array);
  if (dtype === "float8_e8m0fnu") return e8m0ToFloat32(data as Uint8Array);
  if (isBig(data)) return bigToNumbers(data, new Float32Array(data.length));
  return new Float32Array(dtype === "bool" ? booleansOf(data as Uint8Array) : data);
}

/** float64 arrays are not copied. */
export function toFloat64(dtype: Dtype, data: EntryData): Float64Array {
  if (data instanceof Float64Array) return data;
  if (isBig(data)) return bigToNumbers(data, new Float64Array(data.length));
  if (dtype === "bool") return new Float64Array(booleansOf(data as Uint8Array));
  const isInteger = /^q?u?int/.test(dtype);
  return new Float64Array(isInteger ? data : toFloat32(dtype, data));
}

/** Booleans as 0 and 1: any byte other than 0 is true. */
const booleansOf = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => (byte === 0 ? 0 : 1));

/** Reads two 32-bit halves of each: a loop over bigints takes ten times as long. */
function bigToNumbers<T extends Float32Array | Float64Array>(data: BigData, numbers: T): T {
  const isSigned = data instanceof BigInt64Array;
  const { buffer, byteOffset, length } = data;
  const low = new Uint32Array(buffer, byteOffset, 2 * length);
  const high = isSigned ? new Int32Array(buffer, byteOffset, 2 * length) : low;
  for (let i = 0; i < length; i += 1) numbers[i] = high[2 * i + 1]! * 2 ** 32 + low[2 * i]!;
  return numbers;
}
