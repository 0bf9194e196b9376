/**
 * Winograd's convolutions F(2 × 2, 3 × 3) and F(4 × 4, 3 × 3): what goes into the products and what
 * comes out of them. Four tiles side by side are transformed at once.
 *
 * @see https://arxiv.org/abs/1509.09308
 */
import type { FunctionBuilder, I32Var, ModuleBuilder, V128Var } from "./module.js";
import { type V128, v128 } from "./values.js";

/** Results a tile has on a side. */
export type TileSize = 2 | 4;

/**
 * F(4 × 4) interpolates at 0, ±1/√2, ±√2 and ∞, which rounds better than the whole numbers of the
 * paper.
 */
const ROOT = Math.SQRT2;

type Vectors = readonly V128[];

/** Four numbers of each of four vectors, turned around. */
function turn(f: FunctionBuilder, [a, b, c, d]: Vectors): V128Var[] {
  const low = [f.v128(a!.shuffle(b!, [0, 4, 1, 5])), f.v128(c!.shuffle(d!, [0, 4, 1, 5]))];
  const high = [f.v128(a!.shuffle(b!, [2, 6, 3, 7])), f.v128(c!.shuffle(d!, [2, 6, 3, 7]))];
  return [low, high].flatMap(([left, right]) => [
    f.v128(left!.shuffle(right!, [0, 1, 4, 5])),
    f.v128(left!.shuffle(right!, [2, 3, 6, 7])),
  ]);
}

/** One row of four tiles: a vector for each place in a tile, `size + 2` of them. */
function readRow(f: FunctionBuilder, at: I32Var, size: TileSize): V128Var[] {
  const load = (offset: number): V128Var => f.v128(at.loadV128(offset * 4));
  if (size === 4) {
    const columns = turn(f, [0, 4, 8, 12].map(load));
    const next = load(16);
    const shifted = [0, 1].map((i) => f.v128(columns[i]!.shuffle(next, [1, 2, 3, 4 + i])));
    return [...columns, ...shifted];
  }
  return [0, 2].flatMap((offset) => {
    const [low, high] = [load(offset), load(offset + 4)];
    return [f.v128(low.shuffle(high, [0, 2, 4, 6])), f.v128(low.shuffle(high, [1, 3, 5, 7]))];
  });
}

/** Bᵀd of one row or column. */
function into(f: FunctionBuilder, d: Vectors, size: TileSize): V128[] {
  if (size === 2) return [d[0]!.sub(d[2]!), d[1]!.add(d[2]!), d[2]!.sub(d[1]!), d[1]!.sub(d[3]!)];
  const t1 = f.v128(f.madd(d[2]!, v128(-2), d[4]!));
  const t2 = f.v128(f.madd(d[3]!, v128(ROOT / 2), d[1]!.mul(-ROOT)));
  const t3 = f.v128(f.madd(d[2]!, v128(-0.5), d[4]!));
  const t4 = f.v128(f.madd(d[3]!, v128(ROOT), d[1]!.mul(-ROOT / 2)));
  return [
    f.madd(d[2]!, v128(-2.5), d[4]!).add(d[0]!),
    t1.add(t2),
    t1.sub(t2),
    t3.add(t4),
    t3.sub(t4),
    f.madd(d[3]!, v128(-2.5), d[5]!).add(d[1]!),
  ];
}

/** Aᵀm of one row or column. */
function outOf(f: FunctionBuilder, m: Vectors, size: TileSize): V128[] {
  if (size === 2) return [m[0]!.add(m[1]!).add(m[2]!), m[1]!.sub(m[2]!).sub(m[3]!)];
  const s1 = f.v128(m[1]!.add(m[2]!));
  const s2 = f.v128(m[1]!.sub(m[2]!));
  const s3 = f.v128(m[3]!.add(m[4]!));
  const s4 = f.v128(m[3]!.sub(m[4]!));
  return [
    m[0]!.add(s1).add(s3),
    f.madd(s4, v128(ROOT), s2.mul(ROOT / 2)),
    f.madd(s3, v128(2), s1.mul(0.5)),
    f.madd(s4, v128(2 * ROOT), s2.mul(ROOT / 4)).add(m[5]!),
  ];
}

/** G g of one row or column. */
function weightsOf(f: FunctionBuilder, [a, b, c]: Vectors, size: TileSize): V128[] {
  const outer = f.v128(a!.add(c!));
  if (size === 2) return [a!, outer.add(b!).mul(0.5), outer.sub(b!).mul(0.5), c!];
  const even = f.v128(f.madd(a!, v128(-2 / 3), c!.mul(-1 / 3)));
  const odd = f.v128(b!.mul(-ROOT / 3));
  const even2 = f.v128(f.madd(a!, v128(1 / 6), c!.mul(1 / 3)));
  const odd2 = f.v128(b!.mul(ROOT / 6));
  return [a!, even.add(odd), even.sub(odd), even2.add(odd2), even2.sub(odd2), c!];
}

function emitWeights(module: ModuleBuilder, size: TileSize): void {
  const side = size + 2;
  // [rows, channels, 3, 3] → strips of 4 rows for each place; missing rows are the last one again.
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
            weightsOf(f, [taps[j]!, taps[3 + j]!, taps[6 + j]!], size).map((v) => f.v128(v)),
          );
          const to = f.i32(p.to);
          for (let i = 0; i < side; i += 1) {
            const line = columns.map((values) => values[i]!);
            for (const value of weightsOf(f, line, size)) {
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

export function emitWinograd(module: ModuleBuilder, size: TileSize): void {
  const side = size + 2;
  emitWeights(module, size);
  // Tiles of padded planes → panels of 8 tiles, [channel][8], for each of the side² places.
  module.function(
    "input",
    {
      x: "i32",
      channels: "i32",
      plane: "i32",
      row: "i32",
      tileRows: "i32",
      groups: "i32",
      to: "i32",
      place: "i32",
    },
    (f, p) => {
      const [channel, tileRow, group, index] = [f.i32(0), f.i32(), f.i32(), f.i32()];
      f.for(channel, p.channels, 1, () => {
        tileRow.set(0);
        index.set(0);
        f.for(tileRow, p.tileRows, 1, () => {
          const left = f.i32(p.x.add(tileRow.mul(size).mul(p.row)));
          group.set(0);
          f.for(group, p.groups, 1, () => {
            const at = f.i32(left);
            const rows: V128Var[][] = [];
            for (let i = 0; i < side; i += 1) {
              const read = readRow(f, at, size);
              rows.push(into(f, read, size).map((value) => f.v128(value)));
              at.set(at.add(p.row));
            }
            const panel = index.shr(3).mul(p.channels).add(channel).shl(5);
            const start = f.i32(p.to.add(panel).add(index.and(4).shl(2)));
            // Down the columns; place i·side + j is row i, column j.
            for (let j = 0; j < side; j += 1) {
              const to = f.i32(start.add(p.place.mul(j)));
              const column = into(
                f,
                rows.map((values) => values[j]!),
                size,
              );
              column.forEach((value) => {
                f.store(to, value);
                to.set(to.add(p.place.mul(side)));
              });
            }
            left.set(left.add(size * 16));
            index.set(index.add(4));
          });
        });
        p.x.set(p.x.add(p.plane));
      });
    },
  );

  // Products [place][channel][tile] → clamp(tiles + bias + residual).
  module.function(
    "output",
    {
      products: "i32",
      place: "i32",
      productRow: "i32",
      channels: "i32",
      outH: "i32",
      outW: "i32",
      tileRows: "i32",
      groups: "i32",
      bias: "i32",
      out: "i32",
      outPlane: "i32",
      residual: "i32",
      low: "f32",
      high: "f32",
    },
    (f, p) => {
      const [low, high] = [f.v128(p.low.splat()), f.v128(p.high.splat())];
      const toResidual = f.i32(p.residual.sub(p.out));
      const [channel, tileRow, group, line] = [f.i32(0), f.i32(), f.i32(), f.i32()];
      const column = f.i32();
      const bias = f.v128(v128(0));
      f.for(channel, p.channels, 1, () => {
        f.if(p.bias, () => {
          bias.set(p.bias.loadSplat());
          p.bias.set(p.bias.add(4));
        });
        const from = f.i32(p.products);
        tileRow.set(0);
        line.set(0);
        f.for(tileRow, p.tileRows, 1, () => {
          column.set(0);
          group.set(0);
          f.for(group, p.groups, 1, () => {
            const at = f.i32(from);
            const rows: V128Var[][] = [];
            for (let i = 0; i < side; i += 1) {
              const read: V128Var[] = [];
              for (let j = 0; j < side; j += 1) {
                read.push(f.v128(at.loadV128()));
                at.set(at.add(p.place));
              }
              rows.push(outOf(f, read, size).map((value) => f.v128(value)));
            }
            const columns = Array.from({ length: size }, (_, j) =>
              outOf(
                f,
                rows.map((values) => values[j]!),
                size,
              ).map((value) => f.v128(value.add(bias))),
            );
            const first = p.out.add(line.mul(p.outW).add(column).shl(2));
            const to = f.i32(first);
            const left = f.i32(p.outW.sub(column));
            for (let i = 0; i < size; i += 1) {
              f.if(line.add(i).lt(p.outH), () =>
                storeLine(
                  f,
                  to,
                  left,
                  columns.map((values) => values[i]!),
                  {
                    residual: p.residual,
                    toResidual,
                    low,
                    high,
                  },
                ),
              );
              to.set(to.add(p.outW.shl(2)));
            }
            from.set(from.add(16));
            column.set(column.add(size * 4));
          });
          line.set(line.add(size));
        });
        p.products.set(p.products.add(p.productRow));
        p.out.set(p.out.add(p.outPlane));
      });
    },
  );
}

interface Finish {
  residual: I32Var;
  toResidual: I32Var;
  low: V128Var;
  high: V128Var;
}

/** Stores a line of four tiles, as far as the image goes. */
function storeLine(
  f: FunctionBuilder,
  to: I32Var,
  left: I32Var,
  values: V128Var[],
  { residual, toResidual, low, high }: Finish,
): void {
  const inOrder =
    values.length === 4
      ? turn(f, values)
      : [
          f.v128(values[0]!.shuffle(values[1]!, [0, 4, 1, 5])),
          f.v128(values[0]!.shuffle(values[1]!, [2, 6, 3, 7])),
        ];
  f.if(residual, () =>
    inOrder.forEach((value, i) => value.set(value.add(to.add(toResidual).loadV128(i * 16)))),
  );
  for (const value of inOrder) value.set(value.atLeast(low).atMost(high));
  f.if(
    left.ge(inOrder.length * 4),
    () => inOrder.forEach((value, i) => f.store(to, value, i * 16)),
    () =>
      inOrder.forEach((value, i) => {
        const rest = f.i32(left.sub(i * 4));
        f.if(
          rest.ge(4),
          () => f.store(to, value, i * 16),
          () => f.if(rest.gt(0), () => f.storeSome(to.add(i * 16), value, rest)),
        );
      }),
  );
}
