import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as F from "../../lib/functional/index.js";
import * as nn from "../../lib/index.js";
import { compiled } from "../support/compiled.js";
import { expectSame } from "../support/graphs.js";

const CLOSE = { rtol: 1e-4, atol: 1e-5 };

/** Compiles, and expects that nothing falls back and that all results are those of the model. */
async function expectCompiled(
  model: nn.Module | ((...args: never[]) => unknown),
  args: unknown[],
): Promise<void> {
  const fast = await nn.compile(model, args);
  expect(fast.explain().compiled, String(fast.explain())).to.equal(true);
  expect(fast.explain().fallbacks, String(fast.explain())).to.have.length(0);
  expectSame(
    fast(...(args as never[])),
    (model as (...all: unknown[]) => unknown)(...args),
    CLOSE,
    "compiled",
  );
  fast.dispose();
}

describe("Steps and borders of sequences, compiled", () => {
  before(() => nn.setBackend("cpu"));
  beforeEach(() => void nn.manualSeed(0));

  it("runs a cell as a sequence of one step", async () => {
    const [x, h, c] = [nn.randn(3, 5), nn.randn(3, 7), nn.randn(3, 7)];
    await expectCompiled(new nn.LSTMCell(5, 7), [x, [h, c]]);
    await expectCompiled(new nn.GRUCell(5, 7), [x, h]);
    await expectCompiled(new nn.RNNCell(5, 7), [x, h]);
    await expectCompiled(new nn.RNNCell(5, 7, { nonlinearity: "relu" }), [x, h]);
    await expectCompiled(new nn.LSTMCell(5, 7, { bias: false }), [x, [h, c]]);
  });

  it("gives a sequence's shapes without running all of it", async () => {
    const options = { numLayers: 2, bidirectional: true };
    await expectCompiled(new nn.LSTM(4, 6, options), [nn.randn(9, 2, 4)]);
    await expectCompiled(new nn.GRU(4, 6, { batchFirst: true }), [nn.randn(2, 9, 4)]);
    await expectCompiled(new nn.RNN(4, 6), [nn.randn(1, 2, 4)]);
  });

  it("shares layers among threads, where it can", async () => {
    for (const Layer of [nn.LSTM, nn.GRU, nn.RNN]) {
      const model: nn.Module = new Layer(12, 16, { numLayers: 2, bidirectional: true });
      const x = nn.randn(11, 2, 12);
      const fast = await compiled(model, x, { threads: 2 });
      for (let i = 0; i < 6; i += 1) expectSame(fast(x), model(x), CLOSE, `run ${i}`);
      fast.dispose();
    }
  });

  it("mirrors what lies inside", async () => {
    const pads: [number[], number[]][] = [
      [[1, 2, 9], [0, 4]],
      [[1, 2, 9], [3, 0]],
      [[2, 3, 5, 6], [1, 2, 3, 4]],
    ]; // prettier-ignore
    for (const [shape, sides] of pads) {
      await expectCompiled(
        (x: tf.Tensor) => F.pad(tf.abs(x), sides, { mode: "reflect" }),
        [nn.randn(...shape)],
      );
    }
  });
});
