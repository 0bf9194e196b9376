/** Values of any real dtype as numbers of JavaScript. */
import { type Dtype, type EntryData } from "./dtype.js";
import { bfloat16ToFloat32, e8m0ToFloat32, isSmallFloat, smallToFloat32 } from "./float.js";

type BigData = BigInt64Array | BigUint64Array;

const isBig = (data: EntryData): data is BigData =>
  data instanceof BigInt64Array || data instanceof BigUint64Array;

/** A faster way for float16, once it has been loaded; null where it cannot be gone. */
let widenHalves: (codes: Uint16Array) => Float32Array | null = () => null;

/** Loads what makes it fast to convert numbers of these dtypes; the same numbers come without. */
export async function prepareFor(dtypes: Iterable<string>): Promise<void> {
  if ([...dtypes].includes("float16")) ({ widenHalves } = await import("./half-loop.js"));
}

/** Exact for what float32 holds, else rounded to it; float32 itself is not copied. */
export function toFloat32(dtype: Dtype, data: EntryData): Float32Array {
  if (data instanceof Float32Array) return data;
  const widened = dtype === "float16" ? widenHalves(data as Uint16Array) : null;
  if (widened !== null) return widened;
  if (isSmallFloat(dtype)) return smallToFloat32(dtype, data as Uint8Array | Uint16Array);
  if (dtype === "bfloat16") return bfloat16ToFloat32(data as Uint16Array);
  if (dtype === "float8_e8m0fnu") return e8m0ToFloat32(data as Uint8Array);
  if (isBig(data)) return bigToNumbers(data, new Float32Array(data.length));
  return new Float32Array(dtype === "bool" ? truths(data as Uint8Array) : data);
}

/** float64 itself is not copied. */
export function toFloat64(dtype: Dtype, data: EntryData): Float64Array {
  if (data instanceof Float64Array) return data;
  if (isBig(data)) return bigToNumbers(data, new Float64Array(data.length));
  if (dtype === "bool") return new Float64Array(truths(data as Uint8Array));
  const isInteger = /^q?u?int/.test(dtype);
  return new Float64Array(isInteger ? data : toFloat32(dtype, data));
}

/** Any byte but zero is true. */
const truths = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => (byte === 0 ? 0 : 1));

/** By halves: a loop over bigints takes ten times as long. */
function bigToNumbers<T extends Float32Array | Float64Array>(data: BigData, numbers: T): T {
  const isSigned = data instanceof BigInt64Array;
  const { buffer, byteOffset, length } = data;
  const low = new Uint32Array(buffer, byteOffset, 2 * length);
  const high = isSigned ? new Int32Array(buffer, byteOffset, 2 * length) : low;
  for (let i = 0; i < length; i += 1) numbers[i] = high[2 * i + 1]! * 2 ** 32 + low[2 * i]!;
  return numbers;
}
