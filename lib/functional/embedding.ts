import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloatTensor, checkTensor, dtypeName, shapeText } from "./check.js";
import { atLeast } from "./numeric.js";
import { op } from "./op.js";
import { vectorNorm } from "./vector-norm.js";

export interface EmbeddingOptions {
  /** The row for padding; only matters in training. Default: `null`. */
  paddingIdx?: number | null;
  /** Rows with a larger norm are scaled down to it. Default: `null`. */
  maxNorm?: number | null;
  /** The p of that norm. Default: 2. */
  normType?: number;
  /** Only matters in training. Default: `false`. */
  scaleGradByFreq?: boolean;
  /** Only matters in training. Default: `false`. */
  sparse?: boolean;
}

const EMBEDDING: Required<EmbeddingOptions> = {
  paddingIdx: null,
  maxNorm: null,
  normType: 2,
  scaleGradByFreq: false,
  sparse: false,
};

/** A non-negative padding index for one that may count from the end. */
export function readPaddingIdx(index: number | null, count: number): number | null {
  if (index === null) return null;
  if (index >= count || index < -count) {
    throw new RangeError(`Padding_idx must be within num_embeddings, got ${index} and ${count}`);
  }
  return index < 0 ? index + count : index;
}

function checkIndices(name: string, input: tf.Tensor, count: number): void {
  if (input.dtype !== "int32") {
    throw new TypeError(
      "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, " +
        `Int; but got torch.${dtypeName(input)}Tensor instead (while checking arguments for ${name})`,
    );
  }
  // Read back, because tfjs would silently give zeros or other rows for an invalid index.
  const wrong = input.dataSync().find((index) => index < 0 || index >= count);
  if (wrong === undefined) return;
  throw new RangeError(`index out of range in self: got ${wrong}, expected 0 to ${count - 1}`);
}

/** The rows `(n, D)` at the indices, scaled down to `maxNorm` if necessary. */
function lookUp(
  input: tf.Tensor,
  weight: tf.Tensor,
  maxNorm: number | null,
  normType: number,
): tf.Tensor {
  const rows = tf.gather(weight, tf.reshape(input, [-1]));
  if (maxNorm === null) return rows;
  checkFloatTensor("norm", weight);
  const norm = vectorNorm(rows, normType, 1, true);
  const scale = tf.div(maxNorm, tf.add(norm, 1e-7));
  return tf.mul(rows, tf.where(tf.greater(norm, maxNorm), scale, tf.onesLike(scale)));
}

/**
 * The rows of a table at the given indices.
 *
 * Shapes: input `(*)` of int32, weight `(V, D)` → `(*, D)`. With `maxNorm` only the result is
 * scaled down; PyTorch changes the weight too.
 *
 * @throws if an index is not in the table, or the indices are no integers.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html
 */
export const embedding = /* @__PURE__ */ op(
  "embedding",
  (input: tf.Tensor, weight: tf.Tensor, options?: EmbeddingOptions): tf.Tensor => {
    const read = readOptions("embedding", EMBEDDING, options);
    checkTensor("embedding", input);
    checkTensor("embedding", weight, "weight", 2);
    if (weight.rank !== 2) throw new Error("'weight' must be 2-D");
    const [count, dim] = weight.shape as [number, number];
    readPaddingIdx(read.paddingIdx, count);
    checkIndices("embedding", input, count);
    const shape = [...input.shape, dim];
    if (input.size === 0) return tf.zeros(shape);
    return tf.reshape(lookUp(input, weight, read.maxNorm, read.normType), shape);
  },
);

export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** `(B)`: where each bag begins, if the input is 1-D. Default: `null`. */
  offsets?: tf.Tensor | null;
  /** How the rows of a bag are combined. Default: `"mean"`. */
  mode?: "sum" | "mean" | "max";
  /** Weights of the summands, of the input's shape; only with `"sum"`. Default: `null`. */
  perSampleWeights?: tf.Tensor | null;
  /** The last offset is the end of the last bag, not the beginning of another. Default: `false`. */
  includeLastOffset?: boolean;
}

const BAG: Required<EmbeddingBagOptions> = {
  ...EMBEDDING,
  offsets: null,
  mode: "mean",
  perSampleWeights: null,
  includeLastOffset: false,
};

/** For each bag the positions of its elements in the flattened input. */
function readBags(
  input: tf.Tensor,
  { offsets, includeLastOffset }: Required<EmbeddingBagOptions>,
): number[][] {
  const range = (from: number, to: number): number[] =>
    Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
  if (input.rank === 2) {
    if (offsets !== null) {
      throw new Error(
        "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of " +
          "fixed length sequences. However, found offsets of type Tensor",
      );
    }
    const [bags, width] = input.shape as [number, number];
    return Array.from({ length: bags }, (_, i) => range(i * width, (i + 1) * width));
  }
  if (input.rank !== 1) {
    throw new Error(`input has to be 1D or 2D Tensor, but got Tensor of dimension ${input.rank}`);
  }
  if (offsets === null) throw new Error("offsets has to be a 1D Tensor but got None");
  if (offsets.rank !== 1) throw new Error("offsets has to be a 1D Tensor");
  if (offsets.dtype !== "int32") {
    throw new TypeError(
      "Expected tensor for argument #1 'offsets' to have one of the following scalar types: Long, " +
        `Int; but got torch.${dtypeName(offsets)}Tensor instead ` +
        "(while checking arguments for embedding_bag)",
    );
  }
  const starts = Array.from(offsets.dataSync());
  if (starts.length > 0 && starts[0] !== 0) {
    throw new Error(
      "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from " +
        `position 0. However, got ${starts[0]}`,
    );
  }
  if (starts.some((start) => start > input.size)) {
    throw new Error(
      `offsets[-1] can not be greater than input's length ${input.size} ` +
        `but got offsets[-1] of ${starts.at(-1)}`,
    );
  }
  const back = starts.findIndex((start, i) => i > 0 && start < starts[i - 1]!);
  if (back > 0) {
    throw new Error(
      `offsets have to ascend, but offsets[${back}] is ${starts[back]} after ${starts[back - 1]}`,
    );
  }
  if (starts.length === 0) {
    if (!includeLastOffset) return [];
    throw new Error("include_last_offset: number of offset should be at least 1");
  }
  const ends = [...starts.slice(1), ...(includeLastOffset ? [] : [input.size])];
  return ends.map((end, i) => range(starts[i]!, end));
}

/**
 * Sums, means or maxima of a table's rows, for each bag of indices.
 *
 * Shapes: input `(B, N)` of int32, or `(n)` with `offsets` `(B)`; weight `(V, D)` → `(B, D)`. An
 * empty bag gives 0; elements equal to `paddingIdx` do not count.
 *
 * @throws if an index is not in the table, or the arguments do not go together.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html
 */
export const embeddingBag = /* @__PURE__ */ op(
  "embedding_bag",
  (input: tf.Tensor, weight: tf.Tensor, options?: EmbeddingBagOptions): tf.Tensor => {
    const read = readOptions("embeddingBag", BAG, options);
    checkTensor("embedding_bag", input);
    checkTensor("embedding_bag", weight, "weight", 2);
    checkBag(input, weight, read);
    const [count, dim] = weight.shape as [number, number];
    const padding = readPaddingIdx(read.paddingIdx, count);
    checkIndices("embedding_bag", input, count);
    const indices = input.dataSync();
    const bags = readBags(input, read).map((bag) => bag.filter((i) => indices[i] !== padding));
    const widest = Math.max(0, ...bags.map((bag) => bag.length));
    if (widest === 0) return tf.zeros([bags.length, dim]);

    let rows = lookUp(input, weight, read.maxNorm, read.normType);
    if (read.perSampleWeights !== null) {
      rows = tf.mul(rows, tf.reshape(read.perSampleWeights, [-1, 1]));
    }
    // Shorter bags are padded with a row that changes nothing.
    const filler = tf.fill([1, dim], read.mode === "max" ? -Infinity : 0);
    const places = bags.flatMap((bag) =>
      Array.from({ length: widest }, (_, i) => bag[i] ?? input.size),
    );
    const seen = tf.gather(tf.concat([rows, filler], 0), tf.tensor1d(places, "int32"));
    const table = tf.reshape(seen, [bags.length, widest, dim]);
    const sizes = tf.tensor2d(bags.map((bag) => [bag.length]));
    if (read.mode === "sum") return tf.sum(table, 1);
    if (read.mode === "mean") return tf.div(tf.sum(table, 1), atLeast(sizes, 1));
    const highest = tf.max(table, 1);
    const isEmpty = tf.tile(tf.equal(sizes, 0), [1, dim]);
    return tf.where(isEmpty, tf.zerosLike(highest), highest);
  },
);

function checkBag(
  input: tf.Tensor,
  weight: tf.Tensor,
  { mode, perSampleWeights }: Required<EmbeddingBagOptions>,
): void {
  if (!["sum", "mean", "max"].includes(mode)) {
    throw new Error("mode has to be one of sum, mean or max");
  }
  if (weight.rank !== 2) {
    throw new Error(`weight has to be a 2D Tensor, but got Tensor of dimension ${weight.rank}`);
  }
  if (weight.dtype !== "float32") {
    throw new TypeError(
      "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, " +
        `BFloat16, Float, Double; but got torch.${dtypeName(weight)}Tensor instead ` +
        "(while checking arguments for embedding_bag)",
    );
  }
  if (perSampleWeights === null) return;
  checkTensor("embedding_bag", perSampleWeights, "per_sample_weights", 9);
  if (!tf.util.arraysEqual(input.shape, perSampleWeights.shape)) {
    throw new Error(
      `embedding_bag: If per_sample_weights (${shapeText(perSampleWeights.shape)}) is not None, ` +
        `then it must have the same shape as the input (${shapeText(input.shape)})`,
    );
  }
  if (perSampleWeights.dtype !== "float32") {
    throw new TypeError(
      "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 " +
        "'per_sample_weights'; but type torch.FloatTensor does not equal " +
        `torch.${dtypeName(perSampleWeights)}Tensor (while checking arguments for embedding_bag)`,
    );
  }
  if (mode !== "sum") {
    throw new Error(
      "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for " +
        `mode='sum' (got mode='${mode}').`,
    );
  }
}
