import * as tf from "@tensorflow/tfjs-core";
import { dropout } from "./dropout.js";
import { linear } from "./linear.js";
import { op, tryKernel } from "./op.js";
import {
  type RecurrentMode,
  type RecurrentState,
  type RecurrentWeights,
  step,
} from "./recurrent-cells.js";

export interface RecurrentOptions {
  /** Has a second set of weights, which reads the sequence backwards. */
  bidirectional: boolean;
  /** The probability of dropping an output between two layers. */
  dropout: number;
  training: boolean;
  /** The lengths of the sequences in a batch; `null` if all have length T. */
  lengths: readonly number[] | null;
}

/** Runs one layer in one direction: `(T, N, I)` → `(T, N, H)` and the last state. */
function runDirection(
  mode: RecurrentMode,
  x: tf.Tensor,
  initial: RecurrentState,
  weights: RecurrentWeights,
  running: readonly (tf.Tensor | null)[],
  backwards: boolean,
): [tf.Tensor, RecurrentState] {
  const inputs = tf.unstack(linear(x, weights.weightIh, { bias: weights.biasIh }), 0);
  const outputs = new Array<tf.Tensor>(inputs.length);
  let state = initial;
  for (let i = 0; i < inputs.length; i += 1) {
    const t = backwards ? inputs.length - 1 - i : i;
    const [before, mask] = [state, running[t] ?? null];
    state = step(mode, inputs[t]!, before, weights);
    // A sequence that has ended (or, backwards, not begun) keeps its state.
    if (mask !== null) state = state.map((after, k) => mix(mask, after, before[k]!));
    outputs[t] = mask === null ? state[0]! : tf.mul(state[0]!, mask);
  }
  return [tf.stack(outputs, 0), state];
}

const mix = (mask: tf.Tensor, yes: tf.Tensor, no: tf.Tensor): tf.Tensor =>
  tf.add(no, tf.mul(mask, tf.sub(yes, no)));

/** For each time step a mask `(N, 1)` of sequences that have not ended; `null` if none has. */
function runningAt(steps: number, lengths: readonly number[] | null): (tf.Tensor | null)[] {
  return Array.from({ length: steps }, (_, t) => {
    if (lengths === null || lengths.every((length) => t < length)) return null;
    return tf.tensor2d(lengths.map((length) => [t < length ? 1 : 0]));
  });
}

/**
 * A stack of recurrent layers over whole sequences.
 *
 * Shapes: input `(T, N, I)`; each state `(layers · directions, N, *)`; one set of weights for each
 * layer and direction → `[output (T, N, directions · H), ...last states]`. After the end of a
 * shorter sequence the output is 0.
 */
function run(
  mode: RecurrentMode,
  input: tf.Tensor,
  initial: RecurrentState,
  weights: readonly RecurrentWeights[],
  { bidirectional, dropout: p, training, lengths }: RecurrentOptions,
): tf.Tensor[] {
  const directions = bidirectional ? 2 : 1;
  const own =
    !lengths &&
    !(training && p) &&
    tryKernel("recurrent", mode, input, initial, weights, directions);
  if (own) return own as tf.Tensor[];
  const layers = weights.length / directions;
  const starts = initial.map((state) => tf.unstack(state, 0));
  const running = runningAt(input.shape[0], lengths);
  const ends: RecurrentState[] = [];
  let x = input;
  for (let layer = 0; layer < layers; layer += 1) {
    const outputs = Array.from({ length: directions }, (_, direction) => {
      const i = layer * directions + direction;
      const start = starts.map((states) => states[i]!);
      const [output, end] = runDirection(mode, x, start, weights[i]!, running, direction === 1);
      ends.push(end);
      return output;
    });
    x = directions === 1 ? outputs[0]! : tf.concat(outputs, 2);
    if (training && p > 0 && layer < layers - 1) x = dropout(x, { p, training });
  }
  return [
    x,
    ...initial.map((_, k) =>
      tf.stack(
        ends.map((state) => state[k]!),
        0,
      ),
    ),
  ];
}

type Recurrent = (
  input: tf.Tensor,
  initial: RecurrentState,
  weights: readonly RecurrentWeights[],
  options: RecurrentOptions,
) => tf.Tensor[];

const declare = (name: string, mode: RecurrentMode): Recurrent =>
  op(
    name,
    (
      input: tf.Tensor,
      initial: RecurrentState,
      weights: readonly RecurrentWeights[],
      options: RecurrentOptions,
    ) => run(mode, input, initial, weights, options),
  );

/** `h' = tanh(x W_ihᵀ + b_ih + h W_hhᵀ + b_hh)` over sequences. */
export const rnnTanh = /* @__PURE__ */ declare("rnn_tanh", "RNN_TANH");
/** `h' = max(0, x W_ihᵀ + b_ih + h W_hhᵀ + b_hh)` over sequences. */
export const rnnRelu = /* @__PURE__ */ declare("rnn_relu", "RNN_RELU");
/** Long short-term memory over sequences. */
export const lstm = /* @__PURE__ */ declare("lstm", "LSTM");
/** Gated recurrent units over sequences. */
export const gru = /* @__PURE__ */ declare("gru", "GRU");
