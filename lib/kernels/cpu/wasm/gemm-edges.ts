/**
 * The last columns of a matrix product, where a tile of 4 × 8 would mostly compute results outside
 * of the matrix. Convolutions of small images have few pixels, which are the columns.
 */
import type { F32Var, FunctionBuilder, I32Var, V128Var } from "./module.js";
import { type I32, v128 } from "./values.js";

/** Rows of a strip. */
export const ROWS = 4;

export function clampAll(accumulators: readonly V128Var[], low: V128Var, high: V128Var): void {
  for (const acc of accumulators) acc.set(acc.atLeast(low).atMost(high));
}

/** The addresses of rows from `row` on; rows past the last are replaced by the last. */
export function rowAddresses(
  f: FunctionBuilder,
  first: I32,
  { cRow, m }: Record<"cRow" | "m", I32>,
  row: I32,
  count = ROWS,
): I32Var[] {
  const addresses = [f.i32(first)];
  for (let i = 1; i < count; i += 1) {
    const step = row.add(i).lt(m).select(cRow, 0);
    addresses.push(f.i32(addresses[i - 1]!.add(step)));
  }
  return addresses;
}

export type GemmVariables = Record<
  | "m" | "n" | "k" | "a" | "aStrip" | "b" | "bPanel" | "bRow" | "c" | "cRow" | "bias" | "biasMode"
  | "residual",
  I32Var
> & Record<"low" | "high", F32Var>; // prettier-ignore

/**
 * How many columns are computed together, and for how many strips: as many as fit into registers.
 */
export const LAST_COLUMNS = [
  [4, 2],
  [2, 4],
  [1, 6],
] as const;

/**
 * Computes up to four columns. The lanes of a vector are four rows, so that few lanes are wasted.
 */
export function lastColumns(
  f: FunctionBuilder,
  p: GemmVariables & { column: I32Var },
  columns: number,
  strips: number,
): void {
  const row = f.i32(0);
  for (const count of [strips, 1]) {
    const end = f.i32(p.m.sub((count - 1) * ROWS));
    f.for(row, end, count * ROWS, () => edgeTile(f, p, row, p.column, columns, count));
  }
}

function edgeTile(
  f: FunctionBuilder,
  p: GemmVariables,
  row: I32Var,
  column: I32Var,
  columns: number,
  strips: number,
): void {
  const a = [f.i32(p.a.add(row.shr(2).mul(p.aStrip)))];
  for (let i = 1; i < strips; i += 1) a.push(f.i32(a[i - 1]!.add(p.aStrip)));
  const b = f.i32(p.b.add(column.shr(3).mul(p.bPanel)).add(column.and(4).shl(2)));
  // Indexed by strip, then by column.
  const acc = f.vectors(strips * columns);
  for (const sum of acc) sum.set(v128(0));
  f.if(p.biasMode, () => {
    const at = f.i32(p.bias.add(p.biasMode.eq(1).select(column, row).shl(2)));
    f.if(
      p.biasMode.eq(1),
      () => acc.forEach((sum, i) => sum.set(at.loadSplat((i % columns) * 4))),
      () => acc.forEach((sum, i) => sum.set(at.loadV128(Math.floor(i / columns) * 16))),
    );
  });
  const end = f.i32(a[0]!.add(p.k.shl(4)));
  f.if(p.k, () =>
    f.doWhile(
      () => {
        const values = Array.from({ length: columns }, (_, j) => f.v128(b.loadSplat(j * 4)));
        a.forEach((strip, i) => {
          const weights = f.v128(strip.loadV128());
          values.forEach((value, j) => {
            const sum = acc[i * columns + j]!;
            sum.set(f.madd(weights, value, sum));
          });
          strip.set(strip.add(16));
        });
        b.set(b.add(p.bRow));
      },
      () => a[0]!.ne(end),
    ),
  );
  const rows: V128Var[] = [];
  for (let i = 0; i < acc.length; i += columns) {
    const [c0, c1 = c0, c2 = c0, c3 = c1] = acc.slice(i, i + columns) as [V128Var, ...V128Var[]];
    for (const high of [0, 2]) {
      const lanes = [high, high + 4, high + 1, high + 5] as const;
      const [front, back] = [f.v128(c0.shuffle(c1, lanes)), f.v128(c2.shuffle(c3, lanes))];
      rows.push(
        f.v128(front.shuffle(back, [0, 1, 4, 5])),
        f.v128(front.shuffle(back, [2, 3, 6, 7])),
      );
    }
  }
  const first = p.c.add(row.mul(p.cRow)).add(column.shl(2));
  const out = rowAddresses(f, first, p, row, rows.length);
  const toResidual = f.i32(p.residual.sub(p.c));
  f.if(p.residual, () =>
    rows.forEach((sum, i) => sum.set(sum.add(out[i]!.add(toResidual).loadV128()))),
  );
  clampAll(rows, f.v128(p.low.splat()), f.v128(p.high.splat()));
  // Backwards, so that a last row that occurs twice ends with its own numbers.
  const store = (put: (to: I32, sum: V128Var) => void): void => {
    for (let i = rows.length - 1; i >= 0; i -= 1) put(out[i]!, rows[i]!);
  };
  const left = p.n.sub(column);
  if (columns === 1) store((to, sum) => f.storeF32(to, sum.lane(0)));
  else store((to, sum) => f.storeUpTo(to, sum, left));
}
