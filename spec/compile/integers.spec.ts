import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { compiled } from "../support/compiled.js";
import { expectSame } from "../support/graphs.js";

type T = tf.Tensor;

const EXACT = { rtol: 0, atol: 0 };
const integers = (...values: number[]): T => tf.tensor1d(values, "int32");
const A = (): T => integers(1, -2, 2147483647, 16777217, 0, -7);
const B = (): T => tf.tensor2d([[3], [-2147483648], [16777216]], [3, 1], "int32");

describe("Integers and places, compiled", () => {
  before(() => nn.setBackend("cpu"));
  beforeEach(() => void nn.manualSeed(0));

  const cases: [what: string, inputs: () => T[], run: (...given: T[]) => T][] = [
    ["sums", () => [A(), B()], (a, b) => tf.add(a, b)],
    ["differences", () => [A(), B()], (a, b) => tf.sub(a, b)],
    ["products", () => [A()], (a) => tf.mul(a, tf.scalar(3, "int32"))],
    ["larger ones", () => [A(), B()], (a, b) => tf.maximum(a, b)],
    ["smaller ones", () => [A(), B()], (a, b) => tf.minimum(a, b)],
    ["the other sign", () => [A()], (a) => tf.neg(a)],
    ["equal ones", () => [A(), B()], (a, b) => tf.equal(a, tf.sub(b, 15))],
    ["less", () => [A(), B()], (a, b) => tf.less(a, b)],
    ["a choice of them", () => [A()], (a) => tf.where(tf.greater(a, 0), a, tf.neg(a))],
    ["floats of them", () => [integers(1, -2, 16777215, -2147483648)], (a) => tf.add(tf.cast(a, "float32"), 1)],
    ["truths of them", () => [A()], (a) => tf.logicalNot(tf.cast(a, "bool"))],
    ["whole numbers of floats", () => [tf.tensor1d([1.9, -1.9, NaN, 3e9])], (a) => tf.cast(a, "int32")], // prettier-ignore
    ["ones", () => [A()], (a) => tf.sub(a, tf.onesLike(a))],
    [
      "a causal mask",
      () => [nn.randn(2, 5, 9), integers(0, 3, 8, 2, 1)],
      (scores, now) => {
        const seen = tf.lessEqual(tf.range(0, 9, 1, "int32"), tf.expandDims(now, 1));
        return tf.where(tf.broadcastTo(seen, [2, 5, 9]), scores, tf.fill([2, 5, 9], -Infinity));
      },
    ],
    ["places along a dimension", () => [nn.randn(3, 4, 5), integers(3, 0, 0)], (x, i) => tf.gather(x, i, 1)],
    ["places along the last one", () => [nn.randn(3, 4, 5), integers(4, 1)], (x, i) => tf.gather(x, i, 2)],
    ["a list of places for each", () => [nn.randn(2, 4, 17), tf.tensor2d([[3, 0], [1, 1]], [2, 2], "int32")], (x, i) => tf.gather(x, i, 1, 1)],
    ["rows of integers", () => [B(), integers(2, 0, 2)], (x, i) => tf.gather(x, i)],
    ["places of a constant", () => [integers(1, 1, 0)], (i) => tf.gather(tf.reshape(tf.range(0, 6, 1, "int32"), [3, 2]), i)],
    ["a stack along the last dimension", () => [nn.randn(3, 5), nn.randn(3, 5)], (a, b) => tf.stack([a, b], -1)],
    ["a stack of integers", () => [A(), A()], (a, b) => tf.stack([a, b], -1)],
  ]; // prettier-ignore
  for (const [what, inputs, run] of cases) {
    it(`${what} come of kernels of ours`, async () => {
      const given = inputs();
      const fast = await nn.compile(run, given);
      const explained = fast.explain();
      expect(explained.compiled, String(explained)).to.equal(true);
      expect(explained.fallbacks, String(explained)).to.deep.equal([]);
      expectSame(fast(...given), run(...given), EXACT, what);
      fast.dispose();
    });
  }

  it("half of each pair with the other's sign, as rotary positions have it, is a few steps", async () => {
    const run = (x: T): T => {
      const every = (first: number): T => tf.stridedSlice(x, [0, first], [4, 8], [1, 2]);
      return tf.reshape(tf.stack([tf.neg(every(1)), every(0)], -1), [4, 8]);
    };
    const x = nn.randn(4, 8);
    const fast = await nn.compile(run, x);
    expect(fast.explain().fallbacks).to.deep.equal([]);
    expect(fast.explain().steps).to.equal(3);
    expectSame(fast(x), run(x), EXACT, "rotated");
    fast.dispose();
  });

  it("squares and cubes are products, as PyTorch's", async () => {
    const x = tf.tensor1d([1.1, -0.3, -0, 0, Infinity, -Infinity, NaN, 1e20, -7]);
    const values = [...x.dataSync()];
    const square = await compiled((y: T) => tf.pow(y, 2), x);
    expect([...square(x).dataSync()]).to.deep.equal(values.map((y) => Math.fround(y * y)));
    const cube = await compiled((y: T) => tf.pow(y, 3), x);
    const want = values.map((y) => Math.fround(Math.fround(y * y) * y));
    expect([...cube(x).dataSync()]).to.deep.equal(want);
    for (const fast of [square, cube]) fast.dispose();
  });

  it("a place that is not there is the op's own error", async () => {
    const run = (x: T, i: T): T => tf.gather(x, i, 1);
    const x = nn.randn(2, 3);
    const fast = await nn.compile(run, [x, integers(2, 0)]);
    const wrong = integers(3, 0);
    expect(() => run(x, wrong)).to.throw("not in [0, 2]");
    expect(() => fast(x, wrong)).to.throw("not in [0, 2]");
    fast.dispose();
  });
});
