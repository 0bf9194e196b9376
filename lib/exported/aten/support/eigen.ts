/**
 * Eigenvalues and eigenvectors of general square matrices in float64, by Givens rotations and
 * shifted QR.
 */
import { type Matrix, identity, zeros } from "./matrices.js";

/** The real and the imaginary parts. */
export interface ComplexMatrix {
  re: Matrix;
  im: Matrix;
}

export type Pair = readonly [re: number, im: number];

export const get = ({ re, im }: ComplexMatrix, i: number, j: number): Pair => [
  re[i]![j]!,
  im[i]![j]!,
];

export function set({ re, im }: ComplexMatrix, i: number, j: number, [a, b]: Pair): void {
  re[i]![j] = a;
  im[i]![j] = b;
}

export const add = ([a, b]: Pair, [c, d]: Pair): Pair => [a + c, b + d];
export const sub = ([a, b]: Pair, [c, d]: Pair): Pair => [a - c, b - d];
export const mul = ([a, b]: Pair, [c, d]: Pair): Pair => [a * c - b * d, a * d + b * c];
export const size = ([a, b]: Pair): number => Math.hypot(a, b);
export const conj = ([a, b]: Pair): Pair => [a, -b];

export function div(x: Pair, y: Pair): Pair {
  const square = y[0] * y[0] + y[1] * y[1];
  const [a, b] = mul(x, conj(y));
  return [a / square, b / square];
}

function root([a, b]: Pair): Pair {
  const r = Math.hypot(a, b);
  const re = Math.sqrt((r + Math.abs(a)) / 2);
  if (re === 0) return [0, 0];
  const im = Math.abs(b) / (2 * re);
  return a >= 0 ? [re, b < 0 ? -im : im] : [im, b < 0 ? -re : re];
}

/** `[c s; -s̄ c]`, which maps `(x, y)` to a vector whose second component is 0. */
interface Rotation {
  c: number;
  s: Pair;
}

function rotationOf(x: Pair, y: Pair): Rotation {
  const [p, q] = [size(x), size(y)];
  if (q === 0) return { c: 1, s: [0, 0] };
  if (p === 0) return { c: 0, s: [y[0] / q, -y[1] / q] };
  const r = Math.hypot(p, q);
  const [a, b] = mul(x, conj(y));
  return { c: p / r, s: [a / (p * r), b / (p * r)] };
}

function rotateRows(a: ComplexMatrix, i: number, { c, s }: Rotation, from: number): void {
  for (let k = from; k < a.re.length; k += 1) {
    const [x, y] = [get(a, i, k), get(a, i + 1, k)];
    set(a, i, k, add([c * x[0], c * x[1]], mul(s, y)));
    set(a, i + 1, k, sub([c * y[0], c * y[1]], mul(conj(s), x)));
  }
}

function rotateColumns(a: ComplexMatrix, j: number, { c, s }: Rotation, until: number): void {
  for (let k = 0; k < until; k += 1) {
    const [x, y] = [get(a, k, j), get(a, k, j + 1)];
    set(a, k, j, add([c * x[0], c * x[1]], mul(conj(s), y)));
    set(a, k, j + 1, sub([c * y[0], c * y[1]], mul(s, x)));
  }
}

/** The eigenvalue of the last 2 × 2 block that is nearer to the last diagonal element. */
function shiftOf(t: ComplexMatrix, last: number): Pair {
  const [a, b] = [get(t, last - 1, last - 1), get(t, last - 1, last)];
  const [c, d] = [get(t, last, last - 1), get(t, last, last)];
  const half = sub(a, d).map((one) => one / 2) as unknown as Pair;
  const r = root(add(mul(half, half), mul(b, c)));
  const [low, high] = [sub(half, r), add(half, r)];
  return add(d, size(low) < size(high) ? low : high);
}

const EPSILON = 2 ** -52;
const STEPS = 60;

/** The Schur form `a = q t qᴴ` with an upper triangular t, computed in place. */
function schur(a: ComplexMatrix): { t: ComplexMatrix; q: ComplexMatrix } {
  const n = a.re.length;
  const q = { re: identity(n), im: zeros(n, n) };
  const turn = (k: number, rotation: Rotation, rows: number): void => {
    rotateColumns(a, k, rotation, rows);
    rotateColumns(q, k, rotation, n);
  };
  for (let k = 0; k < n - 2; k += 1) {
    for (let i = n - 2; i > k; i -= 1) {
      const rotation = rotationOf(get(a, i, k), get(a, i + 1, k));
      rotateRows(a, i, rotation, k);
      turn(i, rotation, n);
    }
  }
  let last = n - 1;
  for (let step = 0; last > 0 && step < STEPS * n; step += 1) {
    let first = last;
    while (first > 0) {
      const beside = size(get(a, first, first)) + size(get(a, first - 1, first - 1));
      if (size(get(a, first, first - 1)) <= EPSILON * beside) {
        set(a, first, first - 1, [0, 0]);
        break;
      }
      first -= 1;
    }
    if (first === last) {
      last -= 1;
      continue;
    }
    // An occasional exceptional shift, in case the iteration is periodic.
    const shift: Pair = step % 11 === 10 ? [size(get(a, last, last - 1)), 0] : shiftOf(a, last);
    for (let i = first; i <= last; i += 1) set(a, i, i, sub(get(a, i, i), shift));
    const rotations: Rotation[] = [];
    for (let k = first; k < last; k += 1) {
      const rotation = rotationOf(get(a, k, k), get(a, k + 1, k));
      rotateRows(a, k, rotation, k);
      rotations.push(rotation);
    }
    rotations.forEach((rotation, i) => turn(first + i, rotation, Math.min(first + i + 2, n)));
    for (let i = first; i <= last; i += 1) set(a, i, i, add(get(a, i, i), shift));
  }
  return { t: a, q };
}

/** The eigenvector for the j-th diagonal element, with length 1 and its largest component real. */
function vectorOf(t: ComplexMatrix, q: ComplexMatrix, j: number): Pair[] {
  const n = t.re.length;
  const x: Pair[] = Array.from({ length: n }, (_, i) => [Number(i === j), 0]);
  const least = EPSILON * (Math.max(...t.re.map((_, i) => size(get(t, i, i)))) || 1);
  for (let i = j - 1; i >= 0; i -= 1) {
    let sum: Pair = [0, 0];
    for (let k = i + 1; k <= j; k += 1) sum = add(sum, mul(get(t, i, k), x[k]!));
    const apart = sub(get(t, j, j), get(t, i, i));
    x[i] = div(sum, size(apart) < least ? [least, 0] : apart);
  }
  const v = q.re.map((_, i) => x.reduce<Pair>((sum, one, k) => add(sum, mul(get(q, i, k), one)), [0, 0])); // prettier-ignore
  const length = Math.hypot(...v.map(size));
  const largest = v.reduce((best, one) => (size(one) > size(best) * (1 + 1e-9) ? one : best));
  const turned = conj(largest).map((part) => part / (size(largest) * length)) as unknown as Pair;
  return v.map((one) => mul(one, turned));
}

/** Eigenvalues in the order in which they are found, and eigenvectors as columns. */
export function eigen(a: ComplexMatrix): {
  values: { re: Float64Array; im: Float64Array };
  vectors: ComplexMatrix;
} {
  const n = a.re.length;
  const copy = (rows: Matrix): Matrix => rows.map((row) => row.slice());
  const isReal = a.im.every((row) => row.every((one) => one === 0));
  const { t, q } = schur({ re: copy(a.re), im: copy(a.im) });
  const order = Array.from({ length: n }, (_, j) => j);
  const values = { re: new Float64Array(n), im: new Float64Array(n) };
  const vectors = { re: zeros(n, n), im: zeros(n, n) };
  const norm = Math.max(0, ...a.re.flatMap((row) => [...row].map(Math.abs)));
  const isRounding = (im: number): boolean => Math.abs(im) < 32 * n * EPSILON * norm;
  for (let j = 0; isReal && j < n - 1; j += 1) {
    // For conjugate pairs of real matrices, LAPACK gives the one above the real axis first.
    const [[re, im], [next, other]] = [get(t, j, j), get(t, j + 1, j + 1)];
    const isPair = isRounding(im + other) && isRounding(re - next) && !isRounding(im);
    if (!isPair) continue;
    if (im < 0) [order[j], order[j + 1]] = [j + 1, j];
    j += 1;
  }
  order.forEach((from, j) => {
    const [re, im] = get(t, from, from);
    values.re[j] = re;
    values.im[j] = isReal && isRounding(im) ? 0 : im;
    vectorOf(t, q, from).forEach((one, i) => set(vectors, i, j, one));
  });
  return { values, vectors };
}
