/**
 * Winograd's convolution F(2 × 2, 3 × 3): what goes into the products and what comes out of them. Four
 * tiles side by side are transformed at once.
 *
 * @see https://arxiv.org/abs/1509.09308
 */
import { storePanel } from "./gemm.js";
import type { FunctionBuilder, I32Var, ModuleBuilder, V128Var } from "./module.js";
import { type V128, v128 } from "./values.js";

/** Results that a tile has on a side, and what they are made of. */
export const SIZE = 2;
export const SIDE = SIZE + 2;

type Vectors = readonly V128[];

/** One row of four tiles: a vector for each place in a tile. */
function readRow(f: FunctionBuilder, at: I32Var): V128Var[] {
  return [0, 2].flatMap((offset) => {
    const [low, high] = [offset, offset + 4].map((from) => f.v128(at.loadV128(from * 4)));
    return [f.v128(low!.shuffle(high!, [0, 2, 4, 6])), f.v128(low!.shuffle(high!, [1, 3, 5, 7]))];
  });
}

/** Bᵀd of one row or column. */
const into = ([a, b, c, d]: Vectors): V128[] => [a!.sub(c!), b!.add(c!), c!.sub(b!), b!.sub(d!)];

/** Aᵀm of one row or column. */
const outOf = ([a, b, c, d]: Vectors): V128[] => [a!.add(b!).add(c!), b!.sub(c!).sub(d!)];

/** G g of one row or column. */
function weightsOf(f: FunctionBuilder, [a, b, c]: Vectors): V128[] {
  const outer = f.v128(a!.add(c!));
  return [a!, outer.add(b!).mul(0.5), outer.sub(b!).mul(0.5), c!];
}

function emitWeights(module: ModuleBuilder): void {
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
            weightsOf(f, [taps[j]!, taps[3 + j]!, taps[6 + j]!]).map((v) => f.v128(v)),
          );
          const to = f.i32(p.to);
          for (let i = 0; i < SIDE; i += 1) {
            const line = columns.map((values) => values[i]!);
            for (const value of weightsOf(f, line)) {
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

export function emitWinograd(module: ModuleBuilder): void {
  emitWeights(module);
  // Tiles of padded planes → panels of 8 tiles, [channel][8], for each of the SIDE² places.
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
          const left = f.i32(p.x.add(tileRow.mul(SIZE).mul(p.row)));
          group.set(0);
          f.for(group, p.groups, 1, () => {
            const at = f.i32(left);
            const rows: V128Var[][] = [];
            for (let i = 0; i < SIDE; i += 1) {
              const read = readRow(f, at);
              rows.push(into(read).map((value) => f.v128(value)));
              at.set(at.add(p.row));
            }
            const panel = index.shr(3).mul(p.channels).add(channel).shl(5);
            const start = f.i32(p.to.add(panel).add(index.and(4).shl(2)));
            // Down the columns; place i·SIDE + j is row i, column j.
            for (let j = 0; j < SIDE; j += 1) {
              const to = f.i32(start.add(p.place.mul(j)));
              const column = into(rows.map((values) => values[j]!));
              column.forEach((value) => {
                f.store(to, value);
                to.set(to.add(p.place.mul(SIDE)));
              });
            }
            left.set(left.add(SIZE * 16));
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
            for (let i = 0; i < SIDE; i += 1) {
              const read: V128Var[] = [];
              for (let j = 0; j < SIDE; j += 1) {
                read.push(f.v128(at.loadV128()));
                at.set(at.add(p.place));
              }
              rows.push(outOf(read).map((value) => f.v128(value)));
            }
            const columns = Array.from({ length: SIZE }, (_, j) =>
              outOf(rows.map((values) => values[j]!)).map((value) => f.v128(value.add(bias))),
            );
            const first = p.out.add(line.mul(p.outW).add(column).shl(2));
            const to = f.i32(first);
            const left = f.i32(p.outW.sub(column));
            for (let i = 0; i < SIZE; i += 1) {
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
            column.set(column.add(SIZE * 4));
          });
          line.set(line.add(SIZE));
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
  const [even, odd] = [values[0]!, values[1]!];
  const inOrder = [
    f.v128(even.shuffle(odd, [0, 4, 1, 5])),
    f.v128(even.shuffle(odd, [2, 6, 3, 7])),
  ];
  f.if(residual, () =>
    inOrder.forEach((value, i) => value.set(value.add(to.add(toResidual).loadV128(i * 16)))),
  );
  for (const value of inOrder) value.set(value.atLeast(low).atMost(high));
  storePanel(f, to, inOrder, left);
}
