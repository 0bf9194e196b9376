/** Control flow that export keeps: ops with graphs as arguments. */
import * as tf from "@tensorflow/tfjs-core";
import type { AtenOp } from "../op-table.js";

/** A graph as a function; returns a list, or one value if the graph returns one. */
export type Subgraph = (...inputs: unknown[]) => unknown;

const asList = (value: unknown): unknown[] =>
  Array.isArray(value) ? (value as unknown[]) : [value];

/** A condition may be a value computed from sizes, or a tensor, which is read back. */
function isTrue(value: unknown): boolean {
  const one = Array.isArray(value) ? (value as unknown[])[0] : value;
  return one instanceof tf.Tensor ? Boolean(one.dataSync()[0]) : Boolean(one);
}

const cond: AtenOp = ([predicate, whenTrue, whenFalse, operands]) => {
  const branch = (isTrue(predicate) ? whenTrue : whenFalse) as Subgraph;
  return branch(...((operands ?? []) as unknown[]));
};

const whileLoop: AtenOp = ([condition, body, carried, extra]) => {
  const more = (extra ?? []) as unknown[];
  const given = new Set([...(carried as unknown[]), ...more]);
  let state = carried as unknown[];
  while (holds(condition as Subgraph, state, more)) {
    const next = tf.tidy(
      () => asList((body as Subgraph)(...state, ...more)) as tf.TensorContainer,
    ) as unknown[];
    for (const old of state) {
      if (old instanceof tf.Tensor && !given.has(old) && !next.includes(old)) old.dispose();
    }
    state = next;
  }
  return state;
};

function holds(condition: Subgraph, state: readonly unknown[], more: readonly unknown[]): boolean {
  let result = false;
  tf.tidy(() => {
    result = isTrue(condition(...state, ...more));
  });
  return result;
}

const slicesOf = (xs: readonly unknown[]): tf.Tensor[][] =>
  xs.map((x) => tf.unstack(x as tf.Tensor, 0));

function stackEach(rows: readonly (readonly unknown[])[]): unknown[] {
  return rows[0]!.map((_, i) =>
    tf.stack(
      rows.map((row) => row[i] as tf.Tensor),
      0,
    ),
  );
}

const map: AtenOp = ([body, xs, extra]) => {
  const parts = slicesOf(xs as unknown[]);
  if (parts[0]!.length === 0) throw new Error("Leading dimensions of mapped xs cannot be 0.");
  const more = (extra ?? []) as unknown[];
  const rows = parts[0]!.map((_, i) =>
    asList((body as Subgraph)(...parts.map((part) => part[i]), ...more)),
  );
  return stackEach(rows);
};

const scan: AtenOp = ([combine, init, xs, extra]) => {
  const parts = slicesOf(xs as unknown[]);
  const more = (extra ?? []) as unknown[];
  let carry = init as unknown[];
  const rows: unknown[][] = [];
  for (const i of parts[0]!.keys()) {
    const result = asList(
      (combine as Subgraph)(...carry, ...parts.map((part) => part[i]), ...more),
    );
    carry = result.slice(0, carry.length);
    rows.push(result.slice(carry.length));
  }
  if (rows.length > 0) return [...carry, ...stackEach(rows)];
  // The result for one row determines the shape.
  const none = (xs as tf.Tensor[]).map((x) => anyRow(x, 0));
  const row = asList((combine as Subgraph)(...carry, ...none, ...more)).slice(carry.length);
  return [...carry, ...row.map((one) => noRows(one as tf.Tensor, 0))];
};

/** A row of zeros, for a tensor without rows. */
const anyRow = ({ shape, dtype }: tf.Tensor, dim: number): tf.Tensor =>
  tf.zeros(shape.toSpliced(dim, 1), dtype);

/** A tensor without rows, whose rows would be like this one. */
const noRows = ({ shape, dtype }: tf.Tensor, dim: number): tf.Tensor =>
  tf.zeros(shape.toSpliced(dim, 0, 0), dtype);

const associativeScan: AtenOp = ([combine, xs, extra]) => {
  const parts = slicesOf(xs as unknown[]);
  const more = (extra ?? []) as unknown[];
  const rows: unknown[][] = [];
  for (const i of parts[0]!.keys()) {
    const row = parts.map((part) => part[i]);
    const before = rows.at(-1);
    rows.push(before ? asList((combine as Subgraph)(...before, ...row, ...more)) : row);
  }
  return stackEach(rows);
};

/**
 * `[body, size, xs, dims, others, outDims]`: calls the body with each row of the xs, and with all
 * of the others.
 */
const vmap: AtenOp = ([body, size, given, dims, others, outDims]) => {
  const xs = given as tf.Tensor[];
  const at = xs.map((x, i) => fromFront((dims as number[])[i]!, x.rank));
  const run = (row: readonly unknown[]): tf.Tensor[] =>
    asList((body as Subgraph)(...row, ...(others as unknown[]))) as tf.Tensor[];
  if (size === 0) {
    const row = run(xs.map((x, i) => anyRow(x, at[i]!)));
    return (outDims as number[]).map((dim, k) => noRows(row[k]!, fromFront(dim, row[k]!.rank + 1)));
  }
  const parts = xs.map((x, i) => tf.unstack(x, at[i]));
  const rows = Array.from({ length: size as number }, (_, i) => run(parts.map((part) => part[i])));
  return (outDims as number[]).map((dim, k) => {
    const all = rows.map((row) => row[k]!);
    return tf.stack(all, fromFront(dim, all[0]!.rank + 1));
  });
};

const fromFront = (dim: number, rank: number): number => (dim < 0 ? dim + rank : dim);

const call: AtenOp = ([body, ...operands]) => (body as Subgraph)(...operands);

export const CONTROL_OPS: Readonly<Record<string, AtenOp>> = {
  "higher_order.cond": cond,
  "higher_order.while_loop": whileLoop,
  ...{ "higher_order.map": map, "higher_order.map_impl": map },
  "higher_order.scan": scan,
  "higher_order.associative_scan": associativeScan,
  "higher_order.invoke_subgraph": ([body, , ...operands]) => (body as Subgraph)(...operands),
  "higher_order.strict_mode": ([body, operands]) => (body as Subgraph)(...(operands as unknown[])),
  "higher_order.hints_wrapper": ([body, operands]) =>
    (body as Subgraph)(...(operands as unknown[])),
  "sconce.vmap": vmap,
  "higher_order.wrap": call,
  "higher_order.run_const_graph": ([body, operands]) => (body as Subgraph)(...asList(operands)),
  "higher_order.tag_activation_checkpoint": call,
};
