/** Fixed-point numbers: integers that count units of 2^-128. */
const BITS = 128n;
const ONE = 1n << BITS;

/** Twice the inverse hyperbolic tangent of a / b: log((b + a) / (b - a)). */
function logRatio(a: bigint, b: bigint): bigint {
  const s = (a << BITS) / b;
  const square = (s * s) >> BITS;
  let sum = 0n;
  let power = s;
  for (let n = 1n; power !== 0n && power !== -1n; n += 2n) {
    sum += power / n;
    power = (power * square) >> BITS;
  }
  return 2n * sum;
}

const LOG_2 = logRatio(1n, 3n);

/**
 * log(x) for x in (0, 1), rounded to the nearest float64. That is nearly always the result of the C
 * library, which numpy uses; `Math.log` is sometimes off by one bit, and differs between engines.
 */
export function log(x: number): number {
  let mantissa = x;
  let exponent = 0n;
  while (mantissa < Math.SQRT1_2) {
    mantissa *= 2;
    exponent--;
  }
  const m = BigInt(mantissa * 2 ** 53) << (BITS - 53n);
  return Number(logRatio(m - ONE, m + ONE) + exponent * LOG_2) / Number(ONE);
}
