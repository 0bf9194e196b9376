import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloating } from "./broadcast.js";
import { checkTensor, dtypeName, listText } from "./check.js";
import { op } from "./op.js";
import { readReduction, REDUCTION, type Reduction, reduceLoss } from "./reduction.js";

export interface CTCLossOptions {
  /** The class that means "no label". Default: 0. */
  blank?: number;
  /** `"mean"` divides each loss by its target's length first. Default: `"mean"`. */
  reduction?: Reduction;
  /**
   * Replace infinite losses by 0, which arise if an input is too short for its target. Default:
   * `false`.
   */
  zeroInfinity?: boolean;
}

const CTC: Required<CTCLossOptions> = { blank: 0, reduction: "mean", zeroInfinity: false };

/** Lengths as an array, a number or an integer tensor. */
export type Lengths = tf.Tensor | readonly number[] | number;

const fail = (problem: string): never => {
  throw new Error(`ctc_loss(): ${problem}`);
};

function readLengths(name: string, given: Lengths, batch: number): number[] {
  if (given instanceof tf.Tensor && given.dtype !== "int32") {
    fail(`${name} must be integral, but got ${dtypeName(given)}`);
  }
  const lengths =
    given instanceof tf.Tensor
      ? Array.from(given.dataSync())
      : typeof given === "number"
        ? [given]
        : [...given];
  if (lengths.length !== batch) {
    fail(`${name} must be of size batch_size (${batch}), but got ${lengths.length}`);
  }
  for (const length of lengths) {
    if (length < 0) fail(`Expected ${name} to have value at least 0, but got value ${length}`);
  }
  return lengths;
}

/** The labels of each sequence, from a padded table or from one concatenated list. */
function readTargets(targets: tf.Tensor, lengths: readonly number[]): number[][] {
  if (targets.dtype !== "int32") {
    fail(`Expected targets to have scalar type Long or Int, but got ${dtypeName(targets)}`);
  }
  const values = Array.from(targets.dataSync());
  if (targets.rank === 1) {
    const total = lengths.reduce((a, b) => a + b, 0);
    if (total !== values.length) {
      fail(
        `Expected tensor to have size ${total} at dimension 0, but got size ${values.length} ` +
          "for argument #2 'targets'",
      );
    }
    let at = 0;
    return lengths.map((length) => values.slice(at, (at += length)));
  }
  const [rows, width] = targets.shape as [number, number];
  if (targets.rank !== 2 || rows !== lengths.length) {
    fail(
      `Expected targets of shape (${lengths.length}, S) or (sum of target_lengths,), ` +
        `but got ${listText(targets.shape)}`,
    );
  }
  const longest = Math.max(0, ...lengths);
  if (width < longest) {
    fail(
      `Expected tensor to have size at least ${longest} at dimension 1, but got size ${width} ` +
        "for argument #2 'targets'",
    );
  }
  return lengths.map((length, i) => values.slice(i * width, i * width + length));
}

/** log(eᵃ + eᵇ + …) */
function logSumExp(...values: number[]): number {
  const highest = Math.max(...values);
  if (highest === -Infinity) return -Infinity;
  return highest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - highest), 0));
}

/**
 * Minus the log of the summed probabilities of all alignments: the forward algorithm, in float64.
 */
function pathLoss(
  logProbability: (t: number, label: number) => number,
  labels: readonly number[],
  length: number,
  blank: number,
): number {
  const states = labels.flatMap((label) => [blank, label]).concat(blank);
  if (length === 0) return labels.length === 0 ? 0 : Infinity;
  const start = states.map((_, s) => (s < 2 ? logProbability(0, states[s]!) : -Infinity));
  let alpha = start;
  for (let t = 1; t < length; t += 1) {
    alpha = states.map((label, s) => {
      const ways = [alpha[s]!];
      if (s > 0) ways.push(alpha[s - 1]!);
      if (s > 1 && label !== states[s - 2]) ways.push(alpha[s - 2]!);
      return logSumExp(...ways) + logProbability(t, label);
    });
  }
  return -logSumExp(...alpha.slice(-2));
}

/**
 * The connectionist temporal classification loss between unsegmented sequences and their labels.
 * All inputs are read back, and it is computed in JavaScript, in float64.
 *
 * Shapes: logProbs `(T, N, C)` or `(T, C)`; targets of int32 `(N, S)`, or one after the other
 * `(sum of the lengths)`; lengths `(N)` → scalar, or `(N)` without reduction.
 *
 * @throws if lengths and shapes do not match, or a label is not a class.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.ctc_loss.html
 */
export const ctcLoss = /* @__PURE__ */ op(
  "ctc_loss",
  (
    logProbs: tf.Tensor,
    targets: tf.Tensor,
    inputLengths: Lengths,
    targetLengths: Lengths,
    options?: CTCLossOptions,
  ): tf.Tensor => {
    const { blank, reduction, zeroInfinity } = readOptions("ctcLoss", CTC, options);
    const how = readReduction("ctc_loss()", { ...REDUCTION, reduction });
    checkTensor("ctc_loss", logProbs, "log_probs");
    checkTensor("ctc_loss", targets, "targets", 2);
    checkFloating("ctc_loss()", logProbs, "log_probs");
    const isBatched = logProbs.rank === 3;
    if (!isBatched && logProbs.rank !== 2) {
      fail(`Expected log_probs of shape (T, N, C) or (T, C), got ${listText(logProbs.shape)}`);
    }
    if (logProbs.size === 0) fail("log_probs tensor must not be empty");
    const [steps, batch, classes] = (
      isBatched ? logProbs.shape : [logProbs.shape[0], 1, logProbs.shape[1]]
    ) as [number, number, number];
    if (!(blank >= 0 && blank < classes)) {
      fail(`blank must be in label range: got ${blank}, expected 0 to ${classes - 1}`);
    }
    const lengths = readLengths("input_lengths", inputLengths, batch);
    const longest = Math.max(...lengths);
    if (longest > steps) {
      fail(`Expected input_lengths to have value at most ${steps}, but got value ${longest}`);
    }
    const table = !isBatched && targets.rank === 1 ? tf.expandDims(targets, 0) : targets;
    const labels = readTargets(table, readLengths("target_lengths", targetLengths, batch));
    for (const label of labels.flat()) {
      if (label >= 0 && label < classes) continue;
      fail(`Expected targets to be labels of 0 to ${classes - 1}, but got ${label}`);
    }
    const values = logProbs.dataSync();
    const losses = labels.map((own, n) => {
      const at = (t: number, label: number): number => values[(t * batch + n) * classes + label]!;
      const loss = pathLoss(at, own, lengths[n]!, blank);
      return zeroInfinity && loss === Infinity ? 0 : loss;
    });
    if (how === "mean") {
      const perLabel = losses.map((loss, n) => loss / Math.max(1, labels[n]!.length));
      return reduceLoss(tf.tensor1d(perLabel), how);
    }
    const single = isBatched ? tf.tensor1d(losses) : tf.scalar(losses[0]!);
    return reduceLoss(single, how);
  },
);
