/** Reductions of rows to one number each, and of many rows to one row. */
import type { Reduction } from "../reduce.js";
import type { ModuleBuilder } from "./module.js";
import { acrossLanes, alongRow, orNeutral, sumAlong, sumLanes } from "./rows.js";
import { type V128, v128 } from "./values.js";

interface Rule {
  neutral: number;
  /** Joins a value with the result so far, or two partial results. */
  join: (a: V128, b: V128) => V128;
}

const RULES: Record<Reduction, Rule> = {
  sum: { neutral: 0, join: (a, b) => a.add(b) },
  max: { neutral: -Infinity, join: (a, b) => a.max(b) },
  min: { neutral: Infinity, join: (a, b) => a.min(b) },
};

export function emitReduce(module: ModuleBuilder, reduction: Reduction): void {
  const rule = RULES[reduction];
  // x [rows, n] → out [rows], times a factor.
  module.function(
    "rows",
    { x: "i32", rows: "i32", n: "i32", out: "i32", factor: "f32" },
    (f, p) => {
      const i = f.i32(0);
      f.for(i, p.rows, 1, () => {
        let all: V128;
        if (reduction === "sum") {
          all = sumLanes(
            f,
            sumAlong(f, p.x, p.n, (value, sum) => sum.add(value)),
          );
        } else {
          const lanes = f.v128(v128(rule.neutral));
          alongRow(f, p.n, (offset, rest) => {
            const value = orNeutral(p.x.add(offset).loadV128(), rest, v128(rule.neutral));
            lanes.set(rule.join(lanes, value));
          });
          all = acrossLanes(f, lanes, rule.join);
        }
        f.storeF32(p.out, all.lane(0).mul(p.factor));
        p.x.set(p.x.add(p.n.shl(2)));
        p.out.set(p.out.add(4));
      });
    },
  );
  // x [n, width] → out [width], times a factor.
  module.function(
    "columns",
    { x: "i32", n: "i32", width: "i32", row: "i32", out: "i32", factor: "f32" },
    (f, p) => {
      const factor = f.v128(p.factor.splat());
      const [column, i] = [f.i32(0), f.i32()];
      f.for(column, p.width, 4, () => {
        const all = f.v128(v128(rule.neutral));
        const at = f.i32(p.x.add(column.shl(2)));
        i.set(0);
        f.for(i, p.n, 1, () => {
          all.set(rule.join(all, f.v128(at.loadV128())));
          at.set(at.add(p.row));
        });
        all.set(all.mul(factor));
        const left = f.i32(p.width.sub(column));
        f.storeUpTo(p.out.add(column.shl(2)), all, left);
      });
    },
  );
}
