/** Windows that slide over planes: pooling. */
import type { FunctionBuilder, I32Var, ModuleBuilder, V128Var } from "./module.js";
import { type I32, type V128, v128 } from "./values.js";

export interface WindowShape {
  kind: "max" | "sum";
  kernelH: number;
  kernelW: number;
  strideW: number;
  dilationW: number;
}

/** Vectors of results at a time. */
const WIDE = 4;

/** Reads every `stride`-th float from an offset on; of every second one, each vector is read once. */
export function reader(f: FunctionBuilder, address: I32, stride: number): (offset: number) => V128 {
  if (stride === 1) return (offset) => address.loadV128(offset * 4);
  if (stride === 2) {
    const [loads, reads]: [V128Var[], V128Var[]] = [[], []];
    const load = (at: number): V128Var => (loads[at] ??= f.v128(address.loadV128(at * 4)));
    const read = (at: number): V128Var => {
      const [start, odd] = [at & -4, at & 1];
      return (reads[at] ??= f.v128(
        at & 2
          ? read(start + odd).shuffle(load(start + 8), [1, 2, 3, 4 + odd])
          : load(start).shuffle(load(start + 4), [odd, 2 + odd, 4 + odd, 6 + odd]),
      ));
    };
    return read;
  }
  return (offset) => {
    let gathered = address.loadLow(offset * 4);
    for (let lane = 1; lane < 4; lane += 1) {
      gathered = gathered.loadLane(lane, address, (offset + lane * stride) * 4);
    }
    return gathered;
  };
}

/**
 * Copies a plane into one with a border, which stays as it is: rows go exactly where they belong, the
 * last vector of a row over what the one before has written.
 */
function copyInside(
  f: FunctionBuilder,
  from: I32Var,
  { to, rows, width, row }: { to: I32Var; rows: I32; width: I32; row: I32 },
): void {
  const bytes = f.i32(width.shl(2));
  const last = f.i32(bytes.sub(16));
  const line = f.i32(0);
  const at = f.i32();
  f.for(line, rows, 1, () => {
    at.set(0);
    f.if(
      last.ge(0),
      () => {
        f.for(at, last, 16, () => f.store(to.add(at), from.add(at).loadV128()));
        f.store(to.add(last), from.add(last).loadV128());
      },
      () => f.for(at, bytes, 4, () => f.storeF32(to.add(at), from.add(at).loadF32())),
    );
    from.set(from.add(bytes));
    to.set(to.add(row));
  });
}

/**
 * Planes one after the other: `tapRow` and `lineRow` are the bytes from one tap, and from one line of the
 * output, to the one below. `scale` multiplies sums. Planes of `height × width` are copied to where
 * `border` has room for one, `inside` being its first float; from 0: they lie as they are to be read.
 */
export function emitWindows(module: ModuleBuilder, shape: WindowShape): void {
  const { kind, kernelH, kernelW, strideW, dilationW } = shape;
  module.function(
    "run",
    {
      x: "i32",
      planes: "i32",
      plane: "i32",
      border: "i32",
      inside: "i32",
      height: "i32",
      width: "i32",
      row: "i32",
      tapRow: "i32",
      lineRow: "i32",
      outH: "i32",
      outW: "i32",
      out: "i32",
      scale: "f32",
    },
    (f, p) => {
      const scale = f.v128(p.scale.splat());
      const start = f.v128(v128(kind === "max" ? -Infinity : 0));
      const source = f.i32();
      const index = f.i32(0);
      const [line, left, x] = [f.i32(0), f.i32(), f.i32()];

      const store = (acc: V128Var[]): void => acc.forEach((sum, u) => f.store(p.out, sum, u * 16));
      const row = (at: I32Var, acc: V128Var[]): void => {
        const readers = acc.map((_, u) => reader(f, at.add(u * 16 * strideW), strideW));
        for (let j = 0; j < kernelW; j += 1) {
          acc.forEach((sum, u) => {
            const value = readers[u]!(j * dilationW);
            sum.set(kind === "max" ? sum.max(value) : sum.add(value));
          });
        }
      };
      const block = (width: number, put: (acc: V128Var[]) => void): void => {
        const acc = Array.from({ length: width }, () => f.v128(start));
        const at = f.i32(x);
        const i = f.i32(kernelH);
        f.doWhile(
          () => {
            row(at, acc);
            at.set(at.add(p.tapRow));
            i.set(i.sub(1));
          },
          () => i,
        );
        if (kind === "sum") for (const sum of acc) sum.set(sum.mul(scale));
        put(acc);
        x.set(x.add(width * 16 * strideW));
        p.out.set(p.out.add(width * 16));
        left.set(left.sub(width * 4));
      };

      const onePlane = (): void => {
        const top = f.i32(source);
        line.set(0);
        f.for(line, p.outH, 1, () => {
          x.set(top);
          left.set(p.outW);
          for (const width of [WIDE, 1]) {
            f.if(left.ge(width * 4), () =>
              f.doWhile(
                () => block(width, store),
                () => left.ge(width * 4),
              ),
            );
          }
          f.if(left, () => {
            f.if(
              p.outW.ge(4),
              () => {
                // The last four, some of them once more.
                const back = f.i32(left.sub(4).mul(4));
                x.set(x.add(back.mul(strideW)));
                p.out.set(p.out.add(back));
                block(1, store);
              },
              () => {
                const rest = f.i32(left);
                block(1, ([sum]) => f.storeSome(p.out, sum!, rest));
                p.out.set(p.out.add(rest.shl(2)).sub(16));
              },
            );
          });
          top.set(top.add(p.lineRow));
        });
      };
      f.for(index, p.planes, 1, () => {
        source.set(p.x);
        f.if(p.border, () => {
          const to = f.i32(p.inside);
          copyInside(f, source, { to, rows: p.height, width: p.width, row: p.row });
          source.set(p.border);
        });
        onePlane();
        p.x.set(p.x.add(p.plane));
      });
    },
  );
}
