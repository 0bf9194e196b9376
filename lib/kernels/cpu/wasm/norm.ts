/** Normalisation of rows, in two passes: the deviations are summed after the mean is known. */
import type { FunctionBuilder, I32Var, ModuleBuilder, V128Var } from "./module.js";
import { alongRow, storeOf, sumAlong, sumLanes } from "./rows.js";
import { type I32, v128 } from "./values.js";

/** The mean, and the sum of squares of what is left without it, of a row. */
function moments(f: FunctionBuilder, row: I32, n: I32, inverse: V128Var): [V128Var, V128Var] {
  const sum = sumAlong(f, row, n, (value, all) => all.add(value));
  const mean = f.v128(sumLanes(f, sum).mul(inverse));
  return [mean, deviations(f, row, n, mean)];
}

function deviations(f: FunctionBuilder, row: I32, n: I32, mean: V128Var): V128Var {
  const squares = sumAlong(f, row, n, (value, all) => {
    const rest = f.v128(value.sub(mean));
    return f.madd(rest, rest, all);
  });
  return f.v128(sumLanes(f, squares));
}

export function emitNorm(module: ModuleBuilder): void {
  // x (+ residual) → sum; normalised → out. Weight and bias of each column, or 0.
  for (const kind of ["layerNorm", "rmsNorm"] as const) {
    module.function(
      kind,
      {
        x: "i32",
        residual: "i32",
        rows: "i32",
        n: "i32",
        weight: "i32",
        bias: "i32",
        sum: "i32",
        out: "i32",
        eps: "f32",
      },
      (f, p) => {
        const inverse = f.v128(v128(1).div(p.n.toF32().splat()));
        const i = f.i32(0);
        const bytes = f.i32(p.n.shl(2));
        f.for(i, p.rows, 1, () => {
          f.if(p.residual, () => {
            alongRow(f, p.n, (offset, rest) => {
              const value = p.x.add(offset).loadV128().add(p.residual.add(offset).loadV128());
              storeOf(f, p.sum.add(offset), value, rest);
            });
            p.residual.set(p.residual.add(bytes));
          });
          const row = f.i32(p.residual.select(p.sum, p.x));
          const mean = f.v128(v128(0));
          const squares = f.v128();
          if (kind === "layerNorm") {
            const [first, second] = moments(f, row, p.n, inverse);
            mean.set(first);
            squares.set(second);
          } else squares.set(deviations(f, row, p.n, mean));
          const variance = squares.mul(inverse).add(p.eps.splat());
          const scale = f.v128(v128(1).div(variance.sqrt()));
          const finish = (weight: I32 | undefined, bias: I32 | undefined): void =>
            alongRow(f, p.n, (offset, rest) => {
              let value = row.add(offset).loadV128().sub(mean).mul(scale);
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
          for (const pointer of [p.x, p.sum, p.out]) pointer.set(pointer.add(bytes));
        });
      },
    );
  }

  // Mean and 1 / √(variance + eps) of each row → pairs of floats.
  module.function(
    "moments",
    { x: "i32", rows: "i32", n: "i32", out: "i32", eps: "f32" },
    (f, p) => {
      const inverse = f.v128(v128(1).div(p.n.toF32().splat()));
      const i = f.i32(0);
      f.for(i, p.rows, 1, () => {
        const [mean, squares] = moments(f, p.x, p.n, inverse);
        const variance = squares.mul(inverse).add(p.eps.splat());
        f.storeF32(p.out, mean.lane(0));
        f.storeF32(p.out, v128(1).div(variance.sqrt()).lane(0), 4);
        p.x.set(p.x.add(p.n.shl(2)));
        p.out.set(p.out.add(8));
      });
    },
  );

  // Mean and scale of a group, weight and bias of its channels → scale and shift of each channel.
  module.function(
    "groupPairs",
    { stats: "i32", channels: "i32", weight: "i32", bias: "i32", pairs: "i32" },
    (f, p) => {
      const [mean, scale] = [f.f32(p.stats.loadF32()), f.f32(p.stats.loadF32(4))];
      const [channel, offset] = [f.i32(0), f.i32(0)];
      const [factor, shift] = [f.f32(), f.f32()];
      f.for(channel, p.channels, 1, () => {
        factor.set(scale);
        shift.set(0);
        f.if(p.weight, () => factor.set(scale.mul(p.weight.add(offset).loadF32())));
        f.if(p.bias, () => shift.set(p.bias.add(offset).loadF32()));
        const to = f.i32(p.pairs.add(channel.shl(3)));
        f.storeF32(to, factor);
        f.storeF32(to, shift.sub(mean.mul(factor)), 4);
        offset.set(offset.add(4));
      });
    },
  );

  // x·scale + shift, one pair of floats for each row.
  module.function(
    "scaleRows",
    { x: "i32", rows: "i32", n: "i32", pairs: "i32", out: "i32" },
    (f, p) => {
      const i = f.i32(0);
      const advance = (pointer: I32Var): void => pointer.set(pointer.add(p.n.shl(2)));
      f.for(i, p.rows, 1, () => {
        const [scale, shift] = [f.v128(p.pairs.loadSplat()), f.v128(p.pairs.loadSplat(4))];
        alongRow(f, p.n, (offset, rest) => {
          const value = f.madd(p.x.add(offset).loadV128(), scale, shift);
          storeOf(f, p.out.add(offset), value, rest);
        });
        advance(p.x);
        advance(p.out);
        p.pairs.set(p.pairs.add(8));
      });
    },
  );
}
