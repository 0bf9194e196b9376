/**
 * Shared by kernels over rows of any length: loops with a masked remainder, and sums over lanes.
 */
import type { FunctionBuilder, I32Var } from "./module.js";
import { type I32, intLanes, type V128, v128 } from "./values.js";

export interface Rest {
  /** How many floats are left, 1 to 3. */
  count: I32;
  /** All bits set in the lanes that are left. */
  mask: V128;
}

/**
 * Loops over rows of `n` floats, four at a time; the body gets the offset in bytes. If floats are
 * left at the end, it is called once more with them.
 */
export function alongRow(
  f: FunctionBuilder,
  n: I32,
  body: (offset: I32Var, rest: Rest | undefined) => void,
): void {
  const offset = f.i32(0);
  const end = f.i32(n.and(-4).shl(2));
  f.for(offset, end, 16, () => body(offset, undefined));
  const count = f.i32(n.and(3));
  f.if(count, () => {
    const mask = f.v128(intLanes(0, 1, 2, 3).intLt(count.splat()));
    body(offset, { count, mask });
  });
}

/** The value, with `neutral` in lanes past the end of the row. */
export function orNeutral(value: V128, rest: Rest | undefined, neutral: V128 | 0): V128 {
  if (!rest) return value;
  return neutral === 0 ? value.and(rest.mask) : rest.mask.select(value, neutral);
}

export function storeOf(f: FunctionBuilder, to: I32, value: V128, rest: Rest | undefined): void {
  if (rest) f.storeSome(to, value, rest.count);
  else f.store(to, value);
}

/** Combines the four lanes; the result is in all of them. */
export function acrossLanes(
  f: FunctionBuilder,
  value: V128,
  combine: (a: V128, b: V128) => V128,
): V128 {
  const all = f.v128(value);
  all.set(combine(all, all.shuffle(all, [2, 3, 0, 1])));
  return f.v128(combine(all, all.shuffle(all, [1, 0, 3, 2])));
}

export const sumLanes = (f: FunctionBuilder, value: V128): V128 =>
  acrossLanes(f, value, (a, b) => a.add(b));

/** Longer sums are split into blocks that are summed separately, to limit rounding errors. */
const BLOCK = 1024;

/** The sum of a row's terms in each lane. */
export function sumAlong(
  f: FunctionBuilder,
  row: I32,
  n: I32,
  add: (value: V128, sum: V128) => V128,
): V128 {
  const [total, sum] = [f.v128(v128(0)), f.v128()];
  const start = f.i32(0);
  f.for(start, n, BLOCK, () => {
    sum.set(v128(0));
    const at = f.i32(row.add(start.shl(2)));
    alongRow(f, f.i32(n.sub(start).min(BLOCK)), (offset, rest) => {
      const value = f.v128(at.add(offset).loadV128());
      const added = f.v128(add(value, sum));
      // What is past the end of the row adds nothing.
      sum.set(rest ? rest.mask.select(added, sum) : added);
    });
    total.set(total.add(sum));
  });
  return total;
}
