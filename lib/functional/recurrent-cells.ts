import * as tf from "@tensorflow/tfjs-core";
import { linear } from "./linear.js";
import { atLeast } from "./numeric.js";
import { split } from "./moves.js";
import { op } from "./op.js";

export type RecurrentMode = "RNN_TANH" | "RNN_RELU" | "LSTM" | "GRU";

/** The weights of a layer in one direction. Biases may be absent; `weightHr` is rarely present. */
export interface RecurrentWeights {
  weightIh: tf.Tensor;
  weightHh: tf.Tensor;
  biasIh: tf.Tensor | null;
  biasHh: tf.Tensor | null;
  /** The projection of the hidden state, which only an LSTM can have. */
  weightHr: tf.Tensor | null;
}

/** `[h]`, or `[h, c]` for an LSTM; each `(N, *)`. */
export type RecurrentState = readonly tf.Tensor[];

/**
 * One time step, from the input's part of the gates, `x W_ihᵀ + b_ih` `(N, gates·H)`, and the
 * state.
 *
 * Source: the formulas of https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html and its
 * neighbours.
 */
export function step(
  mode: RecurrentMode,
  fromInput: tf.Tensor,
  state: RecurrentState,
  { weightHh, biasHh, weightHr }: RecurrentWeights,
): RecurrentState {
  const [h, c] = state as [tf.Tensor, tf.Tensor];
  const fromHidden = linear(h, weightHh, { bias: biasHh });
  if (mode === "RNN_TANH") return [tf.tanh(tf.add(fromInput, fromHidden))];
  if (mode === "RNN_RELU") return [atLeast(tf.add(fromInput, fromHidden), 0)];
  if (mode === "GRU") {
    const [[ri, zi, ni], [rh, zh, nh]] = [fromInput, fromHidden].map((x) => split(x, 3, 1)) as [
      [tf.Tensor, tf.Tensor, tf.Tensor],
      [tf.Tensor, tf.Tensor, tf.Tensor],
    ];
    const reset = tf.sigmoid(tf.add(ri, rh));
    const update = tf.sigmoid(tf.add(zi, zh));
    const fresh = tf.tanh(tf.add(ni, tf.mul(reset, nh)));
    return [tf.add(fresh, tf.mul(update, tf.sub(h, fresh)))];
  }
  const gates = split(tf.add(fromInput, fromHidden), 4, 1);
  const [input, forget, output] = [gates[0]!, gates[1]!, gates[3]!].map((gate) => tf.sigmoid(gate));
  const cell = tf.add(tf.mul(forget!, c), tf.mul(input!, tf.tanh(gates[2]!)));
  const hidden = tf.mul(output!, tf.tanh(cell));
  return [weightHr === null ? hidden : linear(hidden, weightHr), cell];
}

function cell(
  mode: RecurrentMode,
  input: tf.Tensor,
  state: RecurrentState,
  weightIh: tf.Tensor,
  weightHh: tf.Tensor,
  biasIh: tf.Tensor | null,
  biasHh: tf.Tensor | null,
): RecurrentState {
  const weights = { weightIh, weightHh, biasIh, biasHh, weightHr: null };
  return step(mode, linear(input, weightIh, { bias: biasIh }), state, weights);
}

type Cell<S, R> = (
  input: tf.Tensor,
  state: S,
  weightIh: tf.Tensor,
  weightHh: tf.Tensor,
  biasIh: tf.Tensor | null,
  biasHh: tf.Tensor | null,
) => R;

/** One step of an RNN with tanh: `(N, in)`, `(N, H)` → `(N, H)`. */
export const rnnTanhCell: Cell<tf.Tensor, tf.Tensor> = /* @__PURE__ */ op(
  "rnn_tanh_cell",
  (input: tf.Tensor, h: tf.Tensor, ...weights) => cell("RNN_TANH", input, [h], ...weights)[0]!,
);

/** One step of an RNN with ReLU: `(N, in)`, `(N, H)` → `(N, H)`. */
export const rnnReluCell: Cell<tf.Tensor, tf.Tensor> = /* @__PURE__ */ op(
  "rnn_relu_cell",
  (input: tf.Tensor, h: tf.Tensor, ...weights) => cell("RNN_RELU", input, [h], ...weights)[0]!,
);

/** One step of a GRU: `(N, in)`, `(N, H)` → `(N, H)`. */
export const gruCell: Cell<tf.Tensor, tf.Tensor> = /* @__PURE__ */ op(
  "gru_cell",
  (input: tf.Tensor, h: tf.Tensor, ...weights) => cell("GRU", input, [h], ...weights)[0]!,
);

/** One step of an LSTM: `(N, in)`, `[(N, H), (N, H)]` → `[h, c]`. */
export const lstmCell: Cell<readonly tf.Tensor[], [tf.Tensor, tf.Tensor]> = /* @__PURE__ */ op(
  "lstm_cell",
  (input: tf.Tensor, state: readonly tf.Tensor[], ...weights) =>
    cell("LSTM", input, state, ...weights) as [tf.Tensor, tf.Tensor],
);
