/**
 * The last columns of a matrix product, where a tile of 4 × 8 would mostly compute what nobody asked
 * for: convolutions of small images have few pixels.
 */
import type { F32Var, FunctionBuilder, I32Var, V128Var } from "./module.js";
import { type I32, v128 } from "./values.js";

/** Rows of a strip. */
export const ROWS = 4;

export function clampAll(accumulators: readonly V128Var[], low: V128Var, high: V128Var): void {
  for (const acc of accumulators) acc.set(acc.atLeast(low).atMost(high));
}

/** The addresses of rows from `row` on; those past the last are the last one again. */
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

/** The last 1 to 4 columns, two strips of rows at a time: half a panel takes half the time. */
export function narrowTiles(f: FunctionBuilder, p: GemmVariables, column: I32Var): void {
  const low = f.v128(p.low.splat());
  const high = f.v128(p.high.splat());
  const toResidual = f.i32(p.residual.sub(p.c));
  const left = f.i32(p.n.sub(column));
  const row = f.i32(0);
  const tile = (strips: number): void => {
    const a = [f.i32(p.a.add(row.shr(2).mul(p.aStrip)))];
    if (strips > 1) a.push(f.i32(a[0]!.add(p.aStrip)));
    const b = f.i32(p.b.add(column.shr(3).mul(p.bPanel)));
    const first = p.c.add(row.mul(p.cRow)).add(column.shl(2));
    const out = rowAddresses(f, first, p, row, strips * ROWS);
    const acc = f.vectors(strips * ROWS);
    f.if(
      p.biasMode.eq(2),
      () => {
        const at = f.i32(p.bias.add(row.shl(2)));
        acc.forEach((sum, i) => sum.set(at.loadSplat(i * 4)));
      },
      () => {
        acc[0]!.set(v128(0));
        f.if(p.biasMode, () => acc[0]!.set(p.bias.add(column.shl(2)).loadV128()));
        for (const sum of acc.slice(1)) sum.set(acc[0]!);
      },
    );
    f.if(p.residual, () =>
      acc.forEach((sum, i) => sum.set(sum.add(out[i]!.add(toResidual).loadV128()))),
    );
    const end = f.i32(a[0]!.add(p.k.shl(4)));
    f.if(p.k, () =>
      f.doWhile(
        () => {
          const values = f.v128(b.loadV128());
          acc.forEach((sum, i) => sum.set(f.madd(a[i >> 2]!.loadSplat((i & 3) * 4), values, sum)));
          for (const strip of a) strip.set(strip.add(16));
          b.set(b.add(p.bRow));
        },
        () => a[0]!.ne(end),
      ),
    );
    clampAll(acc, low, high);
    const store = (put: (to: I32, sum: V128Var) => void): void => {
      for (let i = acc.length - 1; i >= 0; i -= 1) put(out[i]!, acc[i]!);
    };
    f.if(
      left.eq(4),
      () => store((to, sum) => f.store(to, sum)),
      () => store((to, sum) => f.storeSome(to, sum, left)),
    );
    row.set(row.add(strips * ROWS));
  };
  const whole = f.i32(p.m.sub(ROWS));
  f.if(row.lt(whole), () => f.doWhile(() => tile(2), () => row.lt(whole))); // prettier-ignore
  f.if(row.lt(p.m), () => tile(1));
}

/** A last column by itself: four rows are the lanes of a vector. */
export function oneColumn(f: FunctionBuilder, p: GemmVariables, column: I32Var): void {
  const low = f.v128(p.low.splat());
  const high = f.v128(p.high.splat());
  const toResidual = f.i32(p.residual.sub(p.c));
  const row = f.i32(0);
  const tile = (strips: number): void => {
    const a = [f.i32(p.a.add(row.shr(2).mul(p.aStrip)))];
    for (let i = 1; i < strips; i += 1) a.push(f.i32(a[i - 1]!.add(p.aStrip)));
    const b = f.i32(p.b.add(column.shr(3).mul(p.bPanel)));
    const first = p.c.add(row.mul(p.cRow)).add(column.shl(2));
    const out = rowAddresses(f, first, p, row, strips * ROWS);
    const acc = f.vectors(strips);
    for (const sum of acc) sum.set(v128(0));
    f.if(p.biasMode, () => {
      const at = f.i32(p.bias.add(p.biasMode.eq(1).select(column, row).shl(2)));
      const isOfColumn = p.biasMode.eq(1);
      acc.forEach((sum, i) =>
        f.if(
          isOfColumn,
          () => sum.set(at.loadSplat()),
          () => sum.set(at.loadV128(i * 16)),
        ),
      );
    });
    f.if(p.residual, () =>
      acc.forEach((sum, i) => {
        const [x, ...others] = out.slice(i * ROWS, i * ROWS + ROWS);
        const lanes = f.v128(x!.add(toResidual).loadLow());
        others.forEach((to, lane) => lanes.set(lanes.loadLane(lane + 1, to.add(toResidual))));
        sum.set(sum.add(lanes));
      }),
    );
    const end = f.i32(a[0]!.add(p.k.shl(4)));
    f.if(p.k, () =>
      f.doWhile(
        () => {
          const value = f.v128(b.loadSplat());
          acc.forEach((sum, i) => sum.set(f.madd(a[i]!.loadV128(), value, sum)));
          for (const strip of a) strip.set(strip.add(16));
          b.set(b.add(p.bRow));
        },
        () => a[0]!.ne(end),
      ),
    );
    clampAll(acc, low, high);
    // Backwards, so that a last row that was doubled ends with its own number.
    for (let i = out.length - 1; i >= 0; i -= 1) {
      f.storeF32(out[i]!, acc[i >> 2]!.lane(i & 3));
    }
    row.set(row.add(strips * ROWS));
  };
  const several = 6;
  const whole = f.i32(p.m.sub((several - 1) * ROWS));
  f.if(row.lt(whole), () => f.doWhile(() => tile(several), () => row.lt(whole))); // prettier-ignore
  f.if(row.lt(p.m), () => f.doWhile(() => tile(1), () => row.lt(p.m))); // prettier-ignore
}
