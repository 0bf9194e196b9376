import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkTensor, shapeText } from "./check.js";

/**
 * A batch of sequences of different lengths without padding: first the first elements of all
 * sequences, then the second ones, and so on; within each, the longest sequence comes first.
 *
 * Shapes: `data` `(sum of the lengths, *)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html
 */
export class PackedSequence {
  constructor(
    /** `(sum of the lengths, *)`. */
    readonly data: tf.Tensor,
    /** The number of sequences that have a first element, a second one, and so on. */
    readonly batchSizes: readonly number[],
    /** For each packed sequence its index in the batch; `null`: the order is the same. */
    readonly sortedIndices: readonly number[] | null = null,
    /**
     * For each sequence of the batch its index among the packed ones; `null`: the order is the
     * same.
     */
    readonly unsortedIndices: readonly number[] | null = null,
  ) {}

  dispose(): void {
    this.data.dispose();
  }
}

export interface PackOptions {
  /** `(N, T, *)` instead of `(T, N, *)`. Default: `false`. */
  batchFirst?: boolean;
  /** Require that the sequences are sorted by length, the longest first. Default: `true`. */
  enforceSorted?: boolean;
}

/** The length of each packed sequence, the longest first. */
export function packedLengths({ batchSizes }: PackedSequence): number[] {
  const count = batchSizes[0] ?? 0;
  return Array.from({ length: count }, (_, i) => batchSizes.filter((size) => size > i).length);
}

/** For each packed row its index in `(T·N, *)`, time by time. */
function packedRows(lengths: readonly number[], steps: number): number[] {
  const n = lengths.length;
  const rows: number[] = [];
  for (let t = 0; t < steps; t += 1) {
    for (let i = 0; i < n; i += 1) if (t < lengths[i]!) rows.push(t * n + i);
  }
  return rows;
}

/** `(T, N, *)` and sorted lengths → the packed rows. */
export function packRows(x: tf.Tensor, lengths: readonly number[]): tf.Tensor {
  const rows = tf.tensor1d(packedRows(lengths, lengths[0]!), "int32");
  return tf.gather(tf.reshape(x, [x.shape[0] * x.shape[1]!, ...x.shape.slice(2)]), rows);
}

/** Packed rows → `(T, N, *)`, with a value after the end of each sequence. */
export function unpackRows(sequence: PackedSequence, steps: number, value = 0): tf.Tensor {
  const lengths = packedLengths(sequence);
  const { data } = sequence;
  const inner = data.shape.slice(1);
  const places = new Int32Array(steps * lengths.length).fill(data.shape[0]); // the index of the row that is added
  packedRows(lengths, steps).forEach((row, i) => (places[row] = i));
  const filled = tf.concat([data, tf.fill([1, ...inner], value, data.dtype)], 0);
  const rows = tf.gather(filled, tf.tensor1d(places, "int32"));
  return tf.reshape(rows, [steps, lengths.length, ...inner]);
}

function swapFirst(x: tf.Tensor): tf.Tensor {
  return tf.transpose(x, [1, 0, ...x.shape.slice(2).map((_, i) => i + 2)]);
}

const listOf = (lengths: readonly number[] | tf.Tensor): number[] =>
  Array.from(lengths instanceof tf.Tensor ? lengths.dataSync() : lengths, Math.trunc);

/**
 * Packs a padded batch.
 *
 * Shapes: `(T, N, *)`, batch first `(N, T, *)`; lengths `(N)`, each at least 1.
 *
 * @throws if the lengths do not match, or are not sorted although they should be.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html
 */
export function packPaddedSequence(
  input: tf.Tensor,
  lengths: readonly number[] | tf.Tensor,
  options?: PackOptions,
): PackedSequence {
  const defaults = { batchFirst: false, enforceSorted: true };
  const { batchFirst, enforceSorted } = readOptions("packPaddedSequence", defaults, options);
  checkTensor("pack_padded_sequence", input);
  const given = listOf(lengths);
  const [n, steps] = batchFirst
    ? [input.shape[0], input.shape[1]]
    : [input.shape[1], input.shape[0]];
  if (n === 0 || steps === 0) throw new Error("Cannot pack empty tensors.");
  if (given.length !== n) {
    throw new Error(
      `Expected \`len(lengths)\` to be equal to batch_size, but got ${given.length} (batch_size=${n})`,
    );
  }
  if (given.some((length) => !(length > 0))) {
    throw new Error(
      "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0",
    );
  }
  const order = given.map((_, i) => i);
  if (!enforceSorted) order.sort((a, b) => given[b]! - given[a]! || a - b);
  const sorted = order.map((i) => given[i]!);
  if (sorted.some((length, i) => i > 0 && length > sorted[i - 1]!)) {
    throw new Error(
      "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can " +
        "pass `enforceSorted: false` to packPaddedSequence and/or packSequence to sidestep this " +
        "requirement if you do not need ONNX exportability.",
    );
  }
  if (sorted[0]! > steps!) {
    throw new Error(`Expected all lengths to be at most ${steps}, got ${sorted[0]}`);
  }
  const data = tf.tidy(() => {
    const timeFirst = batchFirst ? swapFirst(input) : input;
    return packRows(enforceSorted ? timeFirst : tf.gather(timeFirst, order, 1), sorted);
  });
  const batchSizes = Array.from(
    { length: sorted[0]! },
    (_, t) => sorted.filter((l) => l > t).length,
  );
  if (enforceSorted) return new PackedSequence(data, batchSizes);
  return new PackedSequence(data, batchSizes, order, invert(order));
}

function invert(order: readonly number[]): number[] {
  const inverse = new Array<number>(order.length);
  order.forEach((from, to) => (inverse[from] = to));
  return inverse;
}

export interface PadPackedOptions {
  /** `(N, T, *)` instead of `(T, N, *)`. Default: `false`. */
  batchFirst?: boolean;
  /** The value after the end of each sequence. Default: 0. */
  paddingValue?: number;
  /** T, which must not be less than the longest length. Default: `null`, the longest length. */
  totalLength?: number | null;
}

/**
 * Converts a packed batch to a padded one, with the lengths `(N)` as int32; both in the original
 * order.
 *
 * @throws if `totalLength` is less than the longest length.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_packed_sequence.html
 */
export function padPackedSequence(
  sequence: PackedSequence,
  options?: PadPackedOptions,
): [tf.Tensor, tf.Tensor1D] {
  const { batchFirst, paddingValue, totalLength } = readOptions<Required<PadPackedOptions>>(
    "padPackedSequence",
    { batchFirst: false, paddingValue: 0, totalLength: null },
    options,
  );
  const longest = sequence.batchSizes.length;
  if (totalLength !== null && totalLength < longest) {
    throw new RangeError(
      "Expected total_length to be at least the length of the longest sequence in input, but got " +
        `total_length=${totalLength} and max sequence length being ${longest}`,
    );
  }
  const lengths = packedLengths(sequence);
  const order = sequence.unsortedIndices;
  const padded = tf.tidy(() => {
    const x = unpackRows(sequence, totalLength ?? longest, paddingValue);
    const ordered = order === null ? x : tf.gather(x, [...order], 1);
    return batchFirst ? swapFirst(ordered) : ordered;
  });
  const original = order === null ? lengths : order.map((i) => lengths[i]!);
  return [padded, tf.tensor1d(original, "int32")];
}

export interface PadSequenceOptions {
  /** `(N, T, *)` instead of `(T, N, *)`. Default: `false`. */
  batchFirst?: boolean;
  /** Default: 0. */
  paddingValue?: number;
  /** Default: `"right"`. */
  paddingSide?: "left" | "right";
}

function checkSequences(sequences: readonly tf.Tensor[]): void {
  sequences.forEach((sequence, i) => {
    checkTensor("pad_sequence", sequence, `sequences[${i}]`);
    if (sequence.rank === 0) {
      throw new Error(`pad_sequence: expected sequences of at least 1 dimension, got 0-D at ${i}`);
    }
    const first = sequences[0]!.shape.slice(1);
    const rest = sequence.shape.slice(1);
    if (!tf.util.arraysEqual(first, rest)) {
      throw new Error(
        "pad_sequence: expected sequences that differ in length only, as sequence 0 of sizes " +
          `${shapeText(sequences[0]!.shape)}, got ${shapeText(sequence.shape)} at ${i}`,
      );
    }
  });
}

/**
 * Stacks sequences `(L, *)` of different lengths, padded to the longest.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_sequence.html
 */
export function padSequence(
  sequences: readonly tf.Tensor[],
  options?: PadSequenceOptions,
): tf.Tensor {
  const { batchFirst, paddingValue, paddingSide } = readOptions<Required<PadSequenceOptions>>(
    "padSequence",
    { batchFirst: false, paddingValue: 0, paddingSide: "right" },
    options,
  );
  if (sequences.length === 0) throw new Error("received an empty list of sequences");
  if (paddingSide !== "left" && paddingSide !== "right") {
    throw new Error(
      `Expected padding_side to be one of left or right, but got ${String(paddingSide)}.`,
    );
  }
  checkSequences(sequences);
  const longest = Math.max(...sequences.map((sequence) => sequence.shape[0]));
  return tf.tidy(() => {
    const padded = sequences.map((sequence) => {
      const rest = tf.fill(
        [longest - sequence.shape[0], ...sequence.shape.slice(1)],
        paddingValue,
        sequence.dtype,
      );
      return tf.concat(paddingSide === "left" ? [rest, sequence] : [sequence, rest], 0);
    });
    return tf.stack(padded, batchFirst ? 0 : 1);
  });
}

/**
 * Packs sequences `(L, *)` of different lengths.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_sequence.html
 */
export function packSequence(
  sequences: readonly tf.Tensor[],
  options?: Pick<PackOptions, "enforceSorted">,
): PackedSequence {
  const { enforceSorted } = readOptions("packSequence", { enforceSorted: true }, options);
  const padded = padSequence(sequences);
  try {
    return packPaddedSequence(
      padded,
      sequences.map((sequence) => sequence.shape[0]),
      { enforceSorted },
    );
  } finally {
    padded.dispose();
  }
}

/**
 * The sequences `(L, *)` of a padded batch, without their padding.
 *
 * @throws if the number of lengths is not that of the sequences.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpad_sequence.html
 */
export function unpadSequence(
  paddedSequences: tf.Tensor,
  lengths: readonly number[] | tf.Tensor,
  options?: Pick<PackOptions, "batchFirst">,
): tf.Tensor[] {
  const { batchFirst } = readOptions("unpadSequence", { batchFirst: false }, options);
  const given = listOf(lengths);
  return tf.tidy(() => {
    const rows = tf.unstack(paddedSequences, batchFirst ? 0 : 1);
    if (rows.length !== given.length) {
      throw new Error(`expected ${rows.length} lengths, one a sequence, got ${given.length}`);
    }
    return rows.map((row, i) => tf.slice(row, 0, Math.min(given[i]!, row.shape[0])));
  });
}

/**
 * The sequences `(L, *)` of a packed batch.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpack_sequence.html
 */
export function unpackSequence(packed: PackedSequence): tf.Tensor[] {
  const [padded, lengths] = padPackedSequence(packed, { batchFirst: true });
  try {
    return unpadSequence(padded, lengths, { batchFirst: true });
  } finally {
    tf.dispose([padded, lengths]);
  }
}
