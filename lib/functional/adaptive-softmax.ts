import * as tf from "@tensorflow/tfjs-core";
import { dtypeName, listText } from "./check.js";
import { logSoftmax } from "./softmax.js";

type Layer = (x: tf.Tensor) => tf.Tensor;

const fail = (problem: string): never => {
  throw new Error(`adaptive_log_softmax_with_loss(): ${problem}`);
};

function checkTarget(input: tf.Tensor, target: tf.Tensor): void {
  const sizes = listText(input.shape);
  if (target.rank > 1) fail("0D or 1D target tensor expected, multi-target not supported");
  if (input.rank !== target.rank + 1) {
    fail(
      `${target.rank}D target tensor expects ${target.rank + 1}D input tensors, ` +
        `but found inputs with size ${sizes}`,
    );
  }
  if (target.rank === 1 && target.size !== input.shape[0]) {
    fail(
      "Input and target should have the same size in the batch dimension, " +
        `got ${sizes} and [${target.size}].`,
    );
  }
  if (target.dtype !== "int32") {
    fail(`expected target dtype to be Long, but got ${dtypeName(target)}`);
  }
}

/** For each row of a table `(N, C)`, the value in the given column. */
function pick(table: tf.Tensor, columns: readonly number[]): tf.Tensor {
  const places = columns.map((column, row) => row * table.shape[1]! + column);
  const flat = tf.reshape(table, [table.size]);
  // tfjs' wasm backend gives another shape if there are no indices.
  return tf.reshape(tf.gather(flat, tf.tensor1d(places, "int32")), [places.length]);
}

/**
 * The log-probabilities of targets, and minus their mean. The classes from one cutoff to the next
 * are a cluster of rare classes: `head` gives log-probabilities for the classes before the first
 * cutoff and for the clusters, `tails` for the classes within each cluster.
 */
export function adaptiveLogSoftmax(
  input: tf.Tensor,
  target: tf.Tensor,
  cutoffs: readonly number[],
  head: Layer,
  tails: readonly Layer[],
): [output: tf.Tensor, loss: tf.Tensor] {
  checkTarget(input, target);
  const x = target.rank === 1 ? input : tf.expandDims(input, 0);
  const classes = Array.from(target.dataSync());
  const clusters = classes.map((one) =>
    one < 0 ? -1 : cutoffs.findIndex((cutoff) => one < cutoff),
  );
  if (clusters.includes(-1)) {
    fail(
      `Target values should be in [0, ${cutoffs.at(-1)! - 1}], but values in range ` +
        `[${Math.min(...classes)}, ${Math.max(...classes)}] were found.`,
    );
  }
  const columns = clusters.map((cluster, i) =>
    cluster === 0 ? classes[i]! : cutoffs[0]! + cluster - 1,
  );
  let output: tf.Tensor = pick(logSoftmax(head(x), { dim: 1 }), columns);
  tails.forEach((tail, i) => {
    const rows = clusters.flatMap((cluster, row) => (cluster === i + 1 ? [row] : []));
    if (rows.length === 0) return;
    const own = tail(tf.gather(x, tf.tensor1d(rows, "int32")));
    const relative = rows.map((row) => classes[row]! - cutoffs[i]!);
    const local = pick(logSoftmax(own, { dim: 1 }), relative);
    // Puts the results back in the order of the rows; rows without one get the zero that was added.
    const places = clusters.map((_, row) => rows.indexOf(row) + 1);
    const padded = tf.concat([tf.zeros([1]), local]);
    output = tf.add(output, tf.gather(padded, tf.tensor1d(places, "int32")));
  });
  const loss = output.size === 0 ? tf.scalar(NaN) : tf.neg(tf.mean(output));
  return [tf.reshape(output, target.shape), loss];
}

/** The log-probabilities `(N, C)` of all classes. */
export function adaptiveLogProbabilities(
  input: tf.Tensor,
  shortlist: number,
  head: Layer,
  tails: readonly Layer[],
): tf.Tensor {
  return tf.tidy(() => {
    const first = logSoftmax(head(input), { dim: 1 });
    const parts = tails.map((tail, i) => {
      const cluster = tf.slice(first, [0, shortlist + i], [-1, 1]);
      return tf.add(logSoftmax(tail(input), { dim: 1 }), cluster);
    });
    return tf.concat([tf.slice(first, [0, 0], [-1, shortlist]), ...parts], 1);
  });
}

/** The most probable class of each row. */
export function mostProbable(logProbabilities: tf.Tensor): tf.Tensor {
  const classes = tf.argMax(logProbabilities, 1);
  logProbabilities.dispose();
  return classes;
}
