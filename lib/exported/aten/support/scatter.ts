import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../../functional/op.js";
import { INT, toDtype, toKind } from "./dtype.js";
import { tensorOf, valuesOf } from "./host.js";

export type Reduce = "sum" | "prod" | "mean" | "amax" | "amin";

/**
 * For each row the index of the last update for it, after all rows; or of the row itself, if there
 * is none.
 */
const lastWriter = /* @__PURE__ */ op(
  "last_writer",
  (places: tf.Tensor, rows: number): tf.Tensor => {
    const from = Int32Array.from({ length: rows }, (_, i) => i);
    valuesOf(places).forEach((place, i) => {
      from[place < 0 ? place + rows : place] = rows + i;
    });
    return tf.tensor1d(from, "int32");
  },
);

/**
 * Rows `(n, k)` with updates `(m, k)` written or added at indices `(m)`. Of several updates for one
 * row the last counts, as in PyTorch on the CPU.
 */
export function scatterInto(
  rows: tf.Tensor,
  places: tf.Tensor,
  updates: tf.Tensor,
  accumulate: boolean,
): tf.Tensor {
  if (rows.size === 0 || updates.size === 0) return rows;
  if (rows.dtype === "bool") {
    const [x, y] = [toKind(rows, INT), toKind(updates, INT)];
    return toDtype(scatterInto(x, places, y, accumulate), "bool");
  }
  if (accumulate) return scatterReduce(rows, places, updates, "sum", true);
  const from = lastWriter(places, rows.shape[0]) as tf.Tensor1D;
  return tf.gather(tf.concat([rows, updates], 0), from);
}

const COMBINE: Record<Reduce, (a: number, b: number) => number> = {
  sum: (a, b) => a + b,
  mean: (a, b) => a + b,
  prod: (a, b) => a * b,
  amax: Math.max,
  amin: Math.min,
};

/**
 * Combines updates into rows, one after the other, in JavaScript, because no backend can do that.
 */
export const scatterReduce = /* @__PURE__ */ op(
  "scatter_reduce",
  (
    rows: tf.Tensor,
    places: tf.Tensor,
    updates: tf.Tensor,
    reduce: Reduce,
    includeSelf: boolean,
  ): tf.Tensor => {
    const [n, k] = rows.shape as [number, number];
    const values = Float64Array.from(valuesOf(rows));
    const from = valuesOf(updates);
    const counts = new Uint32Array(n).fill(includeSelf ? 1 : 0);
    const combine = COMBINE[reduce];
    valuesOf(places).forEach((given, i) => {
      const place = given < 0 ? given + n : given;
      for (let c = 0; c < k; c += 1) {
        const [at, update] = [place * k + c, from[i * k + c]!];
        values[at] = counts[place] === 0 ? update : combine(values[at]!, update);
      }
      counts[place]! += 1;
    });
    const isInteger = rows.dtype !== "float32";
    if (reduce === "mean") {
      values.forEach((sum, at) => {
        const mean = sum / Math.max(1, counts[Math.floor(at / k)]!);
        values[at] = isInteger ? Math.floor(mean) : mean;
      });
    }
    const result = rows.dtype === "float32" ? Float32Array.from(values) : rows.dtype === "int32" ? Int32Array.from(values) : Uint8Array.from(values, (value) => (value === 0 ? 0 : 1)); // prettier-ignore
    return tensorOf(result, rows.shape, rows.dtype);
  },
);
