/**
 * Special functions of numbers in float64, from Numerical Recipes, Cephes, and Abramowitz and
 * Stegun.
 */

const LANCZOS = [
  76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155,
  0.001208650973866179, -0.000005395239384953,
]; // prettier-ignore

function logGamma(x: number): number {
  const t = x + 5.5 - (x + 0.5) * Math.log(x + 5.5);
  const series = LANCZOS.reduce((sum, c, i) => sum + c / (x + 1 + i), 1.000000000190015);
  return Math.log((2.5066282746310002 * series) / x) - t;
}

const polynomial = (x: number, coefficients: readonly number[]): number =>
  coefficients.reduceRight((sum, c) => sum * x + c, 0);

/** `e^(x²) erfc(x)`: a continued fraction for large x, the series of erf for small ones. */
export function erfcx(x: number): number {
  if (x < 0) return 2 * Math.exp(x * x) - erfcx(-x);
  if (x > 2) {
    let fraction = 0;
    for (let k = 60; k > 0; k -= 1) fraction = k / 2 / (x + fraction);
    return 1 / (x + fraction) / Math.sqrt(Math.PI);
  }
  let [term, sum] = [x, x];
  for (let n = 1; n < 60; n += 1) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return Math.exp(x * x) * (1 - (2 / Math.sqrt(Math.PI)) * sum);
}

const erfc = (x: number): number => (x < 0 ? 2 - erfc(-x) : erfcx(x) * Math.exp(-x * x));

/** The logarithm of the normal distribution function. */
export function logNdtr(x: number): number {
  const t = x / Math.SQRT2;
  return x < -1 ? Math.log(erfcx(-t) / 2) - t * t : Math.log1p(-erfc(t) / 2);
}

/** The inverse of the normal distribution function, by Newton's method on its logarithm. */
export function ndtri(p: number): number {
  if (!(p > 0 && p < 1)) return p === 0 ? -Infinity : p === 1 ? Infinity : NaN;
  if (p > 0.5) return -ndtri(1 - p);
  const far = Math.sqrt(-2 * Math.log(p));
  let x = p < 0.1 ? -far + Math.log(Math.max(far, 1)) / far : (p - 0.5) * 2.5;
  for (let k = 0; k < 30; k += 1) {
    const log = logNdtr(x);
    // The derivative of the logarithm: density divided by distribution function.
    const slope = Math.exp(-0.5 * x * x - log) / Math.sqrt(2 * Math.PI);
    x -= (log - Math.log(p)) / slope;
  }
  return x;
}

/** The regularised incomplete gamma function, lower or upper. */
export function igamma(a: number, x: number, upper = false): number {
  if (a < 0 || x < 0 || (a === 0 && x === 0) || Number.isNaN(a + x)) return NaN;
  const known = (lower: number): number => (upper ? 1 - lower : lower);
  if (a === 0) return known(1);
  if (x === 0) return known(0);
  if (a === Infinity) return x === Infinity ? NaN : known(0);
  if (x === Infinity) return known(1);
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let [term, sum] = [1 / a, 1 / a];
    for (let n = 1; n < 2000 && Math.abs(term) > Math.abs(sum) * 1e-16; n += 1) {
      term *= x / (a + n);
      sum += term;
    }
    return known(sum * scale);
  }
  // Lentz's continued fraction.
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let n = 1; n < 2000; n += 1) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / (an * d + b || 1e-300);
    c = b + an / c || 1e-300;
    h *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return upper ? scale * h : 1 - scale * h;
}

/** Bernoulli numbers B₂, B₄, … over (2k)!. */
const BERNOULLI = [
  1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000,
  1 / 74724249600, -3617 / 10670622842880000,
]; // prettier-ignore

/** Hurwitz' zeta function, `Σ (q + k)^-x`, by the Euler-Maclaurin formula. */
export function zeta(x: number, q: number): number {
  if (x === 1) return Infinity;
  if (!(x > 1)) return NaN;
  if (q <= 0 && Math.floor(q) === q) return Infinity;
  if (q <= 0 && Math.floor(x) !== x) return NaN;
  let sum = 0;
  let a = q;
  for (; a < 10; a += 1) sum += a ** -x;
  sum += a ** (1 - x) / (x - 1) + a ** -x / 2;
  let factor = x * a ** (-x - 1);
  BERNOULLI.forEach((c, k) => {
    sum += c * factor;
    factor *= ((x + 2 * k + 1) * (x + 2 * k + 2)) / (a * a);
  });
  return sum;
}

export function digamma(x: number): number {
  if (x <= 0 && Math.floor(x) === x) return x === 0 ? (1 / x > 0 ? -Infinity : Infinity) : NaN;
  if (x < 0.5) return digamma(1 - x) - Math.PI / Math.tan(Math.PI * x);
  let [sum, y] = [0, x];
  for (; y < 10; y += 1) sum -= 1 / y;
  const square = 1 / (y * y);
  const series = square * polynomial(square, [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132]);
  return sum + Math.log(y) - 1 / (2 * y) - series;
}

/**
 * `∫ cos(n t - x sin t) dt / π`, by the trapezoidal rule, which is exact for periodic functions.
 */
export function besselJ(order: 0 | 1, x: number): number {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? NaN : 0;
  const steps = 32 + 2 * Math.ceil(Math.abs(x));
  let sum = 0;
  for (let k = 0; k < steps; k += 1) {
    const t = (Math.PI * (k + 0.5)) / steps;
    sum += Math.cos(order * t - x * Math.sin(t));
  }
  return sum / steps;
}

/** Neumann's series of J for x < 25, Hankel's expansion beyond. */
export function besselY(order: 0 | 1, x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return 0;
  if (x > 25) {
    const { p, q } = hankel(order, x);
    const angle = x - (order + 0.5) * (Math.PI / 2);
    return Math.sqrt(2 / (Math.PI * x)) * (p * Math.sin(angle) + q * Math.cos(angle));
  }
  const j = besselRow(x, 80);
  const log = Math.log(x / 2) + EULER;
  let sum = 0;
  if (order === 0) {
    for (let k = 1; k < 40; k += 1) sum += ((k % 2 ? -1 : 1) * j[2 * k]!) / k;
    return (2 / Math.PI) * log * j[0]! - (4 / Math.PI) * sum;
  }
  // The derivative of the series, by 2 Jₙ' = Jₙ₋₁ - Jₙ₊₁.
  for (let k = 1; k < 39; k += 1) sum += ((k % 2 ? -1 : 1) * (j[2 * k - 1]! - j[2 * k + 1]!)) / (2 * k); // prettier-ignore
  return (2 / Math.PI) * (log * j[1]! - j[0]! / x) + (4 / Math.PI) * sum;
}

const EULER = 0.5772156649015329;

/** J₀, J₁, …, by Miller's downward recurrence. */
function besselRow(x: number, count: number): number[] {
  const first = count + 40 + 2 * Math.ceil(x);
  const j = new Array<number>(first + 2).fill(0);
  j[first] = 1e-300;
  for (let n = first; n > 0; n -= 1) {
    j[n - 1] = ((2 * n) / x) * j[n]! - j[n + 1]!;
    if (Math.abs(j[n - 1]!) > 1e200) for (let k = n - 1; k <= first; k += 1) j[k]! *= 1e-250;
  }
  const total = j.reduce((sum, value, n) => sum + (n === 0 ? value : n % 2 ? 0 : 2 * value), 0);
  return j.map((value) => value / total);
}

function hankel(order: number, x: number): { p: number; q: number } {
  let [p, q, term] = [1, 0, 1];
  for (let k = 1; k < 12; k += 1) {
    term *= (4 * order * order - (2 * k - 1) ** 2) / (k * 8 * x);
    if (k % 2) q += (k % 4 === 1 ? 1 : -1) * term;
    else p += (k % 4 === 0 ? 1 : -1) * term;
  }
  return { p, q };
}

/** From here on, three terms of the asymptotic series suffice: the fourth is below 1e-9. */
const LARGE = 1000;

/** The asymptotic series of K; at `-x`, of I. */
function asymptotic(order: 0 | 1, x: number): number {
  const [mu, z] = [4 * order * order, 8 * x];
  return 1 + (mu - 1) / z + ((mu - 1) * (mu - 9)) / (2 * z * z);
}

/** Scaled by `e^-|x|`: `∫ e^(x cos t - |x|) cos(n t) dt / π`. */
export function scaledBesselI(order: 0 | 1, x: number): number {
  const size = Math.abs(x);
  if (size > LARGE) {
    const value = asymptotic(order, -size) / Math.sqrt(2 * Math.PI * size);
    return x < 0 && order === 1 ? -value : value;
  }
  const steps = 32 + Math.ceil(4 * Math.sqrt(size));
  let sum = 0;
  for (let k = 0; k < steps; k += 1) {
    const t = (Math.PI * (k + 0.5)) / steps;
    sum += Math.exp(x * Math.cos(t) - Math.abs(x)) * Math.cos(order * t);
  }
  return sum / steps;
}

/** Scaled by `eˣ`: `∫ e^(x - x cosh t) cosh(n t) dt` from 0 on. */
export function scaledBesselK(order: 0 | 1, x: number): number {
  if (!(x > 0)) return x === 0 ? Infinity : NaN;
  if (x > LARGE) return asymptotic(order, x) * Math.sqrt(Math.PI / (2 * x));
  // Up to where the integrand vanishes.
  const end = Math.acosh(1 + 45 / x) + 1;
  const steps = 400;
  let sum = 0;
  for (let k = 0; k <= steps; k += 1) {
    const t = (end * k) / steps;
    const term = Math.exp(x - x * Math.cosh(t)) * Math.cosh(order * t);
    sum += k === 0 || k === steps ? term / 2 : term;
  }
  return (sum * end) / steps;
}

export function sphericalJ0(x: number): number {
  if (Math.abs(x) < 0.5) return polynomial(x * x, [1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880]);
  return Number.isFinite(x) ? Math.sin(x) / x : Number.isNaN(x) ? NaN : 0;
}

/** `pₙ₊₁ = next(pₙ, pₙ₋₁, n)` from the first two: orthogonal polynomials. */
export function recurrence(
  n: number,
  first: number,
  second: number,
  next: (p: number, before: number, n: number) => number,
): number {
  const count = Math.trunc(n);
  if (count < 0 || !Number.isFinite(count)) return 0;
  let [before, p] = [first, second];
  if (count === 0) return first;
  for (let k = 1; k < count; k += 1) [before, p] = [p, next(p, before, k)];
  return p;
}
