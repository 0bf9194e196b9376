/** Converts small floats to float32, exactly. */

/** The numbers of sign, exponent and fraction bits, and the meaning of the highest codes. */
interface FloatFormat {
  exponentBits: number;
  fractionBits: number;
  bias: number;
  /**
   * `ieee`: infinities and NaN; `fn`: only the highest code is NaN; `fnuz`: only negative zero is
   * NaN.
   */
  special: "ieee" | "fn" | "fnuz";
}

const FORMATS = {
  float16: { exponentBits: 5, fractionBits: 10, bias: 15, special: "ieee" },
  float8_e5m2: { exponentBits: 5, fractionBits: 2, bias: 15, special: "ieee" },
  float8_e4m3fn: { exponentBits: 4, fractionBits: 3, bias: 7, special: "fn" },
  float8_e4m3fnuz: { exponentBits: 4, fractionBits: 3, bias: 8, special: "fnuz" },
  float8_e5m2fnuz: { exponentBits: 5, fractionBits: 2, bias: 16, special: "fnuz" },
} as const satisfies Record<string, FloatFormat>;

export type SmallFloat = keyof typeof FORMATS;

export const isSmallFloat = (dtype: string): dtype is SmallFloat => Object.hasOwn(FORMATS, dtype);

function decode(code: number, format: FloatFormat): number {
  const { exponentBits, fractionBits, bias, special } = format;
  const sign = code >> (exponentBits + fractionBits) ? -1 : 1;
  const exponent = (code >> fractionBits) & ((1 << exponentBits) - 1);
  const fraction = code & ((1 << fractionBits) - 1);
  const highest = exponent === (1 << exponentBits) - 1;
  if (special === "ieee" && highest) return fraction ? NaN : sign * Infinity;
  if (special === "fn" && highest && fraction === (1 << fractionBits) - 1) return NaN;
  if (special === "fnuz" && sign < 0 && exponent === 0 && fraction === 0) return NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias - fractionBits);
  return sign * (2 ** fractionBits + fraction) * 2 ** (exponent - bias - fractionBits);
}

/** For each format the float32 bits of all codes, made on first use. */
const tables = new Map<SmallFloat, Uint32Array>();

function tableOf(dtype: SmallFloat): Uint32Array {
  let table = tables.get(dtype);
  if (table === undefined) {
    const format = FORMATS[dtype];
    const codes = 1 << (1 + format.exponentBits + format.fractionBits);
    const values = Float32Array.from({ length: codes }, (_, code) => decode(code, format));
    table = new Uint32Array(values.buffer);
    tables.set(dtype, table);
  }
  return table;
}

/** Converts float16 and the float8 formats by a table. */
export function smallToFloat32(dtype: SmallFloat, codes: Uint8Array | Uint16Array): Float32Array {
  const table = tableOf(dtype);
  const bits = new Uint32Array(codes.length);
  const pairs = pairsOf(codes);
  for (let k = 0, i = 0; k < pairs.length; k += 1, i += 2) {
    const pair = pairs[k]!;
    bits[i] = table[pair & 0xffff]!;
    bits[i + 1] = table[pair >>> 16]!;
  }
  for (let i = 2 * pairs.length; i < codes.length; i += 1) bits[i] = table[codes[i]!]!;
  return new Float32Array(bits.buffer);
}

/** bfloat16 is the upper half of a float32. */
export function bfloat16ToFloat32(codes: Uint16Array): Float32Array {
  const bits = new Uint32Array(codes.length);
  const pairs = pairsOf(codes);
  for (let k = 0, i = 0; k < pairs.length; k += 1, i += 2) {
    const pair = pairs[k]!;
    bits[i] = pair << 16;
    bits[i + 1] = pair & 0xffff0000;
  }
  for (let i = 2 * pairs.length; i < codes.length; i += 1) bits[i] = codes[i]! << 16;
  return new Float32Array(bits.buffer);
}

/** Halves as pairs, if they are aligned, since that takes fewer reads; empty for anything else. */
function pairsOf(codes: Uint8Array | Uint16Array): Uint32Array {
  const isPaired = codes instanceof Uint16Array && codes.byteOffset % 4 === 0;
  return isPaired
    ? new Uint32Array(codes.buffer, codes.byteOffset, codes.length >> 1)
    : new Uint32Array();
}

/** float8_e8m0fnu is a bare exponent: 2^(code - 127), and 255 is NaN. */
export function e8m0ToFloat32(codes: Uint8Array): Float32Array {
  return Float32Array.from(codes, (code) => (code === 255 ? NaN : 2 ** (code - 127)));
}
