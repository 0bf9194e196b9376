/** Transposes matrices in blocks of 4 × 4. */
import type { ModuleBuilder } from "./module.js";
import { transposed } from "./pack.js";

/** x [rows, columns] → out [columns, rows]; strides are in bytes. */
export function emitTranspose(module: ModuleBuilder): void {
  module.function(
    "transpose",
    { x: "i32", xRow: "i32", rows: "i32", columns: "i32", out: "i32", outRow: "i32" },
    (f, p) => {
      const [row, column] = [f.i32(0), f.i32()];
      const single = (): void => {
        const at = p.x.add(row.mul(p.xRow)).add(column.shl(2));
        f.storeF32(p.out.add(column.mul(p.outRow)).add(row.shl(2)), at.loadF32());
      };
      const [wholeRows, wholeColumns] = [f.i32(p.rows.and(-4)), f.i32(p.columns.and(-4))];
      f.for(row, wholeRows, 4, () => {
        const from = [f.i32(p.x.add(row.mul(p.xRow)))];
        for (let i = 1; i < 4; i += 1) from.push(f.i32(from[i - 1]!.add(p.xRow)));
        const to = f.i32(p.out.add(row.shl(2)));
        column.set(0);
        f.for(column, wholeColumns, 4, () => {
          const block = transposed(f, from);
          for (const lanes of block) {
            f.store(to, lanes);
            to.set(to.add(p.outRow));
          }
          for (const address of from) address.set(address.add(16));
        });
      });
      // The remaining columns of complete rows, then the remaining rows.
      row.set(0);
      f.for(row, wholeRows, 1, () => {
        column.set(wholeColumns);
        f.for(column, p.columns, 1, single);
      });
      f.for(row, p.rows, 1, () => {
        column.set(0);
        f.for(column, p.columns, 1, single);
      });
    },
  );
}
