/** Windows that slide over one plane: depthwise convolution and pooling. */
import type { FunctionBuilder, I32Var, ModuleBuilder, V128Var } from "./module.js";
import { type I32, type V128, v128 } from "./values.js";

export interface WindowShape {
  kind: "depthwise" | "max" | "sum";
  kernelH: number;
  kernelW: number;
  strideW: number;
  dilationW: number;
}

/** Weights of so many taps stay in registers. */
const MAX_IN_REGISTERS = 9;
/** Vectors of results at a time, where the weights are read again and again. */
const WIDE = 4;

/** Reads every `stride`-th float from an offset on; halves of the same two vectors are read once. */
function reader(f: FunctionBuilder, address: I32, stride: number): (offset: number) => V128 {
  if (stride === 1) return (offset) => address.loadV128(offset * 4);
  if (stride === 2) {
    const pairs = new Map<number, [V128Var, V128Var]>();
    return (offset) => {
      const even = offset & -2;
      const known = pairs.get(even);
      const pair = known ?? [
        f.v128(address.loadV128(even * 4)),
        f.v128(address.loadV128(even * 4 + 16)),
      ];
      pairs.set(even, pair);
      return pair[0].shuffle(pair[1], offset & 1 ? [1, 3, 5, 7] : [0, 2, 4, 6]);
    };
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
 * One plane: `x` with its border, rows `row` bytes apart; `tapRow` and `lineRow` are the bytes from
 * one tap, and from one line of the output, to the one below. `scale` multiplies sums.
 */
export function emitWindows(module: ModuleBuilder, shape: WindowShape): void {
  const { kind, kernelH, kernelW, strideW, dilationW } = shape;
  const taps = kernelH * kernelW;
  const inRegisters = kind === "depthwise" && taps <= MAX_IN_REGISTERS;
  module.function(
    "run",
    {
      x: "i32",
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
      const [low, high] = [f.v128(p.low.splat()), f.v128(p.high.splat())];
      const scale = f.v128(p.scale.splat());
      const weights = inRegisters
        ? Array.from({ length: taps }, (_, tap) => f.v128(p.weight.loadSplat(tap * 4)))
        : [];
      const start = f.v128(v128(kind === "max" ? -Infinity : 0));
      if (kind === "depthwise") f.if(p.bias, () => start.set(p.bias.loadSplat()));
      const [line, left, x] = [f.i32(0), f.i32(), f.i32()];

      const row = (at: I32Var, weight: I32Var | undefined, i: number, acc: V128Var[]): void => {
        const readers = acc.map((_, u) => reader(f, at.add(u * 16 * strideW), strideW));
        for (let j = 0; j < kernelW; j += 1) {
          const known = inRegisters ? weights[i * kernelW + j] : undefined;
          const factor =
            kind === "depthwise" ? (known ?? f.v128(weight!.loadSplat(j * 4))) : undefined;
          acc.forEach((sum, u) => {
            const value = readers[u]!(j * dilationW);
            if (kind === "depthwise") sum.set(f.madd(value, factor!, sum));
            else sum.set(kind === "max" ? sum.max(value) : sum.add(value));
          });
        }
      };
      const block = (width: number, put: (acc: V128Var[]) => void): void => {
        const acc = Array.from({ length: width }, () => f.v128(start));
        const at = f.i32(x);
        if (taps <= MAX_IN_REGISTERS) {
          for (let i = 0; i < kernelH; i += 1) {
            row(at, p.weight.add(i * kernelW * 4) as I32Var, i, acc);
            at.set(at.add(p.tapRow));
          }
        } else {
          const weight = f.i32(p.weight);
          const i = f.i32(kernelH);
          f.doWhile(
            () => {
              row(at, weight, 0, acc);
              at.set(at.add(p.tapRow));
              weight.set(weight.add(kernelW * 4));
              i.set(i.sub(1));
            },
            () => i,
          );
        }
        for (const sum of acc) {
          if (kind === "sum") sum.set(sum.mul(scale));
          if (kind === "depthwise") sum.set(sum.atLeast(low).atMost(high));
        }
        put(acc);
        x.set(x.add(width * 16 * strideW));
        p.out.set(p.out.add(width * 16));
        left.set(left.sub(width * 4));
      };
      const store = (acc: V128Var[]): void => acc.forEach((sum, u) => f.store(p.out, sum, u * 16));

      f.for(line, p.outH, 1, () => {
        x.set(p.x);
        left.set(p.outW);
        for (const width of inRegisters ? [1] : [WIDE, 1]) {
          f.if(left.ge(width * 4), () =>
            f.doWhile(
              () => block(width, store),
              () => left.ge(width * 4),
            ),
          );
        }
        f.if(left, () => {
          const rest = f.i32(left);
          block(1, ([sum]) => f.storeSome(p.out, sum!, rest));
          p.out.set(p.out.add(rest.shl(2)).sub(16));
        });
        p.x.set(p.x.add(p.lineRow));
      });
    },
  );
}
