/**
 * Factorisations of complex matrices in float64, with LAPACK's signs. A matrix is a list of
 * columns.
 */
import {
  add,
  type ComplexMatrix,
  conj,
  div,
  get,
  mul,
  type Pair,
  set,
  size,
  sub,
} from "./eigen.js";
import { columnsOf, zeros } from "./matrices.js";

type Column = Pair[];

const ZERO: Pair = [0, 0];

const toColumns = (a: ComplexMatrix): Column[] =>
  Array.from({ length: columnsOf(a.re) }, (_, j) => a.re.map((_row, i) => get(a, i, j)));

function fromColumns(columns: readonly Column[], rows: number): ComplexMatrix {
  const result = { re: zeros(rows, columns.length), im: zeros(rows, columns.length) };
  columns.forEach((column, j) => column.forEach((one, i) => set(result, i, j, one)));
  return result;
}

const unit = (n: number, at: number): Column =>
  Array.from({ length: n }, (_, i): Pair => [Number(i === at), 0]);

const units = (n: number): Column[] => Array.from({ length: n }, (_, j) => unit(n, j));

const scaled = (x: Column, factor: Pair): Column => x.map((one) => mul(one, factor));

/** `x - factor y`. */
const without = (x: Column, y: Column, factor: Pair): Column =>
  x.map((one, i) => sub(one, mul(y[i]!, factor)));

/** `xᴴ y`. */
const dot = (x: Column, y: Column): Pair =>
  x.reduce<Pair>((sum, one, i) => add(sum, mul(conj(one), y[i]!)), ZERO);

const square = (x: Column): number => x.reduce((sum, [a, b]) => sum + a * a + b * b, 0);

export function adjoint(a: ComplexMatrix): ComplexMatrix {
  const n = columnsOf(a.re);
  const rows = a.re.map((_, i) => Array.from({ length: n }, (_one, j) => conj(get(a, i, j))));
  return fromColumns(rows, n);
}

/** Extends orthonormal columns to `count` of them. */
function completed(given: readonly Column[], n: number, count: number): Column[] {
  const columns = [...given];
  while (columns.length < count) {
    const rests = units(n).map((one) => {
      const once = columns.reduce((rest, column) => without(rest, column, dot(column, rest)), one);
      return columns.reduce((rest, column) => without(rest, column, dot(column, rest)), once);
    });
    const best = rests.reduce((a, b) => (square(b) > square(a) ? b : a));
    columns.push(scaled(best, [1 / Math.sqrt(square(best)), 0]));
  }
  return columns;
}

const SWEEPS = 60;

/**
 * Hestenes' method for `a = u diag(s) vᴴ`: rotates pairs of columns, after making their product
 * real.
 */
export function complexSvd(
  a: ComplexMatrix,
  full: boolean,
): { u: ComplexMatrix; s: Float64Array; v: ComplexMatrix } {
  const [m, n] = [a.re.length, columnsOf(a.re)];
  if (m < n) {
    const { u, s, v } = complexSvd(adjoint(a), full);
    return { u: v, s, v: u };
  }
  const [x, v] = [toColumns(a), units(n)];
  for (let sweep = 0, isDone = false; sweep < SWEEPS && !isDone; sweep += 1) {
    isDone = true;
    for (let p = 0; p < n; p += 1) {
      for (let q = p + 1; q < n; q += 1) {
        const [alpha, beta, gamma] = [square(x[p]!), square(x[q]!), dot(x[p]!, x[q]!)];
        const length = size(gamma);
        if (!(length > 1e-15 * Math.sqrt(alpha * beta))) continue;
        isDone = false;
        const zeta = (beta - alpha) / (2 * length);
        const t = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const c = 1 / Math.sqrt(1 + t * t);
        const turn: Pair = [gamma[0] / length, -gamma[1] / length];
        for (const columns of [x, v]) {
          const [one, other] = [columns[p]!, scaled(columns[q]!, turn)];
          columns[p] = without(scaled(one, [c, 0]), other, [c * t, 0]);
          columns[q] = without(scaled(other, [c, 0]), one, [-c * t, 0]);
        }
      }
    }
  }
  const norms = x.map((column) => Math.sqrt(square(column)));
  const order = norms.map((_, i) => i).sort((i, j) => norms[j]! - norms[i]!);
  const known = order.filter((i) => norms[i]! > 0);
  const u = known.map((i) => scaled(x[i]!, [1 / norms[i]!, 0]));
  return {
    u: fromColumns(completed(u, m, full ? m : n), m),
    s: Float64Array.from(order, (i) => norms[i]!),
    v: fromColumns(order.map((i) => v[i]!), n), // prettier-ignore
  };
}

/**
 * Eigenvalues in ascending order, and vectors, by the SVD: after adding its norm to the diagonal,
 * singular values are eigenvalues.
 */
export function complexEigh(a: ComplexMatrix): { values: Float64Array; vectors: ComplexMatrix } {
  const n = a.re.length;
  const shift = Math.sqrt(toColumns(a).reduce((sum, column) => sum + square(column), 0));
  const raised = fromColumns(toColumns(a).map((column, j) => column.map((one, i): Pair => (i === j ? [one[0] + shift, 0] : one))), n); // prettier-ignore
  const { u, s } = complexSvd(raised, false);
  return {
    values: s.map((one) => one - shift).reverse(),
    vectors: fromColumns(toColumns(u).reverse(), n),
  };
}

interface Reflections {
  /** r, and below it the Householder vectors without their leading 1. */
  packed: Column[];
  tau: Pair[];
}

const vectorOf = (packed: Column, k: number): Column =>
  packed.map((one, i): Pair => (i < k ? ZERO : i === k ? [1, 0] : one));

function householder(a: ComplexMatrix): Reflections {
  const packed = toColumns(a);
  const m = a.re.length;
  const tau = Array.from({ length: Math.min(m, packed.length) }, (_, k): Pair => {
    const column = packed[k]!;
    const [re, im] = column[k]!;
    const below = square(column.slice(k + 1));
    if (below === 0 && im === 0) return ZERO;
    const beta = -Math.sign(re || 1) * Math.sqrt(re * re + im * im + below);
    const factor: Pair = [(beta - re) / beta, -im / beta];
    packed[k] = column.map((one, i) => (i < k ? one : i === k ? [beta, 0] : div(one, [re - beta, im]))); // prettier-ignore
    const v = vectorOf(packed[k], k);
    for (let j = k + 1; j < packed.length; j += 1) {
      packed[j] = without(packed[j]!, v, mul(conj(factor), dot(v, packed[j]!)));
    }
    return factor;
  });
  return { packed, tau };
}

/** `a = q r` with a square q. */
export function complexQr(a: ComplexMatrix): { q: ComplexMatrix; r: ComplexMatrix } {
  const m = a.re.length;
  const { packed, tau } = householder(a);
  let q = units(m);
  for (let k = tau.length - 1; k >= 0; k -= 1) {
    const v = vectorOf(packed[k]!, k);
    q = q.map((column) => without(column, v, mul(tau[k]!, dot(v, column))));
  }
  const r = packed.map((column, j) => column.map((one, i) => (i > j ? ZERO : one)));
  return { q: fromColumns(q, m), r: fromColumns(r, m) };
}

/** Exchanges rows for the largest pivots, like `luFactor` for real matrices. */
export function complexLu(a: ComplexMatrix): {
  lu: ComplexMatrix;
  pivots: number[];
  sign: number;
} {
  const [m, n] = [a.re.length, columnsOf(a.re)];
  const rows = Array.from({ length: m }, (_, i) => Array.from({ length: n }, (_one, j) => get(a, i, j))); // prettier-ignore
  const pivots: number[] = [];
  let sign = 1;
  const largeness = ([re, im]: Pair): number => Math.abs(re) + Math.abs(im);
  for (let k = 0; k < Math.min(m, n); k += 1) {
    let best = k;
    for (let i = k + 1; i < m; i += 1) {
      if (largeness(rows[i]![k]!) > largeness(rows[best]![k]!)) best = i;
    }
    pivots.push(best);
    if (best !== k) {
      [rows[k], rows[best]] = [rows[best]!, rows[k]!];
      sign = -sign;
    }
    const top = rows[k]!;
    for (let i = k + 1; i < m && largeness(top[k]!) > 0; i += 1) {
      const factor = div(rows[i]![k]!, top[k]!);
      rows[i] = rows[i]!.map((one, j) => (j < k ? one : j === k ? factor : sub(one, mul(factor, top[j]!)))); // prettier-ignore
    }
  }
  const columns = Array.from({ length: n }, (_, j) => rows.map((row) => row[j]!));
  return { lu: fromColumns(columns, m), pivots, sign };
}

/** Solves `a x = b` for a triangle; the other half of `a` is not read. */
export function complexTriangle(
  a: ComplexMatrix,
  b: ComplexMatrix,
  upper: boolean,
  unit: boolean,
): ComplexMatrix {
  const columns = toColumns(a);
  const order = upper ? [...columns.keys()].reverse() : [...columns.keys()];
  const solve = (column: Column): Column =>
    order.reduce((rest, k) => {
      const one = unit ? rest[k]! : div(rest[k]!, columns[k]![k]!);
      return rest.map((x, i) => {
        if (i === k) return one;
        return (upper ? i < k : i > k) ? sub(x, mul(columns[k]![i]!, one)) : x;
      });
    }, column);
  return fromColumns(toColumns(b).map(solve), columns.length);
}

/**
 * The sign of a determinant, as a matrix of one number, and the logarithm of its absolute value.
 */
export function complexDeterminant(a: ComplexMatrix): { sign: ComplexMatrix; log: number } {
  const { lu, sign } = complexLu(a);
  let direction: Pair = [sign, 0];
  let log = 0;
  for (let i = 0; i < a.re.length; i += 1) {
    const one = get(lu, i, i);
    const length = size(one);
    log += Math.log(length);
    direction = length === 0 ? ZERO : mul(direction, [one[0] / length, one[1] / length]);
  }
  return { sign: fromColumns([[direction]], 1), log };
}
