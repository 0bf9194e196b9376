/** Weights kept in 16 or 8 bits, widened to floats as they are needed. */
import type { ModuleBuilder } from "./module.js";
import { intLanes, type V128 } from "./values.js";

/** Half precision: the bits moved to where a float has them, and the exponent put right. */
function fromHalf(bits: V128): V128 {
  const size = bits
    .and(intLanes(0x7fff))
    .intShl(13)
    .mul(2 ** 112);
  return size.or(bits.and(intLanes(0x8000)).intShl(16));
}

/** Each takes a panel of 8 columns, `[k][8]`, and gives it in floats. */
export function emitWiden(module: ModuleBuilder): void {
  const parameters = { from: "i32", k: "i32", scales: "i32", to: "i32" } as const;
  for (const type of ["f16", "bf16"] as const) {
    module.function(type, parameters, (f, p) => {
      const i = f.i32(0);
      f.for(i, p.k, 1, () => {
        const eight = f.v128(p.from.loadV128());
        (["low", "high"] as const).forEach((half, at) => {
          const bits = f.v128(eight.widenInt16(half, false));
          f.store(p.to, type === "bf16" ? bits.intShl(16) : fromHalf(bits), at * 16);
        });
        p.from.set(p.from.add(16));
        p.to.set(p.to.add(32));
      });
    });
  }
  module.function("int8", parameters, (f, p) => {
    const scales = [f.v128(p.scales.loadV128()), f.v128(p.scales.loadV128(16))];
    const i = f.i32(0);
    f.for(i, p.k, 1, () => {
      const eight = f.v128(p.from.loadPair().widenInt8("low"));
      (["low", "high"] as const).forEach((half, at) => {
        f.store(p.to, eight.widenInt16(half, true).toFloat().mul(scales[at]!), at * 16);
      });
      p.from.set(p.from.add(8));
      p.to.set(p.to.add(32));
    });
  });
}
