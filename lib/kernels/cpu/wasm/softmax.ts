/** Softmax of rows: the maximum, the exponentials and their sum, then the division. */
import { expNegative, log } from "./math.js";
import type { I32Var, ModuleBuilder, V128Var } from "./module.js";
import { rowAddresses } from "./gemm-edges.js";
import { acrossLanes, alongRow, orNeutral, storeOf, sumLanes } from "./rows.js";
import { type I32, intLanes, type V128, v128 } from "./values.js";

export function emitSoftmax(module: ModuleBuilder): void {
  for (const name of ["softmax", "logSoftmax"])
    module.function(name, { x: "i32", out: "i32", rows: "i32", n: "i32" }, (f, p) => {
      const isLog = name !== "softmax";
      const i = f.i32(0);
      const [most, sum] = [f.v128(), f.v128()];
      f.for(i, p.rows, 1, () => {
        most.set(v128(-Infinity));
        // A NaN that the maximum misses comes back with the exponentials.
        alongRow(f, p.n, (offset, rest) => {
          const value = p.x.add(offset).loadV128();
          most.set(most.atLeast(orNeutral(value, rest, v128(-Infinity))));
        });
        most.set(acrossLanes(f, most, (a, b) => a.atLeast(b)));
        sum.set(v128(0));
        alongRow(f, p.n, (offset, rest) => {
          const value = expNegative(f, [p.x.add(offset).loadV128().sub(most)])[0]!;
          if (!isLog) storeOf(f, p.out.add(offset), value, rest);
          sum.set(sum.add(orNeutral(value, rest, 0)));
        });
        const total = sumLanes(f, sum);
        sum.set(isLog ? log(f, total) : v128(1).div(total));
        alongRow(f, p.n, (offset, rest) => {
          const at = f.i32(p.out.add(offset));
          const value = isLog
            ? // separately, so that small differences keep their digits beside a large maximum
              p.x.add(offset).loadV128().sub(most).sub(sum)
            : at.loadV128().mul(sum);
          storeOf(f, at, value, rest);
        });
        advance(p.x, p.n.shl(2));
        advance(p.out, p.n.shl(2));
      });
    });
}

/**
 * `softmax(x · scale + mask)` over the keys, with four queries in the lanes of a vector: reads
 * scores `[keys][xRow]` and writes strips `[keys][4]`. Query i sees the keys before `seen + i`, or
 * all if that is 0.
 *
 * With `along` = 1, the lanes are four consecutive keys of one query, which sees those before
 * `seen`; sums then go over all lanes.
 *
 * @param least - The start of the search for the maximum: -∞, so that a query without keys gets
 *   NaN, or the lowest float, so that it gets zeros.
 * @param adds - -1 if the mask is added, 0 if its numbers other than 0 take the place of scores.
 */
export function emitStripSoftmax(module: ModuleBuilder): void {
  module.function(
    "stripSoftmax",
    {
      x: "i32", xRow: "i32", out: "i32", queries: "i32", keys: "i32", scale: "f32", mask: "i32",
      maskRow: "i32", seen: "i32", least: "f32", along: "i32", adds: "i32",
    }, // prettier-ignore
    (f, p) => {
      const [scale, adds] = [f.v128(p.scale.splat()), f.v128(p.adds.splat())];
      const [query, key, at, end] = [f.i32(0), f.i32(), f.i32(), f.i32()];
      const [most, sum, score] = [f.v128(), f.v128(), f.v128()];
      // Four keys in each iteration.
      const map = (change: (values: V128[]) => V128[]): void => {
        at.set(p.out);
        f.for(at, end, 64, () => {
          const values = change([0, 16, 32, 48].map((offset) => at.loadV128(offset)));
          values.forEach((value, i) => f.store(at, value, i * 16));
        });
      };
      const overLanes = (value: V128Var, combine: (a: V128, b: V128) => V128): void =>
        f.if(p.along, () => value.set(acrossLanes(f, value, combine)));
      f.for(query, p.queries, 4, () => {
        const from = f.i32(p.x.add(query.shl(2)));
        const seen = f.i32(p.seen.select(p.seen.add(query).min(p.keys), p.keys));
        const limit = f.v128(seen.splat());
        const lanes = intLanes(0, 1, 2, 3);
        f.if(p.seen, () => limit.set(limit.intAdd(lanes)));
        f.if(p.along, () => {
          seen.set(p.seen.shr(2));
          limit.set(p.seen.add(3).splat().intSub(lanes).intShr(2));
        });
        const scan = (keys: I32, step: number, change: () => void): void =>
          f.for(key, keys, step, () => {
            for (let i = 0; i < step; i += 1) {
              score.set(from.loadV128().mul(scale));
              change();
              // A NaN that the maximum misses comes back with the exponentials.
              most.set(most.atLeast(score));
              f.store(at, score);
              advance(from, p.xRow);
              advance(at, 16);
            }
          });
        const hide = (): void => score.set(key.splat().intLt(limit).select(score, -Infinity));
        const scanMasked = ([first, ...others]: I32Var[]): void =>
          scan(p.keys, 1, () => {
            const added = f.v128(first!.loadSplat());
            others.forEach((row, i) => added.set(added.loadLane(i + 1, row)));
            score.set(added.eq(0).or(adds).select(score.add(added), added));
            for (const row of [first!, ...others]) advance(row, p.along.select(16, 4));
            hide();
          });
        most.set(p.least.splat());
        key.set(0);
        at.set(p.out);
        f.if(
          p.mask,
          () => {
            const rows = rowAddresses(f, p.mask, { cRow: p.maskRow, m: p.queries }, query);
            f.if(
              p.maskRow,
              () => scanMasked(rows),
              () => scanMasked(rows.slice(0, 1)),
            );
          },
          () => {
            // The last three are left to the other loop, seen or not.
            scan(f.i32(seen.and(-4)), 4, () => {});
            scan(p.keys, 1, hide);
          },
        );
        for (const offset of [0, 16, 32]) f.store(at, v128(-Infinity), offset);
        end.set(p.out.add(p.keys.add(3).and(-4).shl(4)));
        overLanes(most, (a, b) => a.atLeast(b));
        sum.set(v128(0));
        map((scores) => {
          const differences = scores.map((value) => value.sub(most));
          const values = expNegative(f, differences);
          for (const value of values) sum.set(sum.add(value));
          return values;
        });
        overLanes(sum, (a, b) => a.add(b));
        sum.set(v128(1).div(sum.atLeast(1e-30)));
        map((values) => values.map((value) => value.mul(sum)));
        advance(p.mask, p.maskRow.shl(2));
        p.out.set(end);
      });
    },
  );
}

const advance = (pointer: I32Var, bytes: I32 | number): void => pointer.set(pointer.add(bytes));
