import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectClose } from "../support/expect.js";

const LAYERS = { RNN: nn.RNN, LSTM: nn.LSTM, GRU: nn.GRU };
const CELLS = { RNNCell: nn.RNNCell, LSTMCell: nn.LSTMCell, GRUCell: nn.GRUCell };

/** A state as the layer wants it: h, or h and c. */
const stateOf = (name: string, ...shape: number[]): tf.Tensor | [tf.Tensor, tf.Tensor] =>
  name.startsWith("LSTM") ? [tf.ones(shape), tf.ones(shape)] : tf.ones(shape);

/** PyTorch's outputs in training, of seed 0. */
const DROPPED: Record<string, number[]> = {
  LSTM: [-0.1572459, 0.0327469, 0.1345437, -0.24176, -0.2398268, -0.0937211, -0.2296076, 0.0722214, 0.2067112, -0.1597169, -0.1913459, -0.0765982], // prettier-ignore
  GRU: [-0.117765, -0.0608688, 0.0272697, 0.2513902, -0.1383149, 0.150811, -0.054818, 0.0996337, -0.1088337, 0.2452526, -0.2570928, 0.0830098], // prettier-ignore
  RNN: [0.9709404, 0.3844442, 0.1867935, -0.2841599, -0.8753115, -0.8931266, 0.9281509, 0.6969141, 0.6266338, -0.9154435, -0.9623565, -0.8627374], // prettier-ignore
};

type Call = (x: tf.Tensor, state?: unknown) => [tf.Tensor, unknown];

onEveryBackend("Recurrent layers", (_backend, tolerance) => {
  for (const [name, Layer] of Object.entries(LAYERS)) {
    it(`${name} drops between its layers what PyTorch drops, in training only`, () => {
      tf.tidy(() => {
        nn.manualSeed(0);
        const model = new Layer(2, 3, { numLayers: 2, dropout: 0.5, bidirectional: true });
        const x = tf.ones([2, 1, 2]);
        const [dropped] = (model.train() as unknown as Call)(x);
        expectClose(dropped.dataSync(), DROPPED[name]!, tolerance);
        const [kept] = (model.eval() as unknown as Call)(x);
        const [again] = (model as unknown as Call)(x);
        expectClose(kept.dataSync(), again.dataSync(), { rtol: 0, atol: 0 });
        model.dispose();
      });
    });

    it(`${name} takes an empty batch`, () => {
      const model = new Layer(3, 5);
      tf.tidy(() => {
        const [y] = (model as unknown as Call)(tf.zeros([4, 0, 3]));
        expect(y.shape).to.deep.equal([4, 0, 5]);
      });
      model.dispose();
    });
  }
});

describe("Recurrent layers say what is wrong", () => {
  before(() => nn.setBackend("cpu"));

  for (const [name, Layer] of Object.entries(LAYERS)) {
    it(name, () => {
      const model = new Layer(3, 5) as unknown as Call & nn.Module;
      const isLstm = name === "LSTM";
      const bad: [number[], number[] | null, string][] = [
        [[3], null, `${name}: Expected input to be 2D or 3D, got 1D instead`],
        [[4, 2, 4], null, "input.size(-1) must be equal to input_size. Expected 3, got 4"],
        [[4, 4], null, "Expected 3, got 4"],
        [[4, 2, 3], [1, 5], isLstm ? "but got (2-D, 2-D) tensors" : "but got 2-D tensor"],
        [[4, 3], [1, 1, 5], "also be 2-D but got"],
        [[4, 2, 3], [1, 3, 5], `hidden${isLstm ? "[0]" : ""} size (1, 2, 5), got [1, 3, 5]`],
        [[0, 2, 3], null, "Expected sequence length to be larger than 0 in RNN"],
      ];
      tf.tidy(() => {
        for (const [input, state, message] of bad) {
          const call = (): unknown =>
            model(tf.ones(input), state === null ? null : stateOf(name, ...state));
          expect(call, message).to.throw(message);
        }
        expect(() => model(tf.ones([4, 2, 3], "int32"))).to.throw("does not match weight dtype");
        expect(() => model("x" as unknown as tf.Tensor)).to.throw("must be Tensor");
      });
      model.dispose();
      const construct = (input: unknown, hidden: number, options = {}): (() => nn.Module) => {
        return () => new Layer(input as number, hidden, options);
      };
      expect(construct(10, 0)).to.throw("hidden_size must be greater than zero");
      expect(construct(-1, 5)).to.throw("input_size must be greater than zero");
      expect(construct(3.5, 5)).to.throw("input_size should be of type int, got: number 3.5");
      expect(construct("10", 5)).to.throw("input_size should be of type int");
      expect(construct(10, 10, { numLayers: 0 })).to.throw("num_layers must be greater than zero");
      expect(construct(3, 5, { bias: 0 })).to.throw("bias should be of type bool");
      expect(construct(3, 5, { batchFirst: 1 })).to.throw("batch_first should be of type bool");
      expect(construct(3, 5, { dropout: 1.5 })).to.throw(
        "dropout should be a number in range [0, 1]",
      );
      expect(construct(3, 5, { projSize: 5 })).to.throw(
        isLstm ? "proj_size has to be smaller" : "proj_size argument is only supported for LSTM",
      );
      expect(construct(3, 5, { nonlinear: "relu" })).to.throw(`${name} got an unexpected option`);
    });
  }

  it("RNN and RNNCell, of an unknown nonlinearity", () => {
    const nonlinearity = "elu" as "relu";
    expect(() => new nn.RNN(3, 5, { nonlinearity })).to.throw("Unknown nonlinearity 'elu'.");
    const cell = new nn.RNNCell(3, 5, { nonlinearity });
    expect(() => cell(tf.ones([2, 3]))).to.throw("Unknown nonlinearity: elu");
    cell.dispose();
  });

  for (const [name, Cell] of Object.entries(CELLS)) {
    it(name, () => {
      const model = new Cell(10, 20) as unknown as Call & nn.Module;
      const what = name === "LSTMCell" ? "hx[0]" : "hidden";
      const bad: [number[], number[], string][] = [
        [[3, 3, 10], [3, 20], `${name}: Expected input to be 1D or 2D, got 3D instead`],
        [[3, 11], [3, 20], "input has inconsistent input_size: got 11 expected 10"],
        [[3, 10], [3, 21], "hidden0 has inconsistent hidden_size: got 21, expected 20"],
        [[3, 10], [5, 20], "Input batch size 3 doesn't match hidden0 batch size 5"],
        [[3, 10], [3, 1, 1, 20], `${name}: Expected ${what} to be 1D or 2D, got 4D instead`],
        [[3, 10], [20], `${name}: Expected 2D hidden0`],
      ];
      tf.tidy(() => {
        for (const [input, state, message] of bad) {
          const call = (): unknown => model(tf.ones(input), stateOf(name, ...state));
          expect(call, message).to.throw(message);
        }
      });
      model.dispose();
    });
  }
});
