/** The number of terms of an asymptotic series, after which they would grow again. */
const TERMS = 12;

/** `Ai(x)`: the power series for small x, and the asymptotic series of DLMF 9.7 beyond 5. */
export function airyAi(x: number): number {
  if (!Number.isFinite(x)) return NaN;
  if (Math.abs(x) < 5) return nearZero(x);
  const size = Math.abs(x);
  const zeta = (2 / 3) * size ** 1.5;
  const terms = [1];
  for (let k = 1; k < TERMS; k += 1) {
    const factor = ((6 * k - 5) * (6 * k - 3) * (6 * k - 1)) / (216 * k * (2 * k - 1));
    terms.push((terms[k - 1]! * factor) / zeta);
  }
  const scale = 1 / (Math.sqrt(Math.PI) * size ** 0.25);
  if (x > 0) {
    const sum = terms.reduce((total, term, k) => total + (k % 2 ? -term : term), 0);
    return 0.5 * scale * Math.exp(-zeta) * sum;
  }
  const part = (odd: number): number =>
    terms.reduce((sum, term, k) => (k % 2 === odd ? sum + (k % 4 < 2 ? term : -term) : sum), 0);
  const angle = zeta - Math.PI / 4;
  return scale * (Math.cos(angle) * part(0) + Math.sin(angle) * part(1));
}

/** `Ai(0)` and `-Ai'(0)`, times the two series that solve `y'' = x y`. */
function nearZero(x: number): number {
  const cube = x ** 3;
  let [even, odd] = [1, x];
  let sum = 0;
  for (let k = 1; k < 60; k += 1) {
    sum += 0.3550280538878172 * even - 0.2588194037928068 * odd;
    even *= cube / ((3 * k - 1) * 3 * k);
    odd *= cube / (3 * k * (3 * k + 1));
  }
  return sum;
}
