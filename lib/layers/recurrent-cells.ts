import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { asBatch, fromBatch, noState } from "../functional/batch.js";
import { checkStates, checkTensor } from "../functional/check.js";
import { gruCell, lstmCell, rnnReluCell, rnnTanhCell } from "../functional/recurrent-cells.js";
import { Empty, init, Module, Parameter } from "../module/index.js";

export interface RecurrentCellOptions {
  /** Learn additive biases. Default: `true`. */
  bias?: boolean;
}

/** The base of the three cells: weights, and inputs without a batch dimension. */
abstract class RNNCellBase extends Module {
  readonly bias: boolean;
  weight_ih: Parameter;
  weight_hh: Parameter;
  bias_ih: Parameter | null;
  bias_hh: Parameter | null;

  constructor(
    readonly inputSize: number,
    readonly hiddenSize: number,
    gates: number,
    options: RecurrentCellOptions | undefined,
  ) {
    super();
    const { bias } = readOptions(this.constructor.name, { bias: true }, options);
    this.bias = bias;
    this.weight_ih = new Parameter(new Empty([gates * hiddenSize, inputSize]));
    this.weight_hh = new Parameter(new Empty([gates * hiddenSize, hiddenSize]));
    this.bias_ih = bias ? new Parameter(new Empty([gates * hiddenSize])) : null;
    this.bias_hh = bias ? new Parameter(new Empty([gates * hiddenSize])) : null;
    this.resetParameters();
  }

  resetParameters(): void {
    const k = this.hiddenSize > 0 ? 1 / Math.sqrt(this.hiddenSize) : 0;
    for (const weight of this.parameters()) init.uniform_(weight, { a: -k, b: k });
  }

  /**
   * Checks an input and its state (default 0), adds a batch dimension if there is none, and removes
   * it from the results.
   */
  protected run(
    input: tf.Tensor,
    given: readonly tf.Tensor[] | null,
    count: number,
    forward: (x: tf.Tensor, state: tf.Tensor[]) => readonly tf.Tensor[],
  ): tf.Tensor[] {
    const name = this.constructor.name;
    checkTensor(name, input);
    checkStates(name, given, count);
    if (input.rank !== 1 && input.rank !== 2) {
      throw new Error(`${name}: Expected input to be 1D or 2D, got ${input.rank}D instead`);
    }
    given?.forEach((state, i) => {
      if (state.rank === 1 || state.rank === 2) return;
      const what = count === 1 ? "hidden" : `hx[${i}]`;
      throw new Error(`${name}: Expected ${what} to be 1D or 2D, got ${state.rank}D instead`);
    });
    const isBatched = input.rank === 2;
    given?.forEach(({ rank }, i) => {
      if (rank === input.rank) return;
      throw new Error(
        `${name}: Expected ${isBatched ? "2D" : "1D"} hidden${i} for an input of the same ` +
          `dimensions, but got ${rank}D tensor`,
      );
    });
    const batch = (x: tf.Tensor): tf.Tensor => asBatch(x, isBatched, 0);
    const x = batch(input);
    const zeros = (): tf.Tensor => noState([x.shape[0], this.hiddenSize]);
    const state = given?.map(batch) ?? Array.from({ length: count }, zeros);
    this.checkWidths(x, state);
    return forward(x, state).map((y) => fromBatch(y, isBatched, 0));
  }

  private checkWidths(x: tf.Tensor, states: readonly tf.Tensor[]): void {
    if (x.shape[1] !== this.inputSize) {
      throw new Error(
        `input has inconsistent input_size: got ${x.shape[1]} expected ${this.inputSize}`,
      );
    }
    for (const [i, { shape }] of states.entries()) {
      if (shape[0] !== x.shape[0]) {
        throw new Error(
          `Input batch size ${x.shape[0]} doesn't match hidden${i} batch size ${shape[0]}`,
        );
      }
      if (shape[1] !== this.hiddenSize) {
        throw new Error(
          `hidden${i} has inconsistent hidden_size: got ${shape[1]}, expected ${this.hiddenSize}`,
        );
      }
    }
  }

  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.bias ? "" : ", bias=False"}`;
  }
}

export interface RNNCellOptions extends RecurrentCellOptions {
  /** Default: `"tanh"`. */
  nonlinearity?: "tanh" | "relu";
}

/**
 * One step of an RNN: `h' = tanh(x W_ihᵀ + b_ih + h W_hhᵀ + b_hh)`, or with ReLU.
 *
 * Shapes: `(N, inputSize)` or `(inputSize)`, h `(N, hiddenSize)` or `(hiddenSize)`, by default 0 →
 * as h.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.RNNCell.html
 */
export class RNNCell extends RNNCellBase {
  static override readonly name: string = "RNNCell";

  readonly nonlinearity: "tanh" | "relu";

  constructor(inputSize: number, hiddenSize: number, options?: RNNCellOptions) {
    const { nonlinearity = "tanh", ...rest } = options ?? {};
    super(inputSize, hiddenSize, 1, rest);
    this.nonlinearity = nonlinearity;
  }

  override forward(input: tf.Tensor, h: tf.Tensor | null = null): tf.Tensor {
    const cell = { tanh: rnnTanhCell, relu: rnnReluCell }[this.nonlinearity];
    if (cell === undefined) throw new Error(`Unknown nonlinearity: ${String(this.nonlinearity)}`);
    const { weight_ih: wi, weight_hh: wh, bias_ih: bi, bias_hh: bh } = this;
    return this.run(input, h && [h], 1, (x, [hx]) => [cell(x, hx!, wi, wh, bi, bh)])[0]!;
  }

  override extraRepr(): string {
    const text = super.extraRepr();
    return this.nonlinearity === "tanh" ? text : `${text}, nonlinearity=${this.nonlinearity}`;
  }
}

/**
 * One step of a GRU.
 *
 * Shapes: `(N, inputSize)` or `(inputSize)`, h `(N, hiddenSize)` or `(hiddenSize)`, by default 0 →
 * as h.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.GRUCell.html
 */
export class GRUCell extends RNNCellBase {
  static override readonly name: string = "GRUCell";

  constructor(inputSize: number, hiddenSize: number, options?: RecurrentCellOptions) {
    super(inputSize, hiddenSize, 3, options);
  }

  override forward(input: tf.Tensor, h: tf.Tensor | null = null): tf.Tensor {
    const { weight_ih: wi, weight_hh: wh, bias_ih: bi, bias_hh: bh } = this;
    return this.run(input, h && [h], 1, (x, [hx]) => [gruCell(x, hx!, wi, wh, bi, bh)])[0]!;
  }
}

/**
 * One step of an LSTM.
 *
 * Shapes: `(N, inputSize)` or `(inputSize)`, `[h, c]` `(N, hiddenSize)` or `(hiddenSize)`, by
 * default 0 → `[h, c]`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html
 */
export class LSTMCell extends RNNCellBase {
  static override readonly name: string = "LSTMCell";

  constructor(inputSize: number, hiddenSize: number, options?: RecurrentCellOptions) {
    super(inputSize, hiddenSize, 4, options);
  }

  override forward(
    input: tf.Tensor,
    state: readonly [tf.Tensor, tf.Tensor] | null = null,
  ): [tf.Tensor, tf.Tensor] {
    const { weight_ih: wi, weight_hh: wh, bias_ih: bi, bias_hh: bh } = this;
    const [h, c] = this.run(input, state, 2, (x, hx) => lstmCell(x, hx, wi, wh, bi, bh));
    return [h!, c!];
  }
}
