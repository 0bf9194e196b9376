import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { functional as F } from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectClose, expectNoLeak } from "../support/expect.js";
import { readJson } from "../support/files.js";
import { camelCase } from "../support/goldens.js";

type Encoded = number | "inf" | "-inf" | "nan";

interface Goldens {
  input: Encoded[];
  cases: { name: string; options: Record<string, number | string>; output: Encoded[] }[];
}

const { input, cases } = await readJson<Goldens>("goldens/activations.json");

const SPECIAL = { inf: Infinity, "-inf": -Infinity, nan: NaN };
const decode = (values: Encoded[]): number[] =>
  values.map((value) => (typeof value === "string" ? SPECIAL[value] : value));

type Activation = (x: tf.Tensor, options?: Record<string, unknown>) => tf.Tensor;
const functions = F as unknown as Record<string, Activation>;

onEveryBackend("At the edges (±1e4, ±0, ±∞, NaN) as PyTorch", (_backend, tolerance) => {
  for (const { name, options, output } of cases) {
    const entries = Object.entries(options).map(([key, value]) => [camelCase(key), value]);
    const given = Object.fromEntries(entries) as Record<string, unknown>;
    it(`${name} ${entries.length ? JSON.stringify(given) : ""}`, () => {
      const x = tf.tensor(decode(input));
      expectNoLeak(() => {
        const y = functions[name]!(x, given);
        expectClose(y.dataSync(), decode(output), tolerance, name);
        y.dispose();
      });
      x.dispose();
    });

    it(`${name} takes no and many dimensions`, () => {
      for (const shape of [[], [2, 0], [1, 2, 1, 2, 1]]) {
        const x = tf.ones(shape);
        const y = functions[name]!(x, given);
        expect(y.shape).to.deep.equal(shape);
        tf.dispose([x, y]);
      }
    });
  }

  it("softmax does not overflow, and rows of -∞ are NaN", () => {
    tf.tidy(() => {
      const x = tf.tensor2d([1e4, 1e4 - 1, -1e4, -Infinity, 0, -Infinity, -Infinity, -Infinity, -Infinity], [3, 3]); // prettier-ignore
      const want = [0.7310586, 0.2689414, 0, 0, 1, 0, NaN, NaN, NaN];
      expectClose(F.softmax(x, { dim: 1 }).dataSync(), want, tolerance);
      const logs = [-0.3132617, -1.3132617, -20000.3132617, -Infinity, 0, -Infinity, NaN, NaN, NaN];
      expectClose(F.logSoftmax(x, { dim: -1 }).dataSync(), logs, tolerance);
    });
  });

  it("say what is wrong", () => {
    tf.tidy(() => {
      const x = tf.ones([2, 3]);
      expect(() => F.glu(x)).to.throw("Halving dimension must be even, but dimension 1 is size 3");
      expect(() => F.softmax(x, { dim: 2 })).to.throw(
        "Dimension out of range (expected to be in range of [-2, 1], but got 2)",
      );
      expect(() => F.prelu(x, tf.ones([2]))).to.throw(
        "Mismatch of parameter numbers and input channel size. Found parameter numbers = 2 and channel size = 3.",
      );
      expect(() => F.gelu(x, { approximate: "fast" as "tanh" })).to.throw(
        "approximate argument must be either none or tanh.",
      );
      expect(() => F.softshrink(x, { lambd: -1 })).to.throw("but found -1");
      expect(() => F.celu(x, { alpha: 0 })).to.throw("alpha cannot be 0 for CELU");
      expect(() => F.elu("x" as unknown as tf.Tensor)).to.throw(
        "elu(): argument 'input' (position 1) must be Tensor, not string",
      );
    });
  });
});

onEveryBackend("The threshold of integers", () => {
  it("is an integer, as the value beside it", () => {
    const x = tf.tensor1d([-2, -1, 0, 2], "int32");
    const y = F.threshold(x, -1.5, 7.9);
    expect(y.dtype).to.equal("int32");
    expect(Array.from(y.dataSync())).to.deep.equal([7, 7, 0, 2]);
    for (const shape of [[0], [0, 2], [], [1, 2, 1, 1, 2]]) {
      const some = F.threshold(tf.ones(shape, "int32"), 1, 5.9);
      expect(some.shape).to.deep.equal(shape);
      expect(Array.from(some.dataSync()).every((one) => one === 5)).to.equal(true);
    }
    expect(Array.from(F.threshold(x, 3e9, 7).dataSync())).to.deep.equal([7, 7, 7, 7]);
    expect(Array.from(F.threshold(x, -3e9, 7).dataSync())).to.deep.equal([-2, -1, 0, 2]);
    expect(Array.from(F.hardtanh(x, { minVal: -3e9, maxVal: 3e9 }).dataSync())).to.deep.equal([-2, -1, 0, 2]); // prettier-ignore
  });
});
