/** Widens weights of 16 or 8 bits to floats. */
import type { FunctionBuilder, ModuleBuilder } from "./module.js";
import type { NarrowType } from "../narrow.js";
import type { I32, V128 } from "./values.js";

export const NARROW = ["f16", "bf16", "int8"] as const satisfies NarrowType[];

const HALVES = ["low", "high"] as const;

/**
 * Returns a function that loads eight numbers from an address as two vectors of floats. Except for
 * `bf16` they still have to be multiplied by the scales. The bits of halves are shifted to where a
 * float has them.
 */
export function widener(
  f: FunctionBuilder,
  type: NarrowType,
): (from: I32, eights: number) => V128[][] {
  if (type === "int8") {
    return (from, eights) => {
      const bytes = f.v128(from.loadV128()); // behind the last eight numbers are the scales
      return HALVES.slice(0, eights).map((part) => {
        const eight = f.v128(bytes.widenInt8(part));
        return HALVES.map((half) => eight.widenInt16(half, true).toFloat());
      });
    };
  }
  const each =
    (toFloat: (eight: V128, half: "low" | "high") => V128) => (from: I32, eights: number) =>
      Array.from({ length: eights }, (_, i) => {
        const eight = f.v128(from.loadV128(i * 16));
        return HALVES.map((half) => toFloat(eight, half));
      });
  if (type === "bf16") return each((eight, half) => eight.widenInt16(half, false).intShl(16));
  // After widening, the sign fills all bits that a half does not have.
  const mask = f.v128(f.i32(0x8fffe000 | 0).splat());
  return each((eight, half) => eight.widenInt16(half, true).intShl(13).and(mask));
}

/** Widens a panel of 8 columns, `[k][8]`, to floats. */
export function emitWiden(module: ModuleBuilder): void {
  for (const type of NARROW)
    // prettier-ignore
    module.function(type, { from: "i32", k: "i32", scales: "i32", to: "i32" }, (f, p) => {
      const hasScales = type !== "bf16";
      const scales = hasScales ? [f.v128(p.scales.loadV128()), f.v128(p.scales.loadV128(16))] : [];
      const read = widener(f, type);
      const i = f.i32(0);
      f.for(i, p.k, 1, () => {
        read(p.from, 1)[0]!.forEach((half, at) => {
          f.store(p.to, hasScales ? half.mul(scales[at]!) : half, at * 16);
        });
        p.from.set(p.from.add(type === "int8" ? 8 : 16));
        p.to.set(p.to.add(32));
      });
    });
}
