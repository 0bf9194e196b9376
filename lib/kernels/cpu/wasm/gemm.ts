/**
 * Matrix product `C = clamp(A·B + bias + residual)`, in tiles that are held in registers.
 *
 * A is stored in strips of 4 rows, `[k][4]`, and B in panels of 8 columns, `[k][8]`, so that both
 * are read sequentially. The loop over k is not unrolled: V8 would spill registers, at half the
 * speed.
 *
 * Tiles are 4 × 8. A multiply-add instruction has a latency of 8 others, so the build that uses it
 * has tiles of 6 × 8 too, two of them for three strips.
 */
import {
  clampAll,
  type GemmVariables,
  LAST_COLUMNS,
  lastColumns,
  rowAddresses,
  ROWS,
} from "./gemm-edges.js";
import type { FunctionBuilder, I32Var, ModuleBuilder, V128Var } from "./module.js";
import { type I32, v128 } from "./values.js";

/**
 * How many products are summed by themselves before they are added to the total, to limit rounding
 * errors.
 */
const CHUNK = 128;

/** Stores up to 8 floats of two vectors; `left` tells how many belong to the row. */
export function storePanel(f: FunctionBuilder, to: I32, pair: V128Var[], left: I32): void {
  f.storeUpTo(to, pair[0]!, left);
  f.if(left.gt(4), () => f.storeUpTo(to.add(16), pair[1]!, left.sub(4)));
}

/**
 * `biasMode` 1: one number per column, 2: one number per row. `order` 1: the loop over rows is the
 * outer one, and strips are not in the cache; 2: it is the inner one, and panels are not in the
 * cache.
 */
const PARAMETERS = {
  m: "i32", n: "i32", k: "i32", a: "i32", aStrip: "i32", b: "i32", bPanel: "i32", bRow: "i32",
  c: "i32", cRow: "i32", bias: "i32", biasMode: "i32", residual: "i32", order: "i32",
  low: "f32", high: "f32",
} as const; // prettier-ignore

export function emitGemm(module: ModuleBuilder): void {
  for (const [columns, strips] of LAST_COLUMNS)
    module.function(`columns${columns}`, { ...PARAMETERS, column: "i32" }, (f, p) =>
      lastColumns(f, p, columns, strips),
    );
  module.function("gemm", PARAMETERS, (f, p) => {
    const [outer, inner, row, column] = [f.i32(0), f.i32(0), f.i32(), f.i32()];
    const rowsFirst = f.i32(p.order.eq(1));
    const outerEnd = f.i32(rowsFirst.select(p.m, p.n));
    const innerEnd = f.i32(rowsFirst.select(p.n, p.m));
    const height = f.i32(ROWS);
    const tiles = (): void => {
      if (!module.fma) {
        tile(f, p, row, column, ROWS);
        return;
      }
      f.if(
        height.eq(ROWS),
        () => tile(f, p, row, column, ROWS),
        () => {
          tile(f, p, row, column, 6);
          tile(f, p, f.i32(row.add(6)), column, 6, 2);
        },
      );
    };
    // Prefetches by touching the next data that is not in the cache, line by line; a tile would
    // wait for one line at a time. With multiply-add this helps only for few rows.
    const touches = f.i32(module.fma ? p.order.eq(2).and(p.m.lt(64)) : p.order);
    // One loop for both dimensions, because V8 unrolls loops that are nested deeper.
    f.if(outerEnd.gt(0).and(innerEnd.gt(0)), () =>
      f.doWhile(
        () => {
          row.set(rowsFirst.select(outer, inner));
          column.set(rowsFirst.select(inner, outer));
          if (module.fma) height.set(p.m.sub(row).ge(12).select(12, ROWS));
          const next = f.i32(outer.add(rowsFirst.select(height, 8)));
          f.if(touches.ne(0).and(inner.eq(0)).and(next.lt(outerEnd)), () => {
            const strip = p.a.add(next.shr(2).mul(p.aStrip));
            const panel = p.b.add(next.shr(3).mul(p.bPanel));
            const at = f.i32(rowsFirst.select(strip, panel));
            const end = f.i32(at.add(rowsFirst.select(p.k.shl(4), p.k.shl(5))));
            f.for(at, end, 64, () => f.i32(at.load()));
          });
          tiles();
          inner.set(inner.add(rowsFirst.select(8, height)));
          f.if(inner.ge(innerEnd), () => {
            inner.set(0);
            outer.set(next);
          });
        },
        () => outer.lt(outerEnd),
      ),
    );
  });
}

/**
 * @param lane - The lane of the first row in its strip.
 */
function tile(
  f: FunctionBuilder,
  p: GemmVariables,
  row: I32Var,
  column: I32Var,
  rows: number,
  lane = 0,
): void {
  const [acc, sums] = [f.vectors(2 * rows), f.vectors(2 * rows)];
  const strips = [f.i32(p.a.add(row.shr(2).mul(p.aStrip)))];
  if (lane + rows > ROWS) strips.push(f.i32(strips[0]!.add(p.aStrip)));
  const a = strips[0]!;
  const b = f.i32(p.b.add(column.shr(3).mul(p.bPanel)));
  const end = f.i32(a.add(p.k.shl(4)));
  const stop = f.i32();
  const zero = (): void => acc.forEach((sum) => sum.set(v128(0)));
  const chunk = (): void => {
    stop.set(a.add(CHUNK * 16).min(end));
    zero();
    f.doWhile(
      () => {
        const [b0, b1] = [f.v128(b.loadV128()), f.v128(b.loadV128(16))];
        for (let i = 0; i < rows; i += 1) {
          const at = lane + i;
          const value = f.v128(strips[at >> 2]!.loadSplat((at & 3) * 4));
          acc[2 * i]!.set(f.madd(value, b0, acc[2 * i]!));
          acc[2 * i + 1]!.set(f.madd(value, b1, acc[2 * i + 1]!));
        }
        for (const strip of strips) strip.set(strip.add(16));
        b.set(b.add(p.bRow));
      },
      () => a.ne(stop),
    );
  };
  // Short products, where the bias is added last, need no second sum, for which there are no
  // registers.
  f.if(p.k, chunk, zero);
  f.if(a.ne(end), () =>
    f.doWhile(
      () => {
        sums.forEach((sum, i) => sum.set(acc[i]!));
        chunk();
        acc.forEach((sum, i) => sum.set(sum.add(sums[i]!)));
      },
      () => a.ne(end),
    ),
  );
  addBias(f, p, acc, row, column);
  const first = p.c.add(row.mul(p.cRow)).add(column.shl(2));
  const out = rowAddresses(f, first, p, row, rows);
  f.if(p.residual, () => {
    const toResidual = f.i32(p.residual.sub(p.c));
    acc.forEach((sum, i) => {
      sum.set(sum.add(out[i >> 1]!.add(toResidual).loadV128((i & 1) * 16)));
    });
  });
  clampAll(acc, f.v128(p.low.splat()), f.v128(p.high.splat()));
  const left = f.i32(p.n.sub(column));
  // Backwards, so that a last row that occurs twice ends with its own numbers.
  f.if(
    left.ge(8),
    () => {
      for (let i = rows - 1; i >= 0; i -= 1) {
        f.store(out[i]!, acc[2 * i]!);
        f.store(out[i]!, acc[2 * i + 1]!, 16);
      }
    },
    () => {
      for (let i = rows - 1; i >= 0; i -= 1) {
        storePanel(f, out[i]!, [acc[2 * i]!, acc[2 * i + 1]!], left);
      }
    },
  );
}

function addBias(
  f: FunctionBuilder,
  { bias, biasMode }: { bias: I32Var; biasMode: I32Var },
  acc: readonly V128Var[],
  row: I32,
  column: I32,
): void {
  f.if(biasMode.eq(1), () => {
    const at = f.i32(bias.add(column.shl(2)));
    const pair = [f.v128(at.loadV128()), f.v128(at.loadV128(16))];
    acc.forEach((sum, i) => sum.set(sum.add(pair[i & 1]!)));
  });
  f.if(biasMode.eq(2), () => {
    const at = f.i32(bias.add(row.shl(2)));
    acc.forEach((sum, i) => sum.set(sum.add(at.loadSplat((i >> 1) * 4))));
  });
}

/**
 * Products of 1 to 3 rows, which are read in place. Everything that one iteration loads stays in
 * registers until its end, along with the sums; there are only 15 registers, so an iteration has
 * few loads. An addition waits for the one before, so for a single row two products are first added
 * to each other. At most two panels are read at a time, and not at the same k: if k is a power of
 * 2, they would evict each other from the first-level cache.
 *
 * Processors prefetch from the second-level cache on access. Without multiply-add a single row
 * still waits for it, so that its loop touches numbers ahead, of all panels but the last.
 */
export function emitFewRows(module: ModuleBuilder): void {
  for (const [rows, panels, depth] of [
    [1, 2, 2],
    [2, 2, 1],
    [3, 1, 1],
  ] as const)
    // prettier-ignore
    module.function(
      `rows${rows}`,
      {
        n: "i32", k: "i32", a: "i32", aRow: "i32", b: "i32", bPanel: "i32", c: "i32", cRow: "i32",
        bias: "i32", residual: "i32", low: "f32", high: "f32",
      }, // prettier-ignore
      (f, p) => {
        const low = f.v128(p.low.splat());
        const high = f.v128(p.high.splat());
        const toResidual = f.i32(p.residual.sub(p.c));
        const column = f.i32(0);
        const asks = rows === 1 && !module.fma;
        const ahead = f.i32(p.bPanel.min(512));
        const block = (count: number, isLast = true): void => {
          const aRows = [f.i32(p.a)];
          const from = [f.i32(p.b.add(column.shr(3).mul(p.bPanel)))];
          for (let j = 1; j < count; j += 1) from.push(f.i32(from[j - 1]!.add(p.bPanel)));
          const out = [f.i32(p.c.add(column.shl(2)))];
          for (let i = 1; i < rows; i += 1) {
            aRows.push(f.i32(aRows[i - 1]!.add(p.aRow)));
            out.push(f.i32(out[i - 1]!.add(p.cRow)));
          }
          const width = count * 2;
          const acc = f.vectors(rows * width);
          const at = f.i32(p.bias.add(column.shl(2)));
          f.if(
            p.bias,
            () => acc.forEach((sum, i) => sum.set(at.loadV128((i % width) * 16))),
            () => acc.forEach((sum) => sum.set(v128(0))),
          );
          const k = f.i32(p.k);
          const some = (steps: number): void => {
            const values = Array.from({ length: steps }, (_, d) =>
              aRows.map((address) => f.v128(address.loadSplat(d * 4))),
            );
            const others: V128Var[] = [];
            for (let turn = 0; turn < steps; turn += 1) {
              from.forEach((b, j) => {
                const d = (turn + j) % steps;
                for (const half of [0, 1]) {
                  const weights = f.v128(b.loadV128(d * 32 + half * 16));
                  values[d]!.forEach((value, i) => {
                    const at = i * width + j * 2 + half;
                    const [sum, other] = [acc[at]!, others[at]];
                    if (turn < steps - 1) others[at] = f.v128(value.mul(weights));
                    else if (other) sum.set(sum.add(f.madd(value, weights, other)));
                    else sum.set(f.madd(value, weights, sum));
                  });
                }
              });
            }
            for (const b of from) {
              if (asks && !isLast) f.i32(b.add(ahead).load());
              b.set(b.add(32 * steps));
            }
            for (const address of aRows) address.set(address.add(4 * steps));
            k.set(k.sub(steps));
          };
          if (depth > 1) f.if(k.ge(depth), () => f.doWhile(() => some(depth), () => k.ge(depth)));
          f.if(k, () => f.doWhile(() => some(1), () => k));
          // Last, because products that are added to a large number one by one would lose digits.
          f.if(p.residual, () =>
            acc.forEach((sum, i) => {
              const address = out[Math.floor(i / width)]!.add(toResidual);
              sum.set(sum.add(address.loadV128((i % width) * 16)));
            }),
          );
          clampAll(acc, low, high);
          for (let i = 0; i < rows; i += 1) {
            for (let j = 0; j < count; j += 1) {
              const pair = acc.slice(i * width + j * 2, i * width + j * 2 + 2);
              const left = f.i32(p.n.sub(column).sub(j * 8));
              // All panels but the last one are complete.
              if (j < count - 1) pair.forEach((sum, h) => f.store(out[i]!, sum, j * 32 + h * 16));
              else storePanel(f, out[i]!.add(j * 32), pair, left);
            }
          }
        };
        const kept = asks ? panels : panels - 1;
        // While more than `kept` panels are left.
        if (kept > 0) {
          const end = f.i32(p.n.sub(kept * 8));
          f.for(column, end, panels * 8, () => block(panels, false));
        }
        f.for(column, p.n, 8, () => block(1));
      },
    );
}
