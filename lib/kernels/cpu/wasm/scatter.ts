/** Adds up patches where they overlap: the second half of a transposed convolution. */
import type { ModuleBuilder } from "./module.js";
import { alongRow, storeOf } from "./rows.js";
import { v128 } from "./values.js";

export function emitScatter(module: ModuleBuilder): void {
  // Fills each plane with its number, or with 0.
  module.function("fill", { out: "i32", planes: "i32", n: "i32", values: "i32" }, (f, p) => {
    const plane = f.i32(0);
    const value = f.v128(v128(0));
    f.for(plane, p.planes, 1, () => {
      f.if(p.values, () => {
        value.set(p.values.loadSplat());
        p.values.set(p.values.add(4));
      });
      alongRow(f, p.n, (offset, rest) => storeOf(f, p.out.add(offset), value, rest));
      p.out.set(p.out.add(p.n.shl(2)));
    });
  });
  // Patches [channel, taps][pixel] of input pixels [first, first + count) → added to out.
  module.function(
    "scatter",
    {
      patches: "i32", patchRow: "i32", channels: "i32", kernelD: "i32", kernelH: "i32",
      kernelW: "i32", dilationD: "i32", dilationH: "i32", dilationW: "i32", strideD: "i32",
      strideH: "i32", strideW: "i32", paddingD: "i32", paddingH: "i32", paddingW: "i32",
      first: "i32", count: "i32", inH: "i32", inW: "i32", outD: "i32", outH: "i32", outW: "i32",
      out: "i32",
    }, // prettier-ignore
    (f, p) => {
      const [channel, kd, kh, kw] = [f.i32(0), f.i32(), f.i32(), f.i32()];
      const line0 = f.i32(p.first.div(p.inW));
      const column0 = f.i32(p.first.sub(line0.mul(p.inW)));
      const depth0 = f.i32(line0.div(p.inH));
      line0.set(line0.sub(depth0.mul(p.inH)));
      const [depth, line, column, left] = [f.i32(), f.i32(), f.i32(), f.i32()];
      const [from, to, at] = [f.i32(), f.i32(), f.i32()];
      const tap = (): void => {
        depth.set(depth0);
        line.set(line0);
        column.set(column0);
        left.set(p.count);
        from.set(p.patches);
        f.doWhile(
          () => {
            // The rest of a line of the input.
            const length = f.i32(p.inW.sub(column).min(left));
            const od = f.i32(depth.mul(p.strideD).add(kd.mul(p.dilationD)).sub(p.paddingD));
            const oh = f.i32(line.mul(p.strideH).add(kh.mul(p.dilationH)).sub(p.paddingH));
            const isInside = od.ge(0).and(od.lt(p.outD)).and(oh.ge(0)).and(oh.lt(p.outH));
            f.if(isInside, () => {
              to.set(p.out.add(od.mul(p.outH).add(oh).mul(p.outW).shl(2)));
              const ow = f.i32(column.mul(p.strideW).add(kw.mul(p.dilationW)).sub(p.paddingW));
              const end = f.i32(from.add(length.shl(2)));
              at.set(from);
              f.doWhile(
                () => {
                  f.if(ow.ge(0).and(ow.lt(p.outW)), () => {
                    const place = f.i32(to.add(ow.shl(2)));
                    f.storeF32(place, place.loadF32().add(at.loadF32()));
                  });
                  ow.set(ow.add(p.strideW));
                  at.set(at.add(4));
                },
                () => at.ne(end),
              );
            });
            from.set(from.add(length.shl(2)));
            left.set(left.sub(length));
            column.set(0);
            line.set(line.add(1));
            f.if(line.eq(p.inH), () => {
              line.set(0);
              depth.set(depth.add(1));
            });
          },
          () => left.gt(0),
        );
        p.patches.set(p.patches.add(p.patchRow));
      };
      f.for(channel, p.channels, 1, () => {
        kd.set(0);
        f.for(kd, p.kernelD, 1, () => {
          kh.set(0);
          f.for(kh, p.kernelH, 1, () => {
            kw.set(0);
            f.for(kw, p.kernelW, 1, tap);
          });
        });
        p.out.set(p.out.add(p.outD.mul(p.outH).mul(p.outW).shl(2)));
      });
    },
  );
}
