/** Softmax of rows: the maximum, exponentials and their sum, then the division. */
import { expNegative, log } from "./math.js";
import type { FunctionBuilder, I32Var, ModuleBuilder } from "./module.js";
import { acrossLanes, alongRow, orNeutral, storeOf, sumAlong, sumLanes } from "./rows.js";
import { type I32, v128 } from "./values.js";

const max = (f: FunctionBuilder, row: I32, n: I32): ReturnType<typeof acrossLanes> => {
  const most = f.v128(v128(-Infinity));
  // A NaN that is passed over here comes back with the exponentials.
  alongRow(f, n, (offset, rest) =>
    most.set(most.atLeast(orNeutral(row.add(offset).loadV128(), rest, v128(-Infinity)))),
  );
  return acrossLanes(f, most, (a, b) => a.atLeast(b));
};

export function emitSoftmax(module: ModuleBuilder): void {
  // Of row r the first `valid + r·validStep` places count, the others become 0. The mask is added.
  module.function(
    "softmax",
    {
      x: "i32",
      out: "i32",
      rows: "i32",
      n: "i32",
      xRow: "i32",
      outRow: "i32",
      scale: "f32",
      mask: "i32",
      maskRow: "i32",
      valid: "i32",
      validStep: "i32",
      emptyIsZero: "i32",
    },
    (f, p) => {
      const scale = f.v128(p.scale.splat());
      const i = f.i32(0);
      const count = f.i32();
      const zeros = (to: I32, from: I32, end: I32): void => {
        f.if(end.gt(from), () => f.fillBytes(to.add(from.shl(2)), end.sub(from).shl(2)));
      };
      f.for(i, p.rows, 1, () => {
        count.set(p.valid.min(p.n));
        count.set(count.lt(0).select(0, count));
        alongRow(f, count, (offset, rest) => {
          const scaled = f.v128(p.x.add(offset).loadV128().mul(scale));
          f.if(p.mask, () => scaled.set(scaled.add(p.mask.add(offset).loadV128())));
          storeOf(f, p.out.add(offset), scaled, rest);
        });
        const most = f.v128(max(f, p.out, count));
        f.if(most.eq(-Infinity).lane(0).bits().and(p.emptyIsZero), () => {
          // Nothing but -∞, unless a NaN was passed over.
          const all = f.v128(
            sumLanes(
              f,
              sumAlong(f, p.out, count, (value, sum) => sum.add(value)),
            ),
          );
          f.if(all.eq(all).lane(0).bits(), () => count.set(0));
        });
        const sum = f.v128(v128(0));
        alongRow(f, count, (offset, rest) => {
          const at = f.i32(p.out.add(offset));
          const value = f.v128(expNegative(f, at.loadV128().sub(most)));
          storeOf(f, at, value, rest);
          sum.set(sum.add(orNeutral(value, rest, 0)));
        });
        const factor = f.v128(v128(1).div(sumLanes(f, sum)));
        alongRow(f, count, (offset, rest) => {
          const at = f.i32(p.out.add(offset));
          storeOf(f, at, at.loadV128().mul(factor), rest);
        });
        zeros(p.out, count, p.n);
        advance(p.x, p.xRow);
        advance(p.out, p.outRow);
        advance(p.mask, p.maskRow);
        advance(p.valid, p.validStep);
      });
    },
  );

  module.function("logSoftmax", { x: "i32", out: "i32", rows: "i32", n: "i32" }, (f, p) => {
    const i = f.i32(0);
    f.for(i, p.rows, 1, () => {
      const most = f.v128(max(f, p.x, p.n));
      const sum = f.v128(v128(0));
      alongRow(f, p.n, (offset, rest) => {
        const value = expNegative(f, p.x.add(offset).loadV128().sub(most));
        sum.set(sum.add(orNeutral(value, rest, 0)));
      });
      const total = f.v128(log(f, sumLanes(f, sum)));
      alongRow(f, p.n, (offset, rest) => {
        // Apart, so that digits of small differences are not lost in a large maximum.
        const value = p.x.add(offset).loadV128().sub(most).sub(total);
        storeOf(f, p.out.add(offset), value, rest);
      });
      advance(p.x, p.n.shl(2));
      advance(p.out, p.n.shl(2));
    });
  });
}

const advance = (pointer: I32Var, bytes: I32): void => pointer.set(pointer.add(bytes));
