/**
 * One row times panels of narrow weights, which are widened in registers, because no other row
 * needs them.
 */
import type { storePanel } from "./gemm.js";
import type { FunctionBuilder, ModuleBuilder } from "./module.js";
import type { I32, V128 } from "./values.js";
import { NARROW, widener } from "./widen.js";

/**
 * A half whose bits are shifted to where a float has them is close to the smallest floats, and
 * products with it are even smaller. So the row is multiplied by 2⁵⁶, and the sums are scaled back;
 * except for rows with numbers so large that they would overflow.
 */
const RAISED = 56;
const LARGE = bitsOf(64);

/** The bits of a power of two as a float32. */
function bitsOf(exponent: number): number {
  return (exponent + 127) << 23;
}

/** The factors for a row of halves and for its sums. */
function factors(f: FunctionBuilder, row: I32, k: I32): [raise: V128, lower: V128] {
  const [at, end, most] = [f.i32(row), f.i32(row.add(k.shl(2))), f.i32(0)];
  f.for(at, end, 4, () => {
    const size = f.i32(at.load().and(0x7fffffff));
    most.set(size.gt(most).select(size, most));
  });
  const by = (exponent: number): V128 =>
    f.v128(most.ge(LARGE).select(bitsOf(0), bitsOf(exponent)).splat());
  return [by(RAISED), by(-RAISED)];
}

/**
 * @param store - Passed as an argument, because a shared import would move it into another chunk.
 */
export function emitNarrowRow(module: ModuleBuilder, store: typeof storePanel): void {
  for (const type of NARROW)
    // prettier-ignore
    module.function(
      type,
      {
        n: "i32", k: "i32", a: "i32", b: "i32", bPanel: "i32", c: "i32", bias: "i32", residual: "i32",
        low: "f32", high: "f32",
      }, // prettier-ignore
      (f, p) => {
        const [low, high] = [f.v128(p.low.splat()), f.v128(p.high.splat())];
        const zeros = f.v128(low.andNot(low));
        const read = widener(f, type);
        const half = type === "f16" ? factors(f, p.a, p.k) : null;
        const column = f.i32(0);
        const block = (panels: number): void => {
          const a = f.i32(p.a);
          const first = f.i32(p.b.add(column.shr(3).mul(p.bPanel)));
          const from = Array.from({ length: panels }, (_, j) => f.i32(first.add(p.bPanel.mul(j))));
          const acc = f.vectors(2 * panels);
          for (const sum of acc) sum.set(zeros);
          const k = f.i32(p.k);
          const some = (steps: number): void => {
            const values = Array.from({ length: steps }, (_, d) => {
              const value = a.loadSplat(d * 4);
              return f.v128(half ? value.mul(half[0]) : value);
            });
            from.forEach((b, j) => {
              read(b, steps).forEach((pair, d) => {
                pair.forEach((four, h) => {
                  const sum = acc[2 * j + h]!;
                  sum.set(f.madd(four, values[d]!, sum));
                });
              });
              b.set(b.add((type === "int8" ? 8 : 16) * steps));
            });
            a.set(a.add(4 * steps));
            k.set(k.sub(steps));
          };
          f.if(k.ge(2), () => f.doWhile(() => some(2), () => k.ge(2)));
          f.if(k, () => some(1));
          for (let j = 0; j < panels; j += 1) {
            const scales = f.i32(first.add(p.bPanel.mul(j + 1)).sub(32));
            const at = f.i32(column.shl(2).add(j * 32));
            const pair = acc.slice(2 * j, 2 * j + 2);
            pair.forEach((sum, h) => {
              const scale = scales.loadV128(h * 16);
              if (type !== "bf16") sum.set(sum.mul(half ? scale.mul(half[1]) : scale));
              f.if(p.bias, () => sum.set(sum.add(p.bias.add(at).loadV128(h * 16))));
              f.if(p.residual, () => sum.set(sum.add(p.residual.add(at).loadV128(h * 16))));
              sum.set(sum.atLeast(low).atMost(high));
            });
            store(f, p.c.add(at), pair, f.i32(p.n.sub(column).sub(j * 8)));
          }
        };
        f.for(column, p.n.sub(8), 16, () => block(2));
        f.for(column, p.n, 8, () => block(1));
      },
    );
}
