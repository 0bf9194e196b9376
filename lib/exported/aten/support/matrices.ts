/**
 * Linear algebra for small matrices in float64, in JavaScript, because tfjs' backends have none.
 */

/** A list of rows; if there are none, the number of columns. */
export type Matrix = Float64Array[] & { columns?: number };

/** Makes a matrix that knows its number of columns even without rows. */
export const matrixOf = (rows: Float64Array[], columns: number): Matrix =>
  rows.length > 0 ? rows : Object.assign(rows, { columns });

export const zeros = (rows: number, columns: number): Matrix =>
  matrixOf(
    Array.from({ length: rows }, () => new Float64Array(columns)),
    columns,
  );

export function identity(n: number, columns = n): Matrix {
  const result = zeros(n, columns);
  for (let i = 0; i < Math.min(n, columns); i += 1) result[i]![i] = 1;
  return result;
}

export const columnsOf = (a: Matrix): number => a[0]?.length ?? a.columns ?? 0;

export const copyOf = (a: Matrix): Matrix =>
  matrixOf(
    a.map((row) => row.slice()),
    columnsOf(a),
  );

export function turn(a: Matrix): Matrix {
  const result = zeros(columnsOf(a), a.length);
  a.forEach((row, i) => row.forEach((value, j) => (result[j]![i] = value)));
  return result;
}

export function times(a: Matrix, b: Matrix): Matrix {
  const result = zeros(a.length, columnsOf(b));
  a.forEach((row, i) =>
    row.forEach((value, k) => b[k]!.forEach((other, j) => (result[i]![j]! += value * other))),
  );
  return result;
}

/** The first columns of a matrix. */
export const cut = (a: Matrix, columns: number): Matrix =>
  matrixOf(
    a.map((row) => row.slice(0, columns)),
    columns,
  );

export const diagonal = (a: Matrix): Float64Array =>
  Float64Array.from({ length: Math.min(a.length, columnsOf(a)) }, (_, i) => a[i]![i]!);

/** `a = l lᵀ` for the lower triangle of `a`; `null` if it is not positive definite. */
export function cholesky(a: Matrix): Matrix | null {
  const l = zeros(a.length, a.length);
  for (let i = 0; i < a.length; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let rest = a[i]![j]!;
      for (let k = 0; k < j; k += 1) rest -= l[i]![k]! * l[j]![k]!;
      if (i === j && !(rest > 0)) return null;
      l[i]![j] = i === j ? Math.sqrt(rest) : rest / l[j]![j]!;
    }
  }
  return l;
}

/** LU with partial pivoting: `lu` has both factors, `pivots` the rows that were exchanged. */
export function luFactor(a: Matrix, pivot = true): { lu: Matrix; pivots: number[]; sign: number } {
  const lu = copyOf(a);
  const [rows, columns] = [lu.length, columnsOf(lu)];
  const pivots: number[] = [];
  let sign = 1;
  for (let k = 0; k < Math.min(rows, columns); k += 1) {
    let best = k;
    for (let i = k + 1; pivot && i < rows; i += 1) {
      if (Math.abs(lu[i]![k]!) > Math.abs(lu[best]![k]!)) best = i;
    }
    pivots.push(best);
    if (best !== k) {
      [lu[k], lu[best]] = [lu[best]!, lu[k]!];
      sign = -sign;
    }
    const top = lu[k]![k]!;
    for (let i = k + 1; i < rows && top !== 0; i += 1) {
      const row = lu[i]!;
      row[k]! /= top;
      for (let j = k + 1; j < columns; j += 1) row[j]! -= row[k]! * lu[k]![j]!;
    }
  }
  return { lu, pivots, sign };
}

/** Solves `t x = b` for a triangular t. */
export function solveTriangle(t: Matrix, b: Matrix, upper: boolean, unit = false): Matrix {
  const n = t.length;
  const x = copyOf(b);
  for (let step = 0; step < n; step += 1) {
    const i = upper ? n - 1 - step : step;
    for (let k = upper ? i + 1 : 0; k < (upper ? n : i); k += 1) {
      const factor = t[i]![k]!;
      if (factor !== 0) x[k]!.forEach((value, j) => (x[i]![j]! -= factor * value));
    }
    if (!unit) x[i] = x[i]!.map((value) => value / t[i]![i]!);
  }
  return x;
}

/** Exchanges rows as the pivots say, or `back`. */
export function exchange(b: Matrix, pivots: readonly number[], back = false): Matrix {
  const rows = matrixOf([...b], columnsOf(b));
  const order = pivots.map((to, from): [number, number] => [from, to]);
  for (const [from, to] of back ? order.reverse() : order) {
    [rows[from], rows[to]] = [rows[to]!, rows[from]!];
  }
  return rows;
}

export const solveFactored = (lu: Matrix, pivots: readonly number[], b: Matrix): Matrix =>
  solveTriangle(lu, solveTriangle(lu, exchange(b, pivots), false, true), true);

/**
 * Householder's QR with LAPACK's signs and in its form: r, and below it the vectors without their
 * leading 1.
 */
export function householder(a: Matrix): { packed: Matrix; tau: Float64Array } {
  const [rows, columns] = [a.length, columnsOf(a)];
  const packed = copyOf(a);
  const tau = new Float64Array(Math.min(rows, columns));
  for (let k = 0; k < Math.min(rows - 1, columns); k += 1) {
    const below = packed.slice(k + 1).reduce((sum, row) => sum + row[k]! ** 2, 0);
    if (below === 0) continue;
    const alpha = packed[k]![k]!;
    const beta = -Math.sign(alpha || 1) * Math.sqrt(alpha * alpha + below);
    tau[k] = (beta - alpha) / beta;
    const v = Float64Array.from({ length: rows - k }, (_, i) =>
      i === 0 ? 1 : packed[k + i]![k]! / (alpha - beta),
    );
    reflect(packed, v, tau[k]!, k, k);
    v.forEach((one, i) => (packed[k + i]![k] = i === 0 ? beta : one));
  }
  return { packed, tau };
}

/** `H₁ H₂ … b` for the reflections stored below the diagonal of `packed`. */
export function reflected(packed: Matrix, tau: Float64Array, b: Matrix): Matrix {
  const result = copyOf(b);
  for (let k = tau.length - 1; k >= 0; k -= 1) {
    const v = Float64Array.from({ length: packed.length - k }, (_, i) =>
      i === 0 ? 1 : packed[k + i]![k]!,
    );
    reflect(result, v, tau[k]!, k);
  }
  return result;
}

/** `a = q r` with a square q. */
export function qr(a: Matrix): { q: Matrix; r: Matrix } {
  const { packed, tau } = householder(a);
  const q = reflected(packed, tau, identity(a.length));
  packed.forEach((row, i) => row.fill(0, 0, Math.min(i, row.length)));
  return { q, r: packed };
}

/** Applies `a - tau v vᵀ a` to rows from `first` on and columns from `from` on. */
function reflect(a: Matrix, v: Float64Array, tau: number, first: number, from = 0): void {
  for (let j = from; j < columnsOf(a); j += 1) {
    const sum = v.reduce((total, one, i) => total + one * a[first + i]![j]!, 0) * tau;
    v.forEach((one, i) => (a[first + i]![j]! -= sum * one));
  }
}

const SWEEPS = 60;

/** Jacobi's method: eigenvalues in ascending order, eigenvectors as columns. */
export function eigh(given: Matrix): { values: Float64Array; vectors: Matrix } {
  const n = given.length;
  const a = copyOf(given);
  const v = identity(n);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    let off = 0;
    for (let p = 0; p < n; p += 1) for (let q = p + 1; q < n; q += 1) off += a[p]![q]! ** 2;
    if (!(off > 1e-300)) break;
    for (let p = 0; p < n; p += 1) for (let q = p + 1; q < n; q += 1) rotate(a, v, p, q);
  }
  const values = diagonal(a);
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  return {
    values: Float64Array.from(order, (i) => values[i]!),
    vectors: v.map((row) => Float64Array.from(order, (i) => row[i]!)),
  };
}

function rotate(a: Matrix, v: Matrix, p: number, q: number): void {
  const apq = a[p]![q]!;
  if (apq === 0) return;
  const theta = (a[q]![q]! - a[p]![p]!) / (2 * apq);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (const row of [...a, ...v]) [row[p], row[q]] = [c * row[p]! - s * row[q]!, s * row[p]! + c * row[q]!]; // prettier-ignore
  const [x, y] = [a[p]!.slice(), a[q]!.slice()];
  x.forEach((one, j) => {
    a[p]![j] = c * one - s * y[j]!;
    a[q]![j] = s * one + c * y[j]!;
  });
}

/** Hestenes' method for `a = u diag(s) vᵀ`, with s descending, and as many columns in u and v. */
export function svd(a: Matrix): { u: Matrix; s: Float64Array; v: Matrix } {
  if (a.length < columnsOf(a)) {
    const { u, s, v } = svd(turn(a));
    return { u: v, s, v: u };
  }
  const columns = turn(a); // as rows here
  const n = columns.length;
  const v = identity(n);
  const dot = (x: Float64Array, y: Float64Array): number =>
    x.reduce((sum, one, i) => sum + one * y[i]!, 0);
  for (let sweep = 0, isDone = false; sweep < SWEEPS && !isDone; sweep += 1) {
    isDone = true;
    for (let p = 0; p < n; p += 1) {
      for (let q = p + 1; q < n; q += 1) {
        const [x, y] = [columns[p]!, columns[q]!];
        const [alpha, beta, gamma] = [dot(x, x), dot(y, y), dot(x, y)];
        if (Math.abs(gamma) <= 1e-15 * Math.sqrt(alpha * beta) || gamma === 0) continue;
        isDone = false;
        const zeta = (beta - alpha) / (2 * gamma);
        const t = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const c = 1 / Math.sqrt(1 + t * t);
        for (const [one, other] of [
          [x, y],
          [v[p]!, v[q]!],
        ] as const) {
          // prettier-ignore
          one.forEach((value, i) => {
            const second = other[i]!;
            one[i] = c * value - c * t * second;
            other[i] = c * t * value + c * second;
          });
        }
      }
    }
  }
  const sizes = columns.map((column) => Math.sqrt(dot(column, column)));
  const order = sizes.map((_, i) => i).sort((i, j) => sizes[j]! - sizes[i]!);
  const u = matrixOf(
    order.map((i) => columns[i]!.map((value) => (sizes[i]! > 0 ? value / sizes[i]! : 0))),
    a.length,
  );
  return {
    u: turn(complete(u)),
    s: Float64Array.from(order, (i) => sizes[i]!),
    v: turn(order.map((i) => v[i]!)),
  };
}

/** Replaces zero rows by unit vectors that are orthogonal to all others; up to `count` rows. */
export function complete(rows: Matrix, count = rows.length): Matrix {
  const n = columnsOf(rows);
  const result = matrixOf(
    Array.from({ length: count }, (_, i) => rows[i] ?? new Float64Array(n)),
    n,
  );
  const isUnit = result.map((row) => row.some((value) => value !== 0));
  result.forEach((_, i) => {
    for (let axis = 0; axis < n && !isUnit[i]; axis += 1) {
      const trial = new Float64Array(n);
      trial[axis] = 1;
      // Twice, because if little is left, the rounding error of the first pass matters.
      for (let pass = 0; pass < 2; pass += 1) {
        result.forEach((other, k) => {
          if (!isUnit[k]) return;
          const part = other.reduce((sum, value, j) => sum + value * trial[j]!, 0);
          other.forEach((value, j) => (trial[j]! -= part * value));
        });
      }
      const size = Math.sqrt(trial.reduce((sum, value) => sum + value * value, 0));
      if (size < 1e-2 / n) continue;
      result[i] = trial.map((value) => value / size);
      isUnit[i] = true;
    }
  });
  return result;
}

/** `eᵃ`, by a Taylor series of a fraction of it, and repeated squaring. */
export function exponential(a: Matrix): Matrix {
  const size = Math.max(0, ...a.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0)));
  if (!Number.isFinite(size)) return a.map((row) => row.map(() => NaN));
  const halvings = Math.max(0, Math.ceil(Math.log2(size || 1)) + 2);
  const part = a.map((row) => row.map((value) => value / 2 ** halvings));
  let term = identity(a.length);
  let sum = identity(a.length);
  for (let k = 1; k <= 18; k += 1) {
    term = times(term, part).map((row) => row.map((value) => value / k));
    sum = sum.map((row, i) => row.map((value, j) => value + term[i]![j]!));
  }
  for (let k = 0; k < halvings; k += 1) sum = times(sum, sum);
  return sum;
}
