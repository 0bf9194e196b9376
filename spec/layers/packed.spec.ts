import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectClose, expectTensor } from "../support/expect.js";
import { readJson } from "../support/files.js";

interface Golden {
  name: "LSTM" | "GRU" | "RNN";
  lengths: number[];
  /** The shapes of the initial states, drawn after the input; none: it starts from 0. */
  initial: number[][];
  data: number[];
  batchSizes: number[];
  sortedIndices: number[] | null;
  unsortedIndices: number[] | null;
  padded: number[];
  shape: number[];
  sizes: number[];
  states: number[][];
}

type Call = (x: nn.PackedSequence, state: unknown) => [nn.PackedSequence, tf.Tensor | tf.Tensor[]];

const goldens = await readJson<Golden[]>("goldens/packed.json");

const MAKE = {
  LSTM: () => new nn.LSTM(3, 4, { numLayers: 2, bidirectional: true, projSize: 2 }),
  GRU: () => new nn.GRU(3, 4, { batchFirst: true }),
  RNN: () => new nn.RNN(3, 4, { bidirectional: true, nonlinearity: "relu" }),
};

onEveryBackend("Packed sequences", (_backend, tolerance) => {
  for (const golden of goldens) {
    it(`of lengths ${golden.lengths.join(", ")} through ${golden.name}`, () => {
      const outer = tf.memory().numTensors;
      nn.manualSeed(3);
      const model = MAKE[golden.name]();
      const { batchFirst } = model;
      const x = batchFirst ? nn.rand(3, 6, 3) : nn.rand(6, 3, 3);
      const enforceSorted = golden.sortedIndices === null;
      const packed = nn.packPaddedSequence(x, golden.lengths, { batchFirst, enforceSorted });
      expectClose(packed.data.dataSync(), golden.data, tolerance, "packed");
      expect(packed.batchSizes).to.deep.equal(golden.batchSizes);
      expect(packed.sortedIndices).to.deep.equal(golden.sortedIndices);
      expect(packed.unsortedIndices).to.deep.equal(golden.unsortedIndices);

      const initial = golden.initial.map((shape) => nn.rand(...shape));
      const start = golden.name === "LSTM" ? initial : initial[0];
      const [output, state] = (model as unknown as Call)(packed, initial.length ? start : null);
      const options = { batchFirst, paddingValue: -1, totalLength: 6 };
      const [padded, sizes] = nn.padPackedSequence(output, options);
      expectTensor(padded, { shape: golden.shape, values: golden.padded }, tolerance);
      expect(Array.from(sizes.dataSync())).to.deep.equal(golden.sizes);
      [state].flat().forEach((one, i) => {
        expectClose(one.dataSync(), golden.states[i]!, tolerance, `state ${i}`);
      });
      output.dispose();
      packed.dispose();
      tf.dispose([x, padded, sizes, state, initial]);
      model.dispose();
      expect(tf.memory().numTensors).to.equal(outer);
    });
  }

  it("are made of sequences, and become a padded batch", () => {
    tf.tidy(() => {
      const sequences = [tf.tensor1d([1, 2]), tf.tensor1d([3, 4, 5])];
      const right = nn.padSequence(sequences, { batchFirst: true, paddingValue: 9 });
      expect(right.arraySync()).to.deep.equal([
        [1, 2, 9],
        [3, 4, 5],
      ]);
      const left = nn.padSequence(sequences, { paddingSide: "left" });
      expect(left.arraySync()).to.deep.equal([
        [0, 3],
        [1, 4],
        [2, 5],
      ]);
      const packed = nn.packSequence(sequences, { enforceSorted: false });
      expect(Array.from(packed.data.dataSync())).to.deep.equal([3, 1, 4, 2, 5]);
      expect(packed.batchSizes).to.deep.equal([2, 2, 1]);
      const count = tf.memory().numTensors;
      for (const again of [
        nn.unpadSequence(right, [2, 3], { batchFirst: true }),
        nn.unpackSequence(packed),
      ]) {
        expect(again.map((one) => one.arraySync())).to.deep.equal([
          [1, 2],
          [3, 4, 5],
        ]);
      }
      expect(tf.memory().numTensors - count, "four sequences").to.equal(4);
    });
  });

  it("come out where they went in, for the type checker too", () => {
    tf.tidy(() => {
      const [gru, lstm, rnn] = [new nn.GRU(3, 4), new nn.LSTM(3, 4), new nn.RNN(3, 4)];
      const x = tf.ones([4, 2, 3]);
      const [y, h]: [tf.Tensor, tf.Tensor] = gru(x, tf.zeros([1, 2, 4]));
      const [z, [, c]]: [tf.Tensor, [tf.Tensor, tf.Tensor]] = lstm(x, [h, h]);
      expect([y.shape, z.shape, c.shape]).to.deep.equal([
        [4, 2, 4],
        [4, 2, 4],
        [1, 2, 4],
      ]);
      const [packed]: [nn.PackedSequence, tf.Tensor] = rnn(nn.packPaddedSequence(x, [4, 2]));
      expect(packed.data.shape).to.deep.equal([6, 4]);
    });
  });

  it("say what is wrong", () => {
    tf.tidy(() => {
      const x = tf.ones([4, 2, 3]);
      expect(() => nn.packPaddedSequence(x, [1, 2])).to.throw("must be sorted in decreasing order");
      expect(() => nn.packPaddedSequence(x, [1])).to.throw("but got 1 (batch_size=2)");
      expect(() => nn.packPaddedSequence(x, [1, 0])).to.throw("has to be greater than 0");
      const packed = nn.packPaddedSequence(x, [4, 2]);
      expect(() => nn.padPackedSequence(packed, { totalLength: 3 })).to.throw(
        "got total_length=3 and max sequence length being 4",
      );
      const lstm = new nn.LSTM(5, 2);
      expect(() => lstm(x)).to.throw("Expected 5, got 3");
      expect(() => lstm(tf.ones([4, 2, 5]), [tf.ones([1, 1, 2]), tf.ones([1, 2, 2])])).to.throw(
        "Expected hidden[0] size (1, 2, 2), got [1, 1, 2]",
      );
      lstm.dispose();
      expect(() => nn.packPaddedSequence(tf.ones([4, 0, 3]), [])).to.throw("Cannot pack empty");
      expect(() => nn.padSequence([])).to.throw("received an empty list of sequences");
      const paddingSide = "top" as "left";
      expect(() => nn.padSequence([tf.ones([2])], { paddingSide })).to.throw("but got top");
      expect(() => nn.unpadSequence(x, [1, 2, 3])).to.throw("expected 2 lengths");
    });
  });
});
