/** Applies the gates of recurrent cells, one time step at a time. */
import { sigmoid, tanh } from "./math.js";
import type { FunctionBuilder, I32Var, ModuleBuilder, V128Var } from "./module.js";
import type { I32, V128 } from "./values.js";

/**
 * Loops over the units of a row, four at a time, and stores as many as there are. The body is
 * emitted only once because it is long; testing each time whether four are left costs nothing in
 * comparison.
 */
function alongUnits(
  f: FunctionBuilder,
  n: I32,
  body: (offset: I32Var, store: (to: I32, value: V128) => void) => void,
): void {
  const [offset, left] = [f.i32(0), f.i32(n)];
  const store = (to: I32, value: V128): void => f.storeUpTo(to, f.v128(value), left);
  f.if(left.gt(0), () =>
    f.doWhile(
      () => {
        body(offset, store);
        offset.set(offset.add(16));
        left.set(left.sub(4));
      },
      () => left.gt(0),
    ),
  );
}

export function emitRecurrent(module: ModuleBuilder): void {
  // Gates i, f, g, o of each row, side by side; c [batch, n] is updated in place.
  module.function(
    "lstm",
    {
      gates: "i32",
      gatesRow: "i32",
      batch: "i32",
      n: "i32",
      width: "i32",
      c: "i32",
      out: "i32",
      outRow: "i32",
    },
    (f, p) => {
      const row = f.i32(0);
      const bytes = f.i32(p.width.shl(2));
      f.for(row, p.batch, 1, () => {
        alongUnits(f, p.n, (offset, store) => {
          const at = f.i32(p.gates.add(offset));
          const gate = (): V128Var => {
            const value = f.v128(at.loadV128());
            at.set(at.add(bytes));
            return value;
          };
          const [i, forget, g, o] = [gate(), gate(), gate(), gate()];
          const place = f.i32(p.c.add(offset));
          const added = f.v128(sigmoid(f, i).mul(tanh(f, g)));
          const kept = sigmoid(f, forget);
          const c = f.v128(f.madd(kept, place.loadV128(), added));
          store(place, c);
          store(p.out.add(offset), sigmoid(f, o).mul(tanh(f, c)));
        });
        p.gates.set(p.gates.add(p.gatesRow));
        p.c.set(p.c.add(bytes));
        p.out.set(p.out.add(p.outRow));
      });
    },
  );
  // Gates r, z, n from the input and from the last output, [batch, 3n].
  module.function(
    "gru",
    {
      gates: "i32",
      gatesRow: "i32",
      hidden: "i32",
      batch: "i32",
      n: "i32",
      width: "i32",
      last: "i32",
      lastRow: "i32",
      out: "i32",
      outRow: "i32",
    },
    (f, p) => {
      const row = f.i32(0);
      const bytes = f.i32(p.width.shl(2));
      f.for(row, p.batch, 1, () => {
        alongUnits(f, p.n, (offset, store) => {
          const input = f.i32(p.gates.add(offset));
          const hidden = f.i32(p.hidden.add(offset));
          const next = (address: typeof input): I32 => {
            address.set(address.add(bytes));
            return address;
          };
          const r = sigmoid(f, f.v128(input.loadV128().add(hidden.loadV128())));
          const z = sigmoid(f, f.v128(next(input).loadV128().add(next(hidden).loadV128())));
          const inner = f.v128(f.madd(r, next(hidden).loadV128(), next(input).loadV128()));
          const n = f.v128(tanh(f, inner));
          const last = p.last.add(offset).loadV128();
          store(p.out.add(offset), f.madd(z, last.sub(n), n));
        });
        p.gates.set(p.gates.add(p.gatesRow));
        p.hidden.set(p.hidden.add(bytes.mul(3)));
        p.last.set(p.last.add(p.lastRow));
        p.out.set(p.out.add(p.outRow));
      });
    },
  );
  // Copies rows of bytes; if the source is 0, writes zeros.
  module.function(
    "move",
    { from: "i32", fromRow: "i32", rows: "i32", bytes: "i32", to: "i32", toRow: "i32" },
    (f, p) => {
      const row = f.i32(0);
      f.for(row, p.rows, 1, () => {
        f.if(
          p.from,
          () => {
            f.copyBytes(p.to, p.from, p.bytes);
            p.from.set(p.from.add(p.fromRow));
          },
          () => f.fillBytes(p.to, p.bytes),
        );
        p.to.set(p.to.add(p.toRow));
      });
    },
  );
  // tanh of each row, in place → out.
  module.function(
    "tanh",
    { gates: "i32", gatesRow: "i32", batch: "i32", n: "i32", out: "i32", outRow: "i32" },
    (f, p) => {
      const row = f.i32(0);
      f.for(row, p.batch, 1, () => {
        alongUnits(f, p.n, (offset, store) =>
          store(p.out.add(offset), tanh(f, p.gates.add(offset).loadV128())),
        );
        p.gates.set(p.gates.add(p.gatesRow));
        p.out.set(p.out.add(p.outRow));
      });
    },
  );
}
