/**
 * Winograd's convolution: the transformations before and after its products. Four consecutive tiles
 * of the image, row by row of tiles, are transformed at once, each in one lane.
 *
 * @see https://arxiv.org/abs/1509.09308
 */
import { type Matrix, pairs, type Tiles } from "../tiles.js";
import { type FunctionBuilder, type I32Var, type ModuleBuilder, V128Var } from "./module.js";
import { type I32, store, type V128, v128 } from "./values.js";

type Vectors = readonly V128[];

const kept = (f: FunctionBuilder, values: Vectors): V128Var[] =>
  values.map((one) => (one instanceof V128Var ? one : f.v128(one)));

const columnOf = <T>(rows: readonly (readonly T[])[], j: number): T[] => rows.map((row) => row[j]!);

const inPairs = (f: FunctionBuilder, x: Vectors): V128[] =>
  pairs(
    kept(f, x),
    (a, b): V128 => a.add(b),
    (a, b) => a.sub(b),
  );

/** `M x`, summed from the last term on, whose factor is 1 in most rows. */
const times = (f: FunctionBuilder, matrix: Matrix, x: Vectors): V128[] =>
  matrix.map((row) =>
    row.reduceRight<V128 | null>((sum, factor, i) => {
      const value = x[i]!;
      if (factor === 0) return sum;
      if (factor === 1) return sum?.add(value) ?? value;
      if (sum === null) return value.mul(factor);
      return factor === -1 ? sum.sub(value) : f.madd(value, v128(factor), sum);
    }, null)!,
  );

/** Transposes four vectors. */
function transposed(f: FunctionBuilder, [a, b, c, d]: Vectors): V128Var[] {
  const zip = (one: V128, other: V128): V128Var[] =>
    kept(f, [one.shuffle(other, [0, 4, 1, 5]), one.shuffle(other, [2, 6, 3, 7])]);
  const right = zip(c!, d!);
  return zip(a!, b!).flatMap((pair, i) =>
    kept(f, [pair.shuffle(right[i]!, [0, 1, 4, 5]), pair.shuffle(right[i]!, [2, 3, 6, 7])]),
  );
}

interface Place {
  at: I32Var;
  column: I32Var;
  /** The lines of the image that are left. */
  lines: I32Var;
  /** The number of tiles side by side. */
  across: I32;
  /** Bytes from one line of the image to the next. */
  row: I32;
}

const placeIn = (f: FunctionBuilder, across: I32, row: I32): Place => {
  const [at, column, lines] = [f.i32(), f.i32(), f.i32()];
  return { at, column, lines, across, row };
};

/** Advances to the next tile. */
function goOn(f: FunctionBuilder, size: number, { at, column, lines, across, row }: Place): void {
  at.set(at.add(size * 4));
  column.set(column.add(1));
  f.if(column.eq(across), () => {
    column.set(0);
    at.set(at.add(row.sub(across.shl(2)).mul(size)));
    lines.set(lines.sub(size));
  });
}

export function emitWinograd(module: ModuleBuilder, tiles: Tiles): void {
  emitWeights(module, tiles);
  emitInput(module, tiles);
  emitOutput(module, tiles);
}

/**
 * [rows, channels, 3, 3] → strips of 4 rows for each element of a tile; missing rows repeat the
 * last one.
 */
function emitWeights(module: ModuleBuilder, { weights }: Tiles): void {
  module.function(
    "weights",
    { w: "i32", rows: "i32", channels: "i32", to: "i32", place: "i32" },
    (f, p) => {
      const [row, channel] = [f.i32(0), f.i32()];
      const bytes = f.i32(p.channels.mul(36));
      f.for(row, p.rows, 4, () => {
        const from = [f.i32(p.w)];
        for (let i = 1; i < 4; i += 1) {
          from.push(f.i32(from[i - 1]!.add(row.add(i).lt(p.rows).select(bytes, 0))));
        }
        channel.set(0);
        f.for(channel, p.channels, 1, () => {
          const taps = Array.from({ length: 9 }, (_, tap) => {
            const lanes = f.v128(from[0]!.loadLow(tap * 4));
            for (let i = 1; i < 4; i += 1) lanes.set(lanes.loadLane(i, from[i]!, tap * 4));
            return lanes;
          });
          const columns = [0, 1, 2].map((j) =>
            kept(f, inPairs(f, times(f, weights, [taps[j]!, taps[3 + j]!, taps[6 + j]!]))),
          );
          const to = f.i32(p.to);
          for (let i = 0; i < weights.length; i += 1) {
            for (const value of inPairs(f, times(f, weights, columnOf(columns, i)))) {
              f.store(to, value);
              to.set(to.add(p.place));
            }
          }
          for (const address of from) address.set(address.add(36));
          p.to.set(p.to.add(16));
        });
        p.w.set(p.w.add(bytes.shl(2)));
      });
    },
  );
}

/** Tiles of padded planes → panels of 8 tiles, [channel][8], for each of the side² elements. */
function emitInput(module: ModuleBuilder, { into, outOf }: Tiles): void {
  const [side, size] = [into.length, outOf.length];
  module.function(
    "input",
    {
      x: "i32", channels: "i32", plane: "i32", row: "i32", column: "i32", across: "i32",
      tiles: "i32", to: "i32", place: "i32",
    }, // prettier-ignore
    (f, p) => {
      const [channel, index, left] = [f.i32(0), f.i32(), f.i32()];
      const down = f.i32(p.place.mul(side));
      const here = placeIn(f, p.across, p.row);
      f.for(channel, p.channels, 1, () => {
        here.at.set(p.x);
        here.column.set(p.column);
        left.set(p.tiles);
        index.set(0);
        f.for(index, p.tiles, 4, () => {
          const four = Array.from({ length: 4 }, () => {
            const tile = f.i32(here.at);
            left.set(left.sub(1));
            // The last tile is repeated for those past the end.
            f.if(left.gt(0), () => goOn(f, size, here));
            return tile;
          });
          const rows = Array.from({ length: side }, () => {
            const read = (side > 4 ? [0, 16] : [0]).flatMap((offset) =>
              transposed(f, kept(f, four.map((tile) => tile.loadV128(offset)))),
            ); // prettier-ignore
            const row = kept(f, inPairs(f, times(f, into, read)));
            for (const tile of four) tile.set(tile.add(p.row));
            return row;
          });
          const panel = index.shr(3).mul(p.channels).add(channel).shl(5);
          const start = f.i32(p.to.add(panel).add(index.and(4).shl(2)));
          // Transforms the columns; element i·side + j is row i, column j.
          for (let j = 0; j < side; j += 1) {
            const to = f.i32(start.add(p.place.mul(j)));
            for (const value of inPairs(f, times(f, into, columnOf(rows, j)))) {
              f.store(to, value);
              to.set(to.add(down));
            }
          }
        });
        p.x.set(p.x.add(p.plane));
      });
    },
  );
}

/**
 * Products [element][channel][tile] → clamp(results + bias + residual); the products are
 * overwritten.
 */
function emitOutput(module: ModuleBuilder, { into, outOf }: Tiles): void {
  const [side, size] = [into.length, outOf.length];
  module.function(
    "output",
    {
      products: "i32", place: "i32", productRow: "i32", channels: "i32", column: "i32",
      across: "i32", tiles: "i32", lines: "i32", outW: "i32", bias: "i32", out: "i32",
      outPlane: "i32", residual: "i32", low: "f32", high: "f32",
    }, // prettier-ignore
    (f, p) => {
      const [low, high] = [f.v128(p.low.splat()), f.v128(p.high.splat())];
      const toResidual = f.i32(p.residual.sub(p.out));
      const [channel, index, tile] = [f.i32(0), f.i32(), f.i32()];
      const here = placeIn(f, p.across, f.i32(p.outW.shl(2)));
      const bias = f.v128(v128(0));
      f.for(channel, p.channels, 1, () => {
        f.if(p.bias, () => {
          bias.set(p.bias.loadSplat());
          p.bias.set(p.bias.add(4));
        });
        const from = f.i32(p.products);
        here.at.set(p.out);
        here.column.set(p.column);
        here.lines.set(p.lines);
        index.set(0);
        f.for(index, p.tiles, 4, () => {
          const place = f.i32(from);
          const rows = Array.from({ length: side }, () => {
            const row = Array.from({ length: side }, () => {
              const value = f.v128(place.loadV128());
              place.set(place.add(p.place));
              return value;
            });
            return kept(f, times(f, outOf, kept(f, inPairs(f, row))));
          });
          const columns = Array.from({ length: size }, (_, j) =>
            kept(f, times(f, outOf, kept(f, inPairs(f, columnOf(rows, j)))).map((value) => value.add(bias))),
          ); // prettier-ignore
          // Each tile is written over its products first and from there to the image, so that few
          // vectors are live.
          const results = Array.from({ length: size }, (_, i) =>
            transposed(f, [0, 1, 2, 3].map((j) => columns[j % size]![i]!)),
          ); // prettier-ignore
          place.set(from);
          for (const value of [0, 1, 2, 3].flatMap((j) => columnOf(results, j))) {
            f.store(place, value);
            place.set(place.add(p.place));
          }
          place.set(from);
          tile.set(index);
          f.for(tile, p.tiles.min(index.add(4)), 1, () => {
            const to = f.i32(here.at);
            const width = f.i32(p.outW.sub(here.column.mul(size)));
            for (let i = 0; i < size; i += 1) {
              f.if(here.lines.gt(i), () => {
                const value = f.v128(place.loadV128());
                f.if(p.residual, () => value.set(value.add(to.add(toResidual).loadV128())));
                value.set(value.atLeast(low).atMost(high));
                f.if(
                  width.ge(size),
                  () => (size === 4 ? f.store(to, value) : f.emit(store.pair(to, value, 0, 0))),
                  () => f.storeSome(to, value, width),
                );
              });
              to.set(to.add(here.row));
              place.set(place.add(p.place));
            }
            goOn(f, size, here);
          });
          from.set(from.add(16));
        });
        p.products.set(p.products.add(p.productRow));
        p.out.set(p.out.add(p.outPlane));
      });
    },
  );
}
