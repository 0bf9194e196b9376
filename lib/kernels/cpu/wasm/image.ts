/** Borders of images, and the patches that a convolution multiplies. */
import type { I32Var, ModuleBuilder } from "./module.js";
import type { I32, V128 } from "./values.js";

/**
 * Copies planes into larger ones with a border of `value`. Each row is written from left to right,
 * up to 3 floats too far, which the next row overwrites; so the last row spills over the end.
 */
export function emitPad(module: ModuleBuilder): void {
  module.function(
    "pad",
    {
      x: "i32",
      planes: "i32",
      plane: "i32",
      rows: "i32",
      width: "i32",
      to: "i32",
      top: "i32",
      bottom: "i32",
      left: "i32",
      right: "i32",
      value: "f32",
    },
    (f, p) => {
      const border = f.v128(p.value.splat());
      const to = f.i32(p.to);
      const fill = (count: I32): void => {
        const end = f.i32(to.add(count.shl(2)));
        f.for(to, end, 16, () => f.store(to, border));
        to.set(end);
      };
      const [plane, row] = [f.i32(0), f.i32()];
      const whole = f.i32(p.left.add(p.width).add(p.right));
      f.for(plane, p.planes, 1, () => {
        fill(p.top.mul(whole));
        const from = f.i32(p.x);
        row.set(0);
        f.for(row, p.rows, 1, () => {
          fill(p.left);
          const at = f.i32(from);
          const end = f.i32(to.add(p.width.shl(2)));
          f.for(to, end, 16, () => {
            f.store(to, at.loadV128());
            at.set(at.add(16));
          });
          to.set(end);
          from.set(from.add(p.width.shl(2)));
          fill(p.right);
        });
        fill(p.bottom.mul(whole));
        p.x.set(p.x.add(p.plane));
      });
    },
  );
}

/**
 * Packs the patches of output pixels `[first, first + count)` into panels of 8 pixels, `[k][8]`,
 * where k runs over channels and taps. All steps are in bytes.
 */
export function emitPatches(module: ModuleBuilder): void {
  module.function(
    "patches",
    {
      x: "i32",
      channels: "i32",
      plane: "i32",
      kernelD: "i32",
      kernelH: "i32",
      kernelW: "i32",
      tapD: "i32",
      tapH: "i32",
      tapW: "i32",
      first: "i32",
      count: "i32",
      outH: "i32",
      outW: "i32",
      strideD: "i32",
      strideH: "i32",
      strideW: "i32",
      to: "i32",
    },
    (f, p) => {
      // The position of the current pixel; its address advances with it.
      const column = f.i32(p.first.sub(p.first.div(p.outW).mul(p.outW)));
      const line = f.i32(p.first.div(p.outW));
      const depth = f.i32(line.div(p.outH));
      line.set(line.sub(depth.mul(p.outH)));
      const start = f.i32(p.x.add(depth.mul(p.strideD)));
      const left = f.i32(p.count);
      const pixels = Array.from({ length: 8 }, () => f.i32());
      const [channel, kd, kh, kw] = [f.i32(), f.i32(), f.i32(), f.i32()];
      const offset = f.i32();
      const taps = (to: I32Var, body: () => void): void => {
        channel.set(0);
        f.for(channel, p.channels, 1, () => {
          kd.set(0);
          const deep = f.i32(channel.mul(p.plane));
          f.for(kd, p.kernelD, 1, () => {
            kh.set(0);
            const high = f.i32(deep);
            f.for(kh, p.kernelH, 1, () => {
              offset.set(high);
              kw.set(p.kernelW);
              f.doWhile(
                () => {
                  body();
                  to.set(to.add(32));
                  offset.set(offset.add(p.tapW));
                  kw.set(kw.sub(1));
                },
                () => kw,
              );
              high.set(high.add(p.tapH));
            });
            deep.set(deep.add(p.tapD));
          });
        });
      };
      const address = (): I32 => start.add(line.mul(p.strideH)).add(column.mul(p.strideW));
      const advance = (by: number): void => {
        left.set(left.sub(by));
        column.set(column.add(by));
        f.if(column.eq(p.outW), () => {
          column.set(0);
          line.set(line.add(1));
          f.if(line.eq(p.outH), () => {
            line.set(0);
            start.set(start.add(p.strideD));
          });
        });
      };
      /** All 8 pixels come from one line, adjacent or every second one. */
      const inLine = (): void => {
        const first = f.i32(address());
        advance(8);
        const at = f.i32();
        const half = (offset: number): V128 => at.loadV128(offset);
        const even = (offset: number): V128 =>
          half(2 * offset).shuffle(half(2 * offset + 16), [0, 2, 4, 6]);
        const read = (from: (offset: number) => V128): void =>
          taps(p.to, () => {
            at.set(first.add(offset));
            f.store(p.to, from(0));
            f.store(p.to, from(16), 16);
          });
        f.if(
          p.strideW.eq(4),
          () => read(half),
          () => read(even),
        );
      };
      const anywhere = (): void => {
        for (const pixel of pixels) {
          pixel.set(address());
          // The last pixel is repeated for those past the end.
          f.if(
            left.gt(1),
            () => advance(1),
            () => left.set(0),
          );
        }
        taps(p.to, () => {
          for (const half of [0, 4]) {
            const gathered = f.v128(pixels[half]!.add(offset).loadLow());
            for (let lane = 1; lane < 4; lane += 1) {
              gathered.set(gathered.loadLane(lane, pixels[half + lane]!.add(offset)));
            }
            f.store(p.to, gathered, half * 4);
          }
        });
      };
      f.if(left.gt(0), () =>
        f.doWhile(
          () => f.if(column.lt(p.outW.sub(7)).and(p.strideW.lt(9)), inLine, anywhere),
          () => left.gt(0),
        ),
      );
    },
  );
}
