import { recurrent, type RecurrentSpec } from "../../kernels/cpu/index.js";
import type { Argument, Node } from "../../graph/index.js";
import { shapeOf } from "../passes/facts.js";
import { type Builder, Decline, type Lowered } from "./builder.js";
import { type Lower, type Lowerings, optionsOf } from "./lower-basic.js";
import { packWeight, optional } from "./lower-linear.js";
import { sliceValue, stridesOf, type Value } from "./value.js";

/** The weights of one layer in one direction, as the op of `functional` takes them. */
interface Weights {
  weightIh: Node;
  weightHh: Node;
  biasIh: Node | null;
  biasHh: Node | null;
  weightHr: Node | null;
}

/** The state of one layer and direction, out of `(layers · directions, N, H)`. */
function part(b: Builder, state: Value, index: number): Value {
  const [, n, h] = state.shape as [number, number, number];
  return sliceValue(b.contiguous(state), [index, 0, 0], [1, n, h]);
}

const lowerRecurrent =
  (kind: RecurrentSpec["kind"]): Lower =>
  (b, node): Lowered => {
    const [input, initial, weights, given] = node.args as unknown as [
      Node,
      Node[],
      Weights[],
      Argument,
    ];
    const options = optionsOf(given);
    if (options.lengths) return new Decline("sequences of different lengths");
    if (options.training && options.dropout) return new Decline("dropout");
    const isFixed = weights.every(({ weightIh, weightHh, weightHr }) =>
      [weightIh, weightHh, weightHr].every((one) => one === null || b.isStatic(one)),
    );
    if (!isFixed) return new Decline("its weights depend on the input");
    const [time, batch] = shapeOf(input) as [number, number];
    const directions = options.bidirectional ? 2 : 1;
    const starts = initial.map((state) => b.contiguous(b.read(state)));
    const hidden = starts[0]!.shape[2]!;
    const ends = starts.map(({ shape }) => b.make(shape));
    let x = b.contiguous(b.read(input));
    let both = x; // the outputs of both directions, next to each other
    weights.forEach((one, i) => {
      const direction = i % directions;
      const width = directions * hidden;
      if (direction === 0) both = b.make([time, batch, width]);
      runLayer(
        b,
        kind,
        one,
        x,
        sliceValue(both, [0, 0, direction * hidden], [time, batch, hidden]),
        {
          starts: starts.map((state) => part(b, state, i)),
          ends: ends.map((state) => part(b, state, i)),
          reverse: direction === 1,
        },
      );
      if (direction === directions - 1) x = both;
    });
    return [x, ...ends];
  };

/** Runs one layer in one direction. */
export function runLayer(
  b: Builder,
  kind: RecurrentSpec["kind"],
  weights: Weights,
  x: Value,
  out: Value,
  { starts, ends, reverse }: { starts: Value[]; ends: (Value | null)[]; reverse: boolean },
): void {
  const [time, batch, inputSize] = x.shape as [number, number, number];
  const gates = shapeOf(weights.weightIh)[0]!;
  const projSize = weights.weightHr ? out.shape[2]! : undefined;
  const hiddenSize = weights.weightHr ? shapeOf(weights.weightHr)[1]! : out.shape[2]!;
  const outRow = out.strides[1] ?? stridesOf(out.shape)[1]!;
  const { weightIh, weightHh, weightHr } = weights;
  const all = [weightIh, weightHh, weightHr].filter((one) => one !== null);
  const weightType = b.weightType(...all);
  const packed = all.map((one) => packWeight(b, one, weightType));
  const kernel = recurrent(b.heap, {
    ...{ kind, time, batch, inputSize, hiddenSize, reverse, outRow, weightType, projSize },
  });
  const reads = {
    ...{ x, weightIh: packed[0], weightHh: packed[1], weightHr: packed[2] },
    ...{ biasIh: optional(b, weights.biasIh), biasHh: optional(b, weights.biasHh) },
    ...{ h0: starts[0], c0: starts[1] },
  };
  const flops = 2 * time * batch * gates * (inputSize + out.shape[2]!);
  b.call(kind, kernel, reads, { out, hN: ends[0], cN: ends[1] }, { flops });
}

export const RECURRENT: Lowerings = {
  lstm: lowerRecurrent("lstm"),
  gru: lowerRecurrent("gru"),
  rnn_tanh: lowerRecurrent("tanh"),
  rnn_relu: lowerRecurrent("relu"),
};
