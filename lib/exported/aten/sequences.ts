/** Sequences of several lengths. */
import type * as tf from "@tensorflow/tfjs-core";
import { padSequence } from "../../functional/packed-sequence.js";
import { defineOps } from "./support/define.js";

export const sequenceOps = defineOps({
  "pad_sequence(sequences, batch_first, padding_value, padding_side)": (
    sequences: readonly tf.Tensor[],
    batchFirst?: boolean,
    paddingValue?: number,
    paddingSide?: "left" | "right",
  ) => padSequence(sequences, { batchFirst, paddingValue, paddingSide }),
});
