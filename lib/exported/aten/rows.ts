/** Ops that take a tensor by its rows: segments that are reduced, rows brought to a length. */
import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../functional/op.js";
import { vectorNorm } from "../../functional/vector-norm.js";
import { where } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { tensorOf, valuesOf } from "./support/host.js";
import { around } from "./support/shape.js";

type Fold = (sum: number, value: number) => number;

const FOLDS: Readonly<Record<string, readonly [start: number, fold: Fold]>> = {
  sum: [0, (a, b) => a + b],
  mean: [0, (a, b) => a + b],
  prod: [1, (a, b) => a * b],
  max: [-Infinity, (a, b) => (Number.isNaN(a + b) ? NaN : Math.max(a, b))],
  min: [Infinity, (a, b) => (Number.isNaN(a + b) ? NaN : Math.min(a, b))],
};

/** Runs of a dimension, as long as `lengths` says, each reduced to one; what is before it is a batch. */
const segmentReduce = /* @__PURE__ */ op(
  "segment_reduce",
  (
    data: tf.Tensor,
    reduce: string,
    lengths: tf.Tensor,
    isOffsets: boolean,
    axis: number,
    initial: number | null,
  ): tf.Tensor => {
    const [batch, size, behind] = around(data, axis);
    const given = valuesOf(lengths);
    const per = lengths.shape.at(-1)!;
    const count = isOffsets ? per - 1 : per;
    const values = valuesOf(data);
    const [start, fold] = FOLDS[reduce]!;
    const result = new Float32Array(batch * count * behind);
    for (let b = 0; b < batch; b += 1) {
      let from = isOffsets ? given[b * per]! : 0;
      for (let s = 0; s < count; s += 1) {
        const length = isOffsets ? given[b * per + s + 1]! - from : given[b * per + s]!;
        for (let k = 0; k < behind; k += 1) {
          let sum = initial ?? start;
          for (let i = from; i < from + length; i += 1) {
            sum = fold(sum, values[(b * size + i) * behind + k]!);
          }
          // The mean of nothing is NaN, unless there was something to begin with.
          const isEmpty = length === 0 && initial === null;
          const mean = length === 0 ? (isEmpty ? NaN : sum) : sum / length;
          result[(b * count + s) * behind + k] = reduce === "mean" ? mean : sum;
        }
        from += length;
      }
    }
    return tensorOf(result, data.shape.with(axis, count), "float32");
  },
);

/** The rows that are asked for, made shorter where they are longer than `maxNorm`. */
function renormed(
  self: tf.Tensor,
  indices: tf.Tensor,
  maxNorm: number,
  normType: number,
): tf.Tensor {
  const asked = new Float32Array(self.shape[0]);
  for (const index of valuesOf(indices)) asked[index] = 1;
  const norms = vectorNorm(self, normType, 1, true);
  const isLong = tf.logicalAnd(
    tf.greater(norms, maxNorm),
    tf.cast(tf.tensor2d(asked, [asked.length, 1]), "bool"),
  );
  return where(isLong, tf.mul(self, tf.div(maxNorm, tf.add(norms, 1e-7))), self);
}

export const rowOps = defineOps({
  "segment_reduce(data, reduce, lengths, indices, offsets, axis, unsafe, initial)": (
    data: tf.Tensor,
    reduce: string,
    lengths: tf.Tensor | null = null,
    _indices: unknown = null,
    offsets: tf.Tensor | null = null,
    axis = 0,
    _unsafe = false,
    initial: number | null = null,
  ) => segmentReduce(data, reduce, (lengths ?? offsets)!, lengths === null, axis, initial),
  "embedding_renorm(self, indices, max_norm, norm_type)": renormed,
});
