/**
 * Depthwise convolution of planes in place. Lines past the edge are replaced by a line of zeros,
 * and what taps read past the ends of a line is masked. Two lines at a time share what they read,
 * and each column of taps has its own sum, so that an addition need not wait for the one before.
 */
import type { FunctionBuilder, I32Var, ModuleBuilder, V128Var } from "./module.js";
import { i32, v128 } from "./values.js";
import { MAX_IN_REGISTERS, reader } from "./windows.js";

export interface DepthwiseShape {
  kernelH: number;
  kernelW: number;
  strideW: number;
  dilationW: number;
  /**
   * How many lines of results are computed at a time; two where their windows are one line apart.
   */
  lines: 1 | 2;
  /** The columns of taps that reach past the ends of a line. */
  masked: readonly number[];
}

/**
 * Processes planes one after the other; `scratch` has room for a mask of `outW + 4` floats for each
 * masked column, and for a line of zeros.
 */
export function emitDepthwise(module: ModuleBuilder, shape: DepthwiseShape): void {
  const { kernelH, kernelW, strideW, dilationW, lines, masked } = shape;
  const taps = kernelH * kernelW;
  const rowCount = kernelH + lines - 1;
  module.function(
    "run",
    {
      x: "i32", planes: "i32", height: "i32", width: "i32", top: "i32", left: "i32", strideH: "i32",
      dilationH: "i32", outH: "i32", outW: "i32", weight: "i32", bias: "i32",
      out: "i32", scratch: "i32", low: "f32", high: "f32",
    }, // prettier-ignore
    (f, p) => {
      const [low, high] = [f.v128(p.low.splat()), f.v128(p.high.splat())];
      const masks = new Map(
        masked.map((j) => [j, writeMask(f, p, { strideW, offset: j * dilationW })]),
      );
      f.fillBytes(p.scratch, p.width.shl(2));
      const zeros = f.i32(p.scratch.sub(p.left.shl(2)));
      const row = f.i32(p.width.shl(2));
      p.x.set(p.x.sub(p.left.shl(2)));
      const start = f.v128(v128(0));
      const weights = taps <= MAX_IN_REGISTERS ? f.vectors(taps) : [];
      const [index, line, column] = [f.i32(0), f.i32(), f.i32()];
      const last = f.i32(p.outW.sub(4).shl(2));
      const isMore = f.i32();
      const never = f.i32(p.planes.lt(0));
      /**
       * Makes sure that numbers are computed before the code below is reached: V8 would load all
       * taps first, and run out of registers.
       */
      const settle = (values: readonly V128Var[]): void =>
        f.if(never, () => values.forEach((value) => value.set(v128(0))));

      const block = (rows: readonly I32Var[], to: readonly I32Var[]): void => {
        const readers = rows.map((at) => reader(f, f.i32(at.add(column.mul(strideW))), strideW));
        const totals = to.map(() => f.v128(start));
        const sums = to.map((): V128Var[] => []);
        const known = [...weights];
        const weightOf = (tap: number): V128Var =>
          (known[tap] ??= f.v128(p.weight.loadSplat(tap * 4)));
        const byColumn = strideW === 1;
        // Column by column if each tap is loaded by itself, row by row if neighbours are loaded
        // together.
        for (let at = 0; at < rowCount * kernelW; at += 1) {
          const [i, j] = byColumn
            ? [at % rowCount, Math.floor(at / rowCount)]
            : [Math.floor(at / kernelW), at % kernelW];
          const value = f.v128(readers[i]!(j * dilationW));
          sums.forEach((columns, l) => {
            if (i < l || i - l >= kernelH) return;
            const factor = weightOf((i - l) * kernelW + j);
            const sum = columns[j];
            if (sum) sum.set(f.madd(value, factor, sum));
            else columns[j] = f.v128(value.mul(factor));
          });
          if (!byColumn && j === kernelW - 1 && i < rowCount - 1) settle(sums.flat());
          if (i < rowCount - 1) continue;
          const mask = masks.get(j);
          const bits = mask && f.v128(mask.add(column).loadV128());
          totals.forEach((total, l) => {
            const sum = sums[l]![j]!;
            total.set(total.add(bits ? sum.and(bits) : sum));
          });
          if (byColumn && j < kernelW - 1) settle(totals);
        }
        // Backwards, so that a last line that occurs twice ends with its own numbers.
        for (let l = lines - 1; l >= 0; l -= 1) {
          const value = totals[l]!.atLeast(low).atMost(high);
          f.store(to[l]!.add(column), value);
        }
      };

      const onePlane = (): void => {
        weights.forEach((weight, tap) => weight.set(p.weight.loadSplat(tap * 4)));
        f.if(p.bias, () => {
          start.set(p.bias.loadSplat());
          p.bias.set(p.bias.add(4));
        });
        line.set(0);
        f.for(line, p.outH, lines, () => {
          const rows = Array.from({ length: rowCount }, (_, i) => {
            const at = f.i32(line.mul(p.strideH).add(p.dilationH.mul(i)).sub(p.top));
            return f.i32(at.below(p.height).select(p.x.add(at.mul(row)), zeros));
          });
          const to = [f.i32(p.out)];
          const below = line.add(1).lt(p.outH).select(p.outW.shl(2), 0);
          if (lines > 1) to.push(f.i32(p.out.add(below)));
          column.set(0);
          f.doWhile(
            () => {
              block(rows, to);
              isMore.set(column.lt(last));
              column.set(column.add(16).min(last)); // the last four, some of them a second time
            },
            () => isMore,
          );
          p.out.set(to.at(-1)!.add(p.outW.shl(2)));
        });
        p.weight.set(p.weight.add(taps * 4));
      };
      f.for(index, p.planes, 1, () => {
        onePlane();
        p.x.set(p.x.add(p.height.mul(row)));
      });
    },
  );
}

/** Writes for each result whether a tap is inside of its line, and advances `scratch`. */
function writeMask(
  f: FunctionBuilder,
  { scratch, outW, left, width }: Record<"scratch" | "outW" | "left" | "width", I32Var>,
  { strideW, offset }: { strideW: number; offset: number },
): I32Var {
  const mask = f.i32(scratch);
  const at = f.i32(i32(offset).sub(left));
  const end = f.i32(scratch.add(outW.shl(2)));
  f.for(scratch, end, 4, () => {
    f.store(scratch, i32(0).sub(at.below(width)).splat());
    at.set(at.add(strideW));
  });
  scratch.set(scratch.add(16));
  return mask;
}
