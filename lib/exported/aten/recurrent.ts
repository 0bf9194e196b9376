import * as tf from "@tensorflow/tfjs-core";
import * as cells from "../../functional/recurrent-cells.js";
import { gru, lstm, rnnRelu, rnnTanh } from "../../functional/recurrent.js";
import type { RecurrentWeights } from "../../functional/recurrent-cells.js";
import {
  packedLengths,
  PackedSequence,
  packRows,
  unpackRows,
} from "../../functional/packed-sequence.js";
import { defineOps } from "./support/define.js";

type Maybe = tf.Tensor | null;
type Run = typeof lstm;

/** PyTorch lists the weights of all layers and directions one after another. */
function readWeights(
  params: readonly tf.Tensor[],
  hasBiases: boolean,
  initial: readonly tf.Tensor[],
): RecurrentWeights[] {
  const isProjected = initial.length === 2 && initial[0]!.shape.at(-1) !== initial[1]!.shape.at(-1);
  const each = 2 + (hasBiases ? 2 : 0) + (isProjected ? 1 : 0);
  return Array.from({ length: params.length / each }, (_, i) => {
    const own = params.slice(i * each, (i + 1) * each);
    return {
      weightIh: own[0]!,
      weightHh: own[1]!,
      biasIh: hasBiases ? own[2]! : null,
      biasHh: hasBiases ? own[3]! : null,
      weightHr: isProjected ? own.at(-1)! : null,
    };
  });
}

const listOf = (hx: tf.Tensor | readonly tf.Tensor[]): readonly tf.Tensor[] =>
  hx instanceof tf.Tensor ? [hx] : hx;

const swap = (x: tf.Tensor): tf.Tensor => tf.transpose(x, [1, 0, 2]);

const over =
  (run: Run) =>
  (
    input: tf.Tensor,
    hx: tf.Tensor | readonly tf.Tensor[],
    params: readonly tf.Tensor[],
    hasBiases: boolean,
    _layers: number,
    dropout: number,
    training: boolean,
    bidirectional: boolean,
    batchFirst: boolean,
  ): tf.Tensor[] => {
    const initial = listOf(hx);
    const weights = readWeights(params, hasBiases, initial);
    const options = { bidirectional, dropout, training, lengths: null };
    const [output, ...states] = run(batchFirst ? swap(input) : input, initial, weights, options);
    return [batchFirst ? swap(output!) : output!, ...states];
  };

const overPacked =
  (run: Run) =>
  (
    data: tf.Tensor,
    batchSizes: tf.Tensor,
    hx: tf.Tensor | readonly tf.Tensor[],
    params: readonly tf.Tensor[],
    hasBiases: boolean,
    _layers: number,
    dropout: number,
    training: boolean,
    bidirectional: boolean,
  ): tf.Tensor[] => {
    const initial = listOf(hx);
    const weights = readWeights(params, hasBiases, initial);
    const sizes = Array.from(batchSizes.dataSync());
    const sequence = new PackedSequence(data, sizes);
    const lengths = packedLengths(sequence);
    const padded = unpackRows(sequence, sizes.length);
    const [output, ...states] = run(padded, initial, weights, {
      bidirectional,
      dropout,
      training,
      lengths,
    });
    return [packRows(output!, lengths), ...states];
  };

const SEQUENCE = "params, has_biases, num_layers, dropout, train, bidirectional";

const layers = (name: string, run: Run) => ({
  [`${name}.input(input, hx, ${SEQUENCE}, batch_first)`]: over(run),
  [`${name}.data(data, batch_sizes, hx, ${SEQUENCE})`]: overPacked(run),
});

const CELL = "(input, hx, w_ih, w_hh, b_ih, b_hh)";

const cell =
  <S, R>(run: (x: tf.Tensor, s: S, wIh: tf.Tensor, wHh: tf.Tensor, bIh: Maybe, bHh: Maybe) => R) =>
  (
    input: tf.Tensor,
    hx: S,
    wIh: tf.Tensor,
    wHh: tf.Tensor,
    bIh: Maybe = null,
    bHh: Maybe = null,
  ): R =>
    run(input, hx, wIh, wHh, bIh, bHh);

export const recurrentOps = defineOps({
  ...layers("lstm", lstm),
  ...layers("gru", gru),
  ...layers("rnn_tanh", rnnTanh),
  ...layers("rnn_relu", rnnRelu),
  [`lstm_cell${CELL}`]: cell(cells.lstmCell),
  [`gru_cell${CELL}`]: cell(cells.gruCell),
  [`rnn_tanh_cell${CELL}`]: cell(cells.rnnTanhCell),
  [`rnn_relu_cell${CELL}`]: cell(cells.rnnReluCell),
  "mkldnn_rnn_layer(input, weight0, weight1, weight2, weight3, hx_, cx_, reverse, batch_sizes, mode, hidden_size, num_layers, has_biases, bidirectional, batch_first, train)": (
    input: tf.Tensor, w0: tf.Tensor, w1: tf.Tensor, b0: tf.Tensor, b1: tf.Tensor, h: tf.Tensor, c: tf.Tensor, reverse: boolean,
  ) => {
    // One layer of an LSTM in one direction; the last result is the kernel's workspace, which is
    // empty here.
    const weights = [{ weightIh: w0, weightHh: w1, biasIh: b0, biasHh: b1, weightHr: null }];
    const x = reverse ? tf.reverse(input, 0) : input;
    const initial = [h, c].map((s) => tf.reshape(s, [1, ...s.shape.slice(-2)]));
    const [y, hy, cy] = lstm(x, initial, weights, { bidirectional: false, dropout: 0, training: false, lengths: null });
    return [reverse ? tf.reverse(y!, 0) : y!, tf.reshape(hy!, h.shape), tf.reshape(cy!, c.shape), tf.zeros([0])];
  }, // prettier-ignore
});
