import { type Dtype, DTYPES, type EntryData } from "./dtype.js";
import { numelOf } from "./sizes.js";

/** How the integers of a quantised tensor become real numbers: (q − zeroPoint) · scale. */
export interface Quantizer {
  /** One number, or one for each index along the axis. */
  scale: readonly number[];
  zeroPoint: readonly number[];
  axis?: number;
}

export function dequantize(
  dtype: Dtype,
  data: EntryData,
  shape: readonly number[],
  { scale, zeroPoint, axis }: Quantizer,
): Float32Array {
  const values = unpack(dtype, data, numelOf(shape));
  const inner = numelOf(shape.slice((axis ?? -1) + 1));
  const channels = axis === undefined ? 1 : shape[axis]!;
  const real = new Float32Array(values.length);
  for (let i = 0; i < real.length; i += 1) {
    const channel = channels === 1 ? 0 : Math.floor(i / inner) % channels;
    real[i] = Math.fround(values[i]! - zeroPoint[channel]!) * Math.fround(scale[channel]!);
  }
  return real;
}

/** Unpacks elements that share a byte, the lowest bits first. */
function unpack(dtype: Dtype, data: EntryData, count: number): ArrayLike<number> {
  const { bits } = DTYPES[dtype];
  if (bits >= 8) return data as ArrayLike<number>;
  const perByte = 8 / bits;
  return Uint8Array.from({ length: count }, (_, i) => {
    const byte = Number(data[Math.floor(i / perByte)]);
    return (byte >> (bits * (i % perByte))) & ((1 << bits) - 1);
  });
}
