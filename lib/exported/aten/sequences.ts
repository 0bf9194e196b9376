/** Sequences of several lengths. */
import * as tf from "@tensorflow/tfjs-core";
import { padTensor } from "../../functional/pad-tensor.js";
import { defineOps } from "./support/define.js";

/** `(length, *)` each → `(longest, count, *)`, or the count first; what is missing is filled. */
function padSequence(
  sequences: readonly tf.Tensor[],
  batchFirst = false,
  value = 0,
  side = "right",
): tf.Tensor {
  const longest = Math.max(...sequences.map(({ shape }) => shape[0]));
  const padded = sequences.map((x) => {
    const missing = longest - x.shape[0];
    const first = side === "left" ? [missing, 0] : [0, missing];
    const pads = x.shape.map((_, i) => (i === 0 ? first : [0, 0]) as [number, number]);
    return padTensor(x, pads, value);
  });
  return tf.stack(padded, batchFirst ? 0 : 1);
}

export const sequenceOps = defineOps({
  "pad_sequence(sequences, batch_first, padding_value, padding_side)": padSequence,
});
