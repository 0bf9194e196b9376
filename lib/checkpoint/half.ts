/** Converts float32 to halves, rounded to nearest, ties to even, as PyTorch's `.half()` does. */

const bitsOf = (values: Float32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);

/** The bits of float16; values that are too large become infinite, small ones lose bits. */
export function toFloat16Bits(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  const out = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i += 1) {
    const sign = (bits[i]! >>> 16) & 0x8000;
    const magnitude = bits[i]! & 0x7fffffff;
    out[i] = sign | float16Magnitude(magnitude);
  }
  return out;
}

function float16Magnitude(bits: number): number {
  if (bits > 0x7f800000) return 0x7e00; // NaN
  if (bits >= 0x47800000) return 0x7c00; // 65536 and more
  if (bits >= 0x38800000) {
    // Normal numbers: the exponent is lowered by 112; from 65520 on, rounding carries over to
    // infinity.
    const moved = bits - 0x38000000;
    return (moved + 0xfff + ((moved >>> 13) & 1)) >>> 13;
  }
  if (bits < 0x33000000) return 0; // less than half of the smallest
  // Subnormal numbers are multiples of 2^-24.
  const shift = 126 - (bits >>> 23);
  const fraction = (bits & 0x7fffff) | 0x800000;
  const down = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && down & 1) ? down + 1 : down;
}

/** The bits of bfloat16: the upper halves of float32, rounded. */
export function toBfloat16Bits(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  const out = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i += 1) {
    const x = bits[i]!;
    const isNaN = (x & 0x7fffffff) > 0x7f800000;
    out[i] = isNaN ? 0x7fc0 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
  }
  return out;
}
