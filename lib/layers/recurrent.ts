import type * as tf from "@tensorflow/tfjs-core";
import type { PackedSequence } from "../functional/packed-sequence.js";
import { gru, lstm, rnnRelu, rnnTanh } from "../functional/recurrent.js";
import { type RecurrentLayerOptions, RNNBase } from "./recurrent-base.js";

/** The output is packed if the input is. */
type Like<I> = I extends PackedSequence ? PackedSequence : tf.Tensor;

export interface RNNOptions extends RecurrentLayerOptions {
  /** Default: `"tanh"`. */
  nonlinearity?: "tanh" | "relu";
}

export interface RNN {
  /** The output is packed if the input is. */
  <I extends tf.Tensor | PackedSequence>(input: I, h0?: tf.Tensor | null): [Like<I>, tf.Tensor];
}

/**
 * `h' = tanh(x W_ihᵀ + b_ih + h W_hhᵀ + b_hh)` over sequences, or with ReLU.
 *
 * Shapes: input `(L, N, inputSize)`, batch first `(N, L, …)`, unbatched `(L, …)`, or packed; h0
 * `(layers · directions, N, hiddenSize)`, by default 0 →
 * `[output (L, N, directions · hiddenSize), last h]`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html
 */
export class RNN extends RNNBase {
  static override readonly name: string = "RNN";

  constructor(inputSize: number, hiddenSize: number, options?: RNNOptions) {
    const { nonlinearity = "tanh", ...rest } = options ?? {};
    if (nonlinearity !== "tanh" && nonlinearity !== "relu") {
      throw new Error(
        `Unknown nonlinearity '${String(nonlinearity)}'. Select from 'tanh' or 'relu'.`,
      );
    }
    super(nonlinearity === "tanh" ? "RNN_TANH" : "RNN_RELU", inputSize, hiddenSize, rest);
  }

  override forward<I extends tf.Tensor | PackedSequence>(
    input: I,
    h0: tf.Tensor | null = null,
  ): [Like<I>, tf.Tensor] {
    const forward = this.mode === "RNN_TANH" ? rnnTanh : rnnRelu;
    const [output, [h]] = this.run(forward, input, h0 && [h0]);
    return [output as Like<I>, h!];
  }
}

export interface GRU {
  /** The output is packed if the input is. */
  <I extends tf.Tensor | PackedSequence>(input: I, h0?: tf.Tensor | null): [Like<I>, tf.Tensor];
}

/**
 * Gated recurrent units over sequences.
 *
 * Shapes: input `(L, N, inputSize)`, batch first `(N, L, …)`, unbatched `(L, …)`, or packed; h0
 * `(layers · directions, N, hiddenSize)`, by default 0 →
 * `[output (L, N, directions · hiddenSize), last h]`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html
 */
export class GRU extends RNNBase {
  static override readonly name: string = "GRU";

  constructor(inputSize: number, hiddenSize: number, options?: RecurrentLayerOptions) {
    super("GRU", inputSize, hiddenSize, options);
  }

  override forward<I extends tf.Tensor | PackedSequence>(
    input: I,
    h0: tf.Tensor | null = null,
  ): [Like<I>, tf.Tensor] {
    const [output, [h]] = this.run(gru, input, h0 && [h0]);
    return [output as Like<I>, h!];
  }
}

export interface LSTMOptions extends RecurrentLayerOptions {
  /** Project the hidden state to fewer features; 0: not. Default: 0. */
  projSize?: number;
}

export interface LSTM {
  /** The output is packed if the input is. */
  <I extends tf.Tensor | PackedSequence>(
    input: I,
    state?: readonly [tf.Tensor, tf.Tensor] | null,
  ): [Like<I>, [tf.Tensor, tf.Tensor]];
}

/**
 * Long short-term memory over sequences.
 *
 * Shapes: input `(L, N, inputSize)`, batch first `(N, L, …)`, unbatched `(L, …)`, or packed;
 * `[h0, c0]` `(layers · directions, N, projSize or hiddenSize)` and `(…, hiddenSize)`, by default 0
 * → `[output (L, N, directions · (projSize or hiddenSize)), [last h, last c]]`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
 */
export class LSTM extends RNNBase {
  static override readonly name: string = "LSTM";

  constructor(inputSize: number, hiddenSize: number, options?: LSTMOptions) {
    super("LSTM", inputSize, hiddenSize, options);
  }

  override forward<I extends tf.Tensor | PackedSequence>(
    input: I,
    state: readonly [tf.Tensor, tf.Tensor] | null = null,
  ): [Like<I>, [tf.Tensor, tf.Tensor]] {
    const [output, [h, c]] = this.run(lstm, input, state);
    return [output as Like<I>, [h!, c!]];
  }
}
