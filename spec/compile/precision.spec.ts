import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { expectSame } from "../support/graphs.js";

interface Case {
  title: string;
  model: () => nn.Module;
  x: () => tf.Tensor;
}

const CASES: readonly Case[] = [
  {
    title: "linear layers",
    model: () => new nn.Sequential(new nn.Linear(64, 96), new nn.GELU(), new nn.Linear(96, 32)),
    x: () => nn.randn(5, 64),
  },
  {
    title: "convolutions",
    model: () =>
      new nn.Sequential(
        new nn.Conv2d(16, 32, 3, { padding: 1 }),
        new nn.BatchNorm2d(32),
        new nn.ReLU(),
        new nn.Conv2d(32, 64, 3, { stride: 2, groups: 4 }),
        new nn.Flatten({ startDim: 2 }),
        new nn.Conv1d(64, 64, 5),
      ),
    x: () => nn.randn(2, 16, 9, 9),
  },
  { title: "an LSTM", model: () => new nn.LSTM(64, 64), x: () => nn.randn(7, 2, 64) },
  { title: "a GRU", model: () => new nn.GRU(64, 64), x: () => nn.randn(7, 2, 64) },
];

/** What the weights take, and how far the results may be from the whole ones. */
const TYPES: readonly [precision: nn.Precision, share: number, most: number][] = [
  ["float16", 0.5, 3e-3],
  ["bfloat16", 0.5, 2e-2],
  ["int8", 0.25, 4e-2],
];

const flat = (output: unknown): tf.Tensor => [output].flat(3)[0] as tf.Tensor;

describe("Narrow weights, compiled", () => {
  before(() => nn.setBackend("cpu"));
  beforeEach(() => void nn.manualSeed(0));

  for (const { title, model: make, x: input } of CASES) {
    it(`take a half or a quarter of the memory in ${title}`, async () => {
      const [model, x] = [make(), input()];
      const want = flat(model(x));
      const whole = await nn.compile(model, x);
      for (const [precision, share, most] of TYPES) {
        const fast = await nn.compile(model, x, { precision });
        const check = (when: string): void =>
          expectSame(flat(fast(x)), want, { rtol: 0, atol: most }, `${precision} ${when}`);
        check("packed");
        expect(fast.explain().kept, precision).to.deep.equal([]);
        model.loadStateDict(model.stateDict());
        check("packed again");
        const ratio = fast.explain().weightBytes / whole.explain().weightBytes;
        // Biases stay whole, and panels and strips are filled up.
        expect(ratio, precision).to.be.within(share * 0.8, share * 1.25);
        fast.dispose();
      }
      whole.dispose();
    });
  }

  it("stay whole where their numbers do not fit, also those that come later", async () => {
    const model = new nn.Sequential(new nn.Linear(2, 2, { bias: false }), new nn.ReLU());
    const layer = model[0] as nn.Linear;
    const x = tf.tensor([[1, 2]]);
    const set = (values: number[]): void => layer.weight.assign(tf.tensor(values, [2, 2]));
    const check = (fast: nn.Compiled<typeof model>, reason: string | null): void => {
      expectSame(fast(x), model(x), { rtol: 1e-6, atol: 0 }, String(reason));
      const kept = reason === null ? [] : [{ weight: "0.weight", reason }];
      expect(fast.explain().kept).to.deep.equal(kept);
    };
    set([1, 2, 1e6, 4]);
    const half = await nn.compile(model, x, { precision: "float16" });
    check(half, "it holds numbers beyond ±65504");
    expect(String(half.explain())).to.contain("0.weight stays float32: it holds numbers beyond");
    set([1, 2, 3, 4]);
    for (const [precision, bad, reason] of [
      ["float16", 1e5, "it holds numbers beyond ±65504"],
      ["float16", NaN, "it holds NaN or infinities"],
      ["int8", -Infinity, "it holds NaN or infinities"],
      ["bfloat16", NaN, null],
      ["bfloat16", Infinity, null],
      ["bfloat16", 3.4e38, "it holds numbers beyond ±3.3895313892515355e+38"],
    ] as const) {
      set([1, 2, 127, 127]);
      const fast = await nn.compile(model, x, { precision });
      expect(fast.explain().kept, precision).to.deep.equal([]);
      set([1, bad, 127, 127]);
      check(fast, reason);
      fast.dispose();
    }
  });

  it("are named where a kernel reads no others", async () => {
    const model = new nn.Conv2d(4, 4, 3, { groups: 4 });
    const fast = await nn.compile(model, nn.randn(1, 4, 5, 5), { precision: "int8" });
    expect(fast.explain().kept).to.deep.equal([
      { weight: "weight", reason: "a depthwise convolution's" },
    ]);
  });
});
