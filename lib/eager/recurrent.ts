/** LSTM, GRU and RNN over whole sequences, all layers and directions in one call. */
import * as tf from "@tensorflow/tfjs-core";
import { recurrent, type RecurrentSpec } from "../kernels/cpu/index.js";
import { isFloats, ofShape, options, product, sameShape, vector } from "./arguments.js";
import { packWeight } from "./linear.js";
import { align, type Memory } from "./memory.js";

type Weights = Readonly<
  Record<"weightIh" | "weightHh" | "biasIh" | "biasHh" | "weightHr", unknown>
>;

const GATES = { lstm: 4, gru: 3, tanh: 1, relu: 1 } as const;

/** What one layer reads in one direction. */
interface Layer {
  weightIh: tf.Tensor;
  weightHh: tf.Tensor;
  biasIh: tf.Tensor | null;
  biasHh: tf.Tensor | null;
}

/** The weights of a layer if they are as large as they must be. */
function layerOf(given: Weights, inputSize: number, h: number, gates: number): Layer | null {
  const { weightIh, weightHh, weightHr } = given;
  if (!isFloats(weightIh) || !isFloats(weightHh) || weightHr) return null;
  if (!sameShape(weightIh.shape, [gates * h, inputSize])) return null;
  if (!sameShape(weightHh.shape, [gates * h, h])) return null;
  const [biasIh, biasHh] = [vector(given.biasIh, gates * h), vector(given.biasHh, gates * h)];
  return biasIh === undefined || biasHh === undefined
    ? null
    : { weightIh, weightHh, biasIh, biasHh };
}

/** `[output, ...last states]`; `null`: it is the body's. */
export function runRecurrent(
  memory: Memory,
  kind: RecurrentSpec["kind"],
  [x, initial, given, rest]: readonly unknown[],
): tf.Tensor[] | null {
  const read = options(rest, "bidirectional dropout training lengths");
  if (read === null || read.lengths || (read.training && read.dropout)) return null;
  if (!isFloats(x) || x.rank !== 3 || !Array.isArray(given) || !Array.isArray(initial)) return null;
  const [time, batch, inputSize] = x.shape as [number, number, number];
  const directions = read.bidirectional ? 2 : 1;
  const h = (initial[0] as tf.Tensor).shape[2]!;
  const states = [given.length, batch, h];
  const starts = initial.map((state) => ofShape(state, states));
  if (starts.some((state) => !state)) return null;
  const layers = (given as Weights[]).map((one, i) =>
    layerOf(one, i < directions ? inputSize : directions * h, h, GATES[kind]),
  );
  if (!layers.every((layer) => layer !== null)) return null;

  const { heap } = memory;
  const outRow = directions * h;
  const kernels = layers.map((_, i) =>
    recurrent(heap, {
      ...{ kind, time, batch, outRow, hiddenSize: h, reverse: i % directions === 1 },
      inputSize: i < directions ? inputSize : outRow,
    }),
  );
  const packed = layers.map(({ weightIh, weightHh }) => ({
    weightIh: packWeight(memory, weightIh, weightIh.shape[0], weightIh.shape[1]!),
    weightHh: packWeight(memory, weightHh, weightHh.shape[0], h),
  }));
  const [outputSize, stateSize] = [time * batch * outRow, product(states)];
  // Two layers' outputs in turn, and the scratch memory of one layer.
  const between = align(outputSize * 4);
  const scratchBytes = 2 * between + Math.max(...kernels.map((one) => one.workspaceBytes));
  const inputs = [x, ...(starts as tf.Tensor[]), ...layers.flatMap((one) => [one.biasIh, one.biasHh])]; // prettier-ignore
  const size = outputSize + starts.length * stateSize;
  const flat = memory.call(inputs, [size], scratchBytes, (at, out, scratch) => {
    const biases = at.slice(1 + starts.length);
    const ends = out + outputSize * 4;
    kernels.forEach((kernel, i) => {
      const layer = Math.floor(i / directions);
      const isLast = i >= kernels.length - directions;
      const state = i * batch * h * 4;
      kernel.run({
        ...packed[i]!,
        x: layer === 0 ? at[0]! : scratch + ((layer - 1) % 2) * between,
        biasIh: biases[2 * i]!,
        biasHh: biases[2 * i + 1]!,
        h0: at[1]! + state,
        c0: kind === "lstm" ? at[2]! + state : 0,
        out: (isLast ? out : scratch + (layer % 2) * between) + (i % directions) * h * 4,
        hN: ends + state,
        cN: kind === "lstm" ? ends + stateSize * 4 + state : 0,
        workspace: scratch + 2 * between,
      });
    });
  });
  if (!flat) return null;
  return tf.tidy(() => {
    const all = tf.engine().makeTensorFromTensorInfo(flat);
    const parts = tf.split(all, [outputSize, ...starts.map(() => stateSize)]);
    return parts.map((part, i) => tf.reshape(part, i ? states : [time, batch, outRow]));
  });
}

export const RECURRENT: Readonly<Record<string, RecurrentSpec["kind"]>> = {
  lstm: "lstm",
  gru: "gru",
  rnn_tanh: "tanh",
  rnn_relu: "relu",
};
