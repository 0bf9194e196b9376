/** Windows that slide over planes: pooling, and depthwise convolution row by row of a window. */
import type { FunctionBuilder, I32Var, ModuleBuilder, V128Var } from "./module.js";
import { type I32, type V128, v128 } from "./values.js";

export interface WindowShape {
  kind: "depthwise" | "max" | "sum";
  kernelH: number;
  kernelW: number;
  strideW: number;
  dilationW: number;
  /**
   * The results in a line, if they are fewer than a vector's lanes; a whole vector might read far
   * past the last.
   */
  lanes: number;
}

/** Up to this many weights are held in registers. */
export const MAX_IN_REGISTERS = 9;

/** Reads every `stride`-th float from an offset on; with stride 2, each vector is loaded once. */
export function reader(
  f: FunctionBuilder,
  address: I32,
  stride: number,
  lanes = 4,
): (offset: number) => V128 {
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
    for (let lane = 1; lane < lanes; lane += 1) {
      gathered = gathered.loadLane(lane, address, (offset + lane * stride) * 4);
    }
    return gathered;
  };
}

/**
 * Processes planes one after the other. `tapRow` and `lineRow` are the bytes from one row of taps,
 * and from one line of the output, to the next. `scale` multiplies sums; `weight`, `bias`, `low`
 * and `high` belong to convolutions.
 */
export function emitWindows(module: ModuleBuilder, shape: WindowShape): void {
  const { kind, kernelH, kernelW, strideW, dilationW, lanes } = shape;
  module.function(
    "run",
    {
      source: "i32",
      planes: "i32",
      plane: "i32",
      tapRow: "i32",
      lineRow: "i32",
      outH: "i32",
      outW: "i32",
      weight: "i32",
      bias: "i32",
      out: "i32",
      low: "f32",
      high: "f32",
      scale: "f32",
    },
    (f, p) => {
      const isDepthwise = kind === "depthwise";
      const [low, high] = [f.v128(p.low.splat()), f.v128(p.high.splat())];
      const scale = f.v128(p.scale.splat());
      const areKept = isDepthwise && kernelH === 1 && kernelW <= MAX_IN_REGISTERS;
      const weights = areKept ? f.vectors(kernelW) : [];
      const start = f.v128(v128(kind === "max" ? -Infinity : 0));
      const index = f.i32(0);
      const [line, left, x] = [f.i32(0), f.i32(), f.i32()];

      const store = (acc: V128Var[]): void => acc.forEach((sum, u) => f.store(p.out, sum, u * 16));
      const row = (at: I32Var, weight: I32Var, acc: V128Var[]): void => {
        const readers = acc.map((_, u) => reader(f, at.add(u * 16 * strideW), strideW, lanes));
        for (let j = 0; j < kernelW; j += 1) {
          const known = weights[j];
          const factor = isDepthwise ? (known ?? f.v128(weight.loadSplat(j * 4))) : undefined;
          acc.forEach((sum, u) => {
            const value = readers[u]!(j * dilationW);
            if (factor) sum.set(f.madd(value, factor, sum));
            else sum.set(kind === "max" ? sum.max(value) : sum.add(value));
          });
        }
      };
      const block = (width: number, put: (acc: V128Var[]) => void): void => {
        const acc = Array.from({ length: width }, () => f.v128(start));
        const [at, weight] = [f.i32(x), f.i32(p.weight)];
        const i = f.i32(kernelH);
        f.doWhile(
          () => {
            row(at, weight, acc);
            at.set(at.add(p.tapRow));
            if (isDepthwise) weight.set(weight.add(kernelW * 4));
            i.set(i.sub(1));
          },
          () => i,
        );
        for (const sum of acc) {
          if (kind === "sum") sum.set(sum.mul(scale));
          if (isDepthwise) sum.set(sum.atLeast(low).atMost(high));
        }
        put(acc);
        x.set(x.add(width * 16 * strideW));
        p.out.set(p.out.add(width * 16));
        left.set(left.sub(width * 4));
      };

      const onePlane = (): void => {
        weights.forEach((weight, tap) => weight.set(p.weight.loadSplat(tap * 4)));
        if (isDepthwise) {
          f.if(p.bias, () => {
            start.set(p.bias.loadSplat());
            p.bias.set(p.bias.add(4));
          });
        }
        const top = f.i32(p.source);
        line.set(0);
        f.for(line, p.outH, 1, () => {
          x.set(top);
          left.set(p.outW);
          // Whole vectors of results.
          for (const width of [isDepthwise ? 2 : 4, 1]) {
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
                // The last four results, some of them a second time.
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
        if (isDepthwise) p.weight.set(p.weight.add(kernelH * kernelW * 4));
      };
      f.for(index, p.planes, 1, () => {
        onePlane();
        p.source.set(p.source.add(p.plane));
      });
    },
  );
}
