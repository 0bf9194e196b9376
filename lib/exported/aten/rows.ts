/**
 * Ops on groups of rows: reductions of segments, limits to the norms of rows, and products of each
 * group with its own matrix.
 */
import * as tf from "@tensorflow/tfjs-core";
import { op } from "../../functional/op.js";
import { vectorNorm } from "../../functional/vector-norm.js";
import { where } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { tensorOf, valuesOf } from "./support/host.js";
import { around, concatAxis, sliceAxis } from "./support/shape.js";
import { matmul } from "./matmul.js";

type Fold = (sum: number, value: number) => number;

const FOLDS: Readonly<Record<string, readonly [start: number, fold: Fold]>> = {
  sum: [0, (a, b) => a + b],
  mean: [0, (a, b) => a + b],
  prod: [1, (a, b) => a * b],
  max: [-Infinity, (a, b) => (Number.isNaN(a + b) ? NaN : Math.max(a, b))],
  min: [Infinity, (a, b) => (Number.isNaN(a + b) ? NaN : Math.min(a, b))],
};

/**
 * Reduces consecutive segments of `axis` to one value each. `lengths` holds their lengths, or where
 * they start and end if `isOffsets`. Axes before `axis` are a batch.
 */
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
          // The mean of an empty segment is NaN, or `initial` where that is given.
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

/** `self` with the rows at `indices` scaled down to the norm `maxNorm` where theirs is larger. */
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

/** The range of each group in an axis of `size` elements. `offs` holds where each group ends. */
function groupsOf(offs: tf.Tensor, size: number): [from: number, to: number][] {
  const ends = Array.from(valuesOf(offs));
  return ends.map((end, i) => {
    const from = i === 0 ? 0 : ends[i - 1]!;
    if (end < from || end > size) {
      throw new RangeError(
        `_grouped_mm: expected ends of groups that rise to at most ${size}, got [${ends.join(", ")}]`,
      );
    }
    return [from, end];
  });
}

/**
 * A matrix product per group, as in a mixture of experts. Which axis is split into groups depends
 * on the shapes: the rows for `(S, K) × (E, K, N)`, the columns for `(E, M, K) × (K, N)`, the
 * summed axis for `(M, K) × (K, N)`, and none for `(E, M, K) × (E, K, N)`. Rows and columns after
 * the last group are 0, where PyTorch leaves uninitialised memory.
 */
const groupedProduct = /* @__PURE__ */ op(
  "grouped_mm",
  (a: tf.Tensor, b: tf.Tensor, offs: tf.Tensor): tf.Tensor => {
    const one = (x: tf.Tensor, group: number): tf.Tensor =>
      tf.reshape(sliceAxis(x, 0, group, group + 1), x.shape.slice(1));
    if (a.rank === 2 && b.rank === 2) {
      const groups = groupsOf(offs, a.shape[1]!);
      return tf.stack(
        groups.map((group) => matmul(sliceAxis(a, 1, ...group), sliceAxis(b, 0, ...group))),
      );
    }
    const dim = a.rank === 2 ? 0 : 1;
    const size = dim === 0 ? a.shape[0] : b.shape[1]!;
    const groups = groupsOf(offs, size);
    const products = groups.map((group, i) => {
      const [left, right] = dim === 0 ? [sliceAxis(a, 0, ...group), one(b, i)] : [one(a, i), sliceAxis(b, 1, ...group)]; // prettier-ignore
      return matmul(left, right);
    });
    const rest = size - (groups.at(-1)?.[1] ?? 0);
    const shape = dim === 0 ? [rest, b.shape[2]!] : [a.shape[1]!, rest];
    return concatAxis([...products, tf.zeros(shape, a.dtype)], dim);
  },
);

function groupedMm(
  self: tf.Tensor,
  mat2: tf.Tensor,
  offs: tf.Tensor | null = null,
  bias: tf.Tensor | null = null,
): tf.Tensor {
  if ((offs === null) !== (self.rank === 3 && mat2.rank === 3)) {
    throw new Error(
      "Have to provide offsets if there is a 2d matrix, or no offset if both matrices are 3d",
    );
  }
  if (bias !== null) throw new Error("Bias not supported yet");
  if (self.shape.at(-1) !== mat2.shape.at(-2)) {
    throw new Error("contraction dimension of mat_a and mat_b must match");
  }
  return offs === null ? matmul(self, mat2) : groupedProduct(self, mat2, offs);
}

export const rowOps = defineOps({
  "_grouped_mm(self, mat2, offs, bias, out_dtype)": groupedMm,
  "transformers.grouped_mm_fallback.default(input, weight, offs)": groupedMm,
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
