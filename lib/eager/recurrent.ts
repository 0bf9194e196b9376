/** LSTM, GRU and RNN over whole sequences, with all layers and directions in one call. */
import * as tf from "@tensorflow/tfjs-core";
import type { RecurrentMode, RecurrentWeights } from "../functional/recurrent-cells.js";
import { recurrent } from "../kernels/cpu/index.js";
import { isFloats, product } from "./arguments.js";
import { packWeight } from "./linear.js";
import { align, type Memory } from "./memory.js";

/** `[output, ...last states]`; takes arguments that the op's body has checked. */
export function runRecurrent(memory: Memory, args: readonly unknown[]): tf.Tensor[] | null {
  const [mode, x, starts, layers, directions] = args as [RecurrentMode, tf.Tensor, tf.Tensor[], RecurrentWeights[], number]; // prettier-ignore
  if (layers.some(({ weightHr }) => weightHr) || ![x, ...starts].every(isFloats)) return null;
  const kind = mode.replace("RNN_", "").toLowerCase() as "lstm" | "gru" | "tanh" | "relu";
  const [time, batch, inputSize] = x.shape as [number, number, number];
  const states = starts[0]!.shape;
  const h = states[2]!;
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
  // The outputs of two layers, used alternately, and scratch memory for one layer.
  const between = align(outputSize * 4);
  const scratchBytes = 2 * between + Math.max(...kernels.map((one) => one.workspaceBytes));
  const inputs = [x, ...starts, ...layers.flatMap((one) => [one.biasIh, one.biasHh])]; // prettier-ignore
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
