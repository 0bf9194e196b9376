/** Packs matrices into the strips and panels that the matrix product reads. */
import type { FunctionBuilder, I32Var, ModuleBuilder } from "./module.js";
import type { I32, V128 } from "./values.js";

/** Transposes a 4 × 4 block: what is at four addresses becomes lanes 0 to 3. */
export function transposed(f: FunctionBuilder, from: readonly I32[]): V128[] {
  const [a, b, c, d] = from.map((address) => f.v128(address.loadV128()));
  const low = [f.v128(a!.shuffle(b!, [0, 4, 1, 5])), f.v128(c!.shuffle(d!, [0, 4, 1, 5]))];
  const high = [f.v128(a!.shuffle(b!, [2, 6, 3, 7])), f.v128(c!.shuffle(d!, [2, 6, 3, 7]))];
  return [low, high].flatMap(([left, right]) => [
    left!.shuffle(right!, [0, 1, 4, 5]),
    left!.shuffle(right!, [2, 3, 6, 7]),
  ]);
}

/** Packs 4 rows of length `k` into lanes that are `step` bytes apart. */
function packRows(
  f: FunctionBuilder,
  rows: readonly I32Var[],
  k: I32,
  to: I32Var,
  step: number,
): void {
  const i = f.i32(0);
  const whole = f.i32(k.and(-4));
  f.for(i, whole, 4, () => {
    transposed(f, rows).forEach((lanes, i) => f.store(to, lanes, i * step));
    for (const row of rows) row.set(row.add(16));
    to.set(to.add(4 * step));
  });
  f.for(i, k, 1, () => {
    rows.forEach((row, lane) => {
      f.storeF32(to, row.loadF32(), lane * 4);
      row.set(row.add(4));
    });
    to.set(to.add(step));
  });
}

export function emitPack(module: ModuleBuilder): void {
  const parameters = { from: "i32", row: "i32", rows: "i32", k: "i32", to: "i32" } as const;
  const fourRows = (
    f: FunctionBuilder,
    { from, row, rows }: Record<"from" | "row" | "rows", I32>,
    i: I32,
  ) => {
    const addresses = [f.i32(from.add(i.mul(row)))];
    for (let lane = 1; lane < 4; lane += 1) {
      const step = i.add(lane).lt(rows).select(row, 0);
      addresses.push(f.i32(addresses[lane - 1]!.add(step)));
    }
    return addresses;
  };
  // Row-major rows → strips of 4; missing rows repeat the last one.
  module.function("packStrips", parameters, (f, p) => {
    const i = f.i32(0);
    const to = f.i32(p.to);
    f.for(i, p.rows, 4, () => packRows(f, fourRows(f, p, i), p.k, to, 16));
  });
  // Likewise → panels of 8.
  module.function("packPanels", parameters, (f, p) => {
    const i = f.i32(0);
    f.for(i, p.rows, 4, () => {
      const panel = p.to.add(i.and(-8).mul(p.k).shl(2)).add(i.and(4).shl(2));
      packRows(f, fourRows(f, p, i), p.k, f.i32(panel), 32);
    });
  });
  // A transposed matrix, k rows of columns → strips of 4 or panels of 8; what is past the end is
  // arbitrary.
  for (const [name, width] of [
    ["packStripsAcross", 4],
    ["packPanelsAcross", 8],
  ] as const)
    // prettier-ignore
    module.function(name, { from: "i32", row: "i32", columns: "i32", k: "i32", to: "i32" }, (f, p) => {
      const [column, k, to] = [f.i32(0), f.i32(), f.i32(p.to)];
      f.for(column, p.columns, width, () => {
        const from = f.i32(p.from.add(column.shl(2)));
        k.set(0);
        f.for(k, p.k, 1, () => {
          for (let i = 0; i < width; i += 4) f.store(to, from.loadV128(i * 4), i * 4);
          from.set(from.add(p.row));
          to.set(to.add(width * 4));
        });
      });
    });
}
