/**
 * The float32 logarithm, sine and cosine that PyTorch's AVX2 kernels use (`avx_mathfun.h`, from
 * the Cephes library), so that normal samples have the bits they have there.
 */
const f = Math.fround;

/**
 * `a * b + c` rounded once, as a fused multiply-add does. In float64 the product is exact and the
 * sum nearly so; in 80 million samples its rounding never made a difference.
 */
const fma = (a: number, b: number, c: number): number => f(a * b + c);

const LOG_0 = f(7.0376836292e-2);
const LOG_1 = f(-1.151461031e-1);
const LOG_2 = f(1.167699874e-1);
const LOG_3 = f(-1.2420140846e-1);
const LOG_4 = f(1.4249322787e-1);
const LOG_5 = f(-1.6668057665e-1);
const LOG_6 = f(2.0000714765e-1);
const LOG_7 = f(-2.4999993993e-1);
const LOG_8 = f(3.3333331174e-1);
const SQRT_HALF = f(Math.SQRT1_2);
/** log 2 as a sum of two parts, of which the first has few bits. */
const LOG2_HIGH = 0.693359375;
const LOG2_LOW = f(-2.1219444e-4);

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** log(x) of a normal float32 x > 0. */
export function log(x: number): number {
  float[0] = x;
  let exponent = (bits[0]! >> 23) - 126;
  bits[0] = (bits[0]! & 0x007fffff) | 0x3f000000;
  const mantissa = float[0]; // in [0.5, 1)
  let m = mantissa - 1;
  if (mantissa < SQRT_HALF) {
    exponent--;
    m += mantissa;
  }
  const z = f(m * m);
  let y = fma(LOG_0, m, LOG_1);
  y = fma(y, m, LOG_2);
  y = fma(y, m, LOG_3);
  y = fma(y, m, LOG_4);
  y = fma(y, m, LOG_5);
  y = fma(y, m, LOG_6);
  y = fma(y, m, LOG_7);
  y = fma(y, m, LOG_8);
  y = fma(f(y * m), z, f(exponent * LOG2_LOW));
  y = fma(z, -0.5, y);
  return fma(exponent, LOG2_HIGH, f(m + y));
}

const FOUR_OVER_PI = f(4 / Math.PI);
/** pi / 4 as a sum of three parts, of which the first two have few bits. */
const PI_4_HIGH = 0.78515625;
const PI_4_MIDDLE = 2.4187564849853515625e-4;
const PI_4_LOW = f(3.774894977445941e-8);
const SIN_0 = f(-1.9515295891e-4);
const SIN_1 = f(8.3321608736e-3);
const SIN_2 = f(-1.6666654611e-1);
const COS_0 = f(2.443315711809948e-5);
const COS_1 = f(-1.388731625493765e-3);
const COS_2 = f(4.166664568298827e-2);

/** Writes cos(x) and sin(x) into `out`, for a float32 x in [0, 8192). */
export function cosSin(x: number, out: Float32Array): void {
  const octant = (f(x * FOUR_OVER_PI) + 1) & ~1;
  let r = fma(octant, -PI_4_HIGH, x);
  r = fma(octant, -PI_4_MIDDLE, r);
  r = fma(octant, -PI_4_LOW, r); // in [-pi/4, pi/4]

  const z = f(r * r);
  let cos = fma(COS_0, z, COS_1);
  cos = fma(cos, z, COS_2);
  cos = f(fma(f(cos * z), z, -0.5 * z) + 1);
  let sin = fma(SIN_0, z, SIN_1);
  sin = fma(sin, z, SIN_2);
  sin = fma(f(sin * z), r, r);

  const swap = (octant & 2) !== 0;
  const c = swap ? sin : cos;
  const s = swap ? cos : sin;
  out[0] = ((octant + 2) & 4) !== 0 ? -c : c;
  out[1] = (octant & 4) !== 0 ? -s : s;
}
