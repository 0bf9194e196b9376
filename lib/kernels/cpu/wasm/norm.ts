/**
 * Normalisation of rows. Deviations are summed after the mean is known, and the rounding error of
 * the mean is then subtracted from them; else rows far from zero would lose all digits.
 */
import type { FunctionBuilder, I32Var, ModuleBuilder, V128Var } from "./module.js";
import { alongRow, storeOf, sumAlong, sumLanes } from "./rows.js";
import { type I32, v128 } from "./values.js";

interface Moments {
  mean: V128Var;
  /** The rounding error of the mean. */
  rest: V128Var;
  /** The sum of squares of the deviations from both. */
  squares: V128Var;
}

function moments(f: FunctionBuilder, row: I32, n: I32, inverse: V128Var): Moments {
  const sum = sumAlong(f, row, n, (value, all) => all.add(value));
  const mean = f.v128(sumLanes(f, sum).mul(inverse));
  const left = sumAlong(f, row, n, (value, all) => all.add(value.sub(mean)));
  const rest = f.v128(sumLanes(f, left).mul(inverse));
  const squares = sumAlong(f, row, n, (value, all) => {
    const off = f.v128(value.sub(mean).sub(rest));
    return f.madd(off, off, all);
  });
  return { mean, rest, squares: f.v128(sumLanes(f, squares)) };
}

function sumOfSquares(f: FunctionBuilder, row: I32, n: I32): V128Var {
  const squares = sumAlong(f, row, n, (value, all) => {
    const x = f.v128(value);
    return f.madd(x, x, all);
  });
  return f.v128(sumLanes(f, squares));
}

export function emitNorm(module: ModuleBuilder): void {
  // x [rows, n] → out, with a weight and a bias for each column, or 0.
  for (const kind of ["layerNorm", "rmsNorm"] as const) {
    module.function(
      kind,
      {
        x: "i32",
        rows: "i32",
        n: "i32",
        weight: "i32",
        bias: "i32",
        out: "i32",
        eps: "f32",
      },
      (f, p) => {
        const inverse = f.v128(v128(1).div(p.n.toF32().splat()));
        const i = f.i32(0);
        const bytes = f.i32(p.n.shl(2));
        f.for(i, p.rows, 1, () => {
          const found = kind === "layerNorm" ? moments(f, p.x, p.n, inverse) : null;
          const squares = found?.squares ?? sumOfSquares(f, p.x, p.n);
          const variance = squares.mul(inverse).add(p.eps.splat());
          const scale = f.v128(v128(1).div(variance.sqrt()));
          const finish = (weight: I32 | undefined, bias: I32 | undefined): void =>
            alongRow(f, p.n, (offset, rest) => {
              const x = p.x.add(offset).loadV128();
              let value = (found ? x.sub(found.mean).sub(found.rest) : x).mul(scale);
              if (bias) {
                value = f.madd(value, weight!.add(offset).loadV128(), bias.add(offset).loadV128());
              } else if (weight) value = value.mul(weight.add(offset).loadV128());
              storeOf(f, p.out.add(offset), value, rest);
            });
          f.if(
            p.weight,
            () =>
              f.if(
                p.bias,
                () => finish(p.weight, p.bias),
                () => finish(p.weight, undefined),
              ),
            () => finish(undefined, undefined),
          );
          for (const pointer of [p.x, p.out]) pointer.set(pointer.add(bytes));
        });
      },
    );
  }

  // For each row three floats: mean, 1 / √(variance + eps), and the rounding error of the mean.
  module.function("moments", { x: "i32", n: "i32", out: "i32", eps: "f32" }, (f, p) => {
    const inverse = f.v128(v128(1).div(p.n.toF32().splat()));
    const { mean, rest, squares } = moments(f, p.x, p.n, inverse);
    const variance = squares.mul(inverse).add(p.eps.splat());
    f.storeF32(p.out, mean.lane(0));
    f.storeF32(p.out, v128(1).div(variance.sqrt()).lane(0), 4);
    f.storeF32(p.out, rest.lane(0), 8);
  });

  // For each channel of a group its factor and its shift, and both parts of the group's mean.
  module.function(
    "groupPairs",
    { stats: "i32", channels: "i32", weight: "i32", bias: "i32", pairs: "i32" },
    (f, p) => {
      const [mean, scale] = [f.f32(p.stats.loadF32()), f.f32(p.stats.loadF32(4))];
      const rest = f.f32(p.stats.loadF32(8));
      const [channel, offset] = [f.i32(0), f.i32(0)];
      const [factor, shift] = [f.f32(), f.f32()];
      f.for(channel, p.channels, 1, () => {
        factor.set(scale);
        shift.set(0);
        f.if(p.weight, () => factor.set(scale.mul(p.weight.add(offset).loadF32())));
        f.if(p.bias, () => shift.set(p.bias.add(offset).loadF32()));
        const to = f.i32(p.pairs.add(channel.shl(4)));
        f.storeF32(to, factor);
        f.storeF32(to, shift, 4);
        f.storeF32(to, mean, 8);
        f.storeF32(to, rest, 12);
        offset.set(offset.add(4));
      });
    },
  );

  // (x - mean - rest)·factor + shift, with four floats per row.
  module.function(
    "scaleRows",
    { x: "i32", rows: "i32", n: "i32", pairs: "i32", out: "i32" },
    (f, p) => {
      const i = f.i32(0);
      const advance = (pointer: I32Var): void => pointer.set(pointer.add(p.n.shl(2)));
      f.for(i, p.rows, 1, () => {
        const [scale, shift] = [f.v128(p.pairs.loadSplat()), f.v128(p.pairs.loadSplat(4))];
        const [mean, rest] = [f.v128(p.pairs.loadSplat(8)), f.v128(p.pairs.loadSplat(12))];
        alongRow(f, p.n, (offset, left) => {
          const centred = p.x.add(offset).loadV128().sub(mean).sub(rest);
          storeOf(f, p.out.add(offset), f.madd(centred, scale, shift), left);
        });
        advance(p.x);
        advance(p.out);
        p.pairs.set(p.pairs.add(16));
      });
    },
  );
}
