import type * as tf from "@tensorflow/tfjs-core";
import { describe, readOptions } from "../arguments.js";
import { asBatch, fromBatch, noState, reorderStates, swapBatch } from "../functional/batch.js";
import { checkStates, checkTensor } from "../functional/check.js";
import {
  PackedSequence,
  packedLengths,
  packRows,
  unpackRows,
} from "../functional/packed-sequence.js";
import type { RecurrentOptions } from "../functional/recurrent.js";
import type {
  RecurrentMode,
  RecurrentState,
  RecurrentWeights,
} from "../functional/recurrent-cells.js";
import { Empty, formatPython, init, Module, Parameter } from "../module/index.js";

export interface RecurrentLayerOptions {
  /** The number of stacked layers. Default: 1. */
  numLayers?: number;
  /** Learn additive biases. Default: `true`. */
  bias?: boolean;
  /** `(N, L, H)` instead of `(L, N, H)`; not for the states. Default: `false`. */
  batchFirst?: boolean;
  /** The probability of dropping an output between two layers, in training. Default: 0. */
  dropout?: number;
  /** Have a second set of weights that reads the sequence backwards. Default: `false`. */
  bidirectional?: boolean;
}

const DEFAULTS: Required<RecurrentLayerOptions> & { projSize: number } = {
  numLayers: 1,
  bias: true,
  batchFirst: false,
  dropout: 0,
  bidirectional: false,
  projSize: 0,
};

const GATES: Record<RecurrentMode, number> = { RNN_TANH: 1, RNN_RELU: 1, LSTM: 4, GRU: 3 };

type Forward = (
  input: tf.Tensor,
  initial: RecurrentState,
  weights: readonly RecurrentWeights[],
  options: RecurrentOptions,
) => tf.Tensor[];

/** The base of RNN, LSTM and GRU: weights, shapes, batches, packed sequences. */
export abstract class RNNBase extends Module {
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly projSize: number;

  constructor(
    readonly mode: RecurrentMode,
    readonly inputSize: number,
    readonly hiddenSize: number,
    options: (RecurrentLayerOptions & { projSize?: number }) | undefined,
  ) {
    super();
    const read = readOptions(this.constructor.name, DEFAULTS, options);
    checkArguments(mode, inputSize, hiddenSize, read);
    this.numLayers = read.numLayers;
    this.bias = read.bias;
    this.batchFirst = read.batchFirst;
    this.dropout = read.dropout;
    this.bidirectional = read.bidirectional;
    this.projSize = read.projSize;
    const gates = GATES[mode] * hiddenSize;
    const outSize = this.outSize;
    for (const [layer, suffix] of this.suffixes()) {
      const inSize = layer === 0 ? inputSize : outSize * (this.bidirectional ? 2 : 1);
      this.registerParameter(`weight_ih_${suffix}`, new Parameter(new Empty([gates, inSize])));
      this.registerParameter(`weight_hh_${suffix}`, new Parameter(new Empty([gates, outSize])));
      if (this.bias) {
        this.registerParameter(`bias_ih_${suffix}`, new Parameter(new Empty([gates])));
        this.registerParameter(`bias_hh_${suffix}`, new Parameter(new Empty([gates])));
      }
      if (this.projSize > 0) {
        const shape = [this.projSize, hiddenSize];
        this.registerParameter(`weight_hr_${suffix}`, new Parameter(new Empty(shape)));
      }
    }
    this.resetParameters();
  }

  resetParameters(): void {
    const k = 1 / Math.sqrt(this.hiddenSize);
    for (const weight of this.parameters()) init.uniform_(weight, { a: -k, b: k });
  }

  /** The number of output features in one direction. */
  private get outSize(): number {
    return this.projSize || this.hiddenSize;
  }

  /** The suffixes of weight names, `l0`, `l0_reverse`, `l1` …, with the number of the layer. */
  private suffixes(): [number, string][] {
    const directions = this.bidirectional ? ["", "_reverse"] : [""];
    return Array.from({ length: this.numLayers }, (_, layer) =>
      directions.map((direction): [number, string] => [layer, `l${layer}${direction}`]),
    ).flat();
  }

  private weights(): RecurrentWeights[] {
    const own = this as unknown as Record<string, Parameter | undefined>;
    return this.suffixes().map(([, suffix]) => ({
      weightIh: own[`weight_ih_${suffix}`]!,
      weightHh: own[`weight_hh_${suffix}`]!,
      biasIh: own[`bias_ih_${suffix}`] ?? null,
      biasHh: own[`bias_hh_${suffix}`] ?? null,
      weightHr: own[`weight_hr_${suffix}`] ?? null,
    }));
  }

  /** Returns the output in the form of the input (padded or packed), and the last states. */
  protected run(
    forward: Forward,
    input: tf.Tensor | PackedSequence,
    given: RecurrentState | null,
  ): [tf.Tensor | PackedSequence, tf.Tensor[]] {
    const name = this.constructor.name;
    checkStates(name, given, this.mode === "LSTM" ? 2 : 1);
    if (input instanceof PackedSequence) return this.runPacked(forward, input, given);
    checkTensor(name, input);
    if (input.rank !== 2 && input.rank !== 3) {
      throw new Error(`${name}: Expected input to be 2D or 3D, got ${input.rank}D instead`);
    }
    const isBatched = input.rank === 3;
    const swaps = isBatched && this.batchFirst;
    if (given?.some((state) => state.rank !== input.rank)) {
      const kind = isBatched ? "batched 3-D" : "unbatched 2-D";
      const ranks = given.map((state) => `${state.rank}-D`).join(", ");
      throw new Error(
        given.length === 1
          ? `For ${kind} input, hx should also be ${input.rank}-D but got ${ranks} tensor`
          : `For ${kind} input, hx and cx should also be ${input.rank}-D but got (${ranks}) tensors`,
      );
    }
    this.checkInput(input);
    const x = asBatch(swaps ? swapBatch(input) : input, isBatched, 1);
    const states = given?.map((state) => asBatch(state, isBatched, 1));
    const [output, ...ends] = this.compute(forward, x, states ?? null, null);
    const y = fromBatch(output!, isBatched, 1);
    return [swaps ? swapBatch(y) : y, ends.map((end) => fromBatch(end, isBatched, 1))];
  }

  private runPacked(
    forward: Forward,
    input: PackedSequence,
    given: RecurrentState | null,
  ): [PackedSequence, tf.Tensor[]] {
    const { data, batchSizes, sortedIndices, unsortedIndices } = input;
    if (data.rank !== 2) throw new Error(`input must have 2 dimensions, got ${data.rank}`);
    this.checkInput(data);
    const lengths = packedLengths(input);
    const states = given?.map((state) => reorderStates(state, sortedIndices)) ?? null;
    const x = unpackRows(input, batchSizes.length);
    const [output, ...ends] = this.compute(forward, x, states, lengths);
    const packed = packRows(output!, lengths);
    return [
      new PackedSequence(packed, batchSizes, sortedIndices, unsortedIndices),
      ends.map((end) => reorderStates(end, unsortedIndices)),
    ];
  }

  private checkInput(input: tf.Tensor): void {
    if (input.dtype !== "float32") {
      throw new Error(
        `RNN input dtype (${input.dtype}) does not match weight dtype (float32). ` +
          'Convert input: tf.cast(input, "float32")',
      );
    }
    if (input.shape.at(-1) === this.inputSize) return;
    throw new Error(
      "input.size(-1) must be equal to input_size. " +
        `Expected ${this.inputSize}, got ${input.shape.at(-1)}`,
    );
  }

  private compute(
    forward: Forward,
    x: tf.Tensor,
    given: RecurrentState | null,
    lengths: readonly number[] | null,
  ): tf.Tensor[] {
    const count = this.numLayers * (this.bidirectional ? 2 : 1);
    const sizes = this.mode === "LSTM" ? [this.outSize, this.hiddenSize] : [this.outSize];
    const shapes = sizes.map((size) => [count, x.shape[1]!, size]);
    given?.forEach((state, k) => {
      checkState(state, shapes[k]!, shapes.length === 1 ? "hidden" : `hidden[${k}]`);
    });
    if (x.shape[0] === 0) throw new Error("Expected sequence length to be larger than 0 in RNN");
    const initial = given ?? shapes.map(noState);
    const { bidirectional, dropout, training } = this;
    return forward(x, initial, this.weights(), { bidirectional, dropout, training, lengths });
  }

  override extraRepr(): string {
    let text = `${this.inputSize}, ${this.hiddenSize}`;
    if (this.projSize !== 0) text += `, proj_size=${this.projSize}`;
    if (this.numLayers !== 1) text += `, num_layers=${this.numLayers}`;
    if (!this.bias) text += ", bias=False";
    if (this.batchFirst) text += ", batch_first=True";
    if (this.dropout !== 0) text += `, dropout=${formatPython(this.dropout)}`;
    if (this.bidirectional) text += ", bidirectional=True";
    return text;
  }
}

function checkState(state: tf.Tensor, shape: number[], what: string): void {
  if (String(state.shape) === String(shape)) return;
  throw new Error(`Expected ${what} size (${shape.join(", ")}), got [${state.shape.join(", ")}]`);
}

function checkArguments(
  mode: RecurrentMode,
  inputSize: number,
  hiddenSize: number,
  { numLayers, dropout, projSize, bias, batchFirst }: typeof DEFAULTS,
): void {
  for (const [name, size] of Object.entries({ input_size: inputSize, hidden_size: hiddenSize })) {
    if (!Number.isInteger(size)) {
      throw new TypeError(`${name} should be of type int, got: ${describe(size)}`);
    }
    if (size <= 0) throw new RangeError(`${name} must be greater than zero`);
  }
  for (const [name, flag] of Object.entries({ bias, batch_first: batchFirst })) {
    if (typeof flag === "boolean") continue;
    throw new TypeError(`${name} should be of type bool, got: ${describe(flag)}`);
  }
  if (!(numLayers > 0)) {
    throw new RangeError(`num_layers must be greater than zero, got ${numLayers}`);
  }
  if (!(dropout >= 0 && dropout <= 1)) {
    throw new RangeError(
      "dropout should be a number in range [0, 1] " +
        `representing the probability of an element being zeroed, got ${dropout}`,
    );
  }
  if (mode !== "LSTM" && projSize !== 0) {
    throw new Error("proj_size argument is only supported for LSTM, not RNN or GRU");
  }
  if (projSize < 0) {
    throw new RangeError("proj_size should be a positive integer or zero to disable projections");
  }
  if (projSize >= hiddenSize) {
    throw new RangeError(
      `proj_size has to be smaller than hidden_size, got ${projSize} and ${hiddenSize}`,
    );
  }
}
