import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import "../../lib/exported/aten/rows.js";
import * as F from "../../lib/functional/index.js";
import { findOp } from "../../lib/functional/op.js";
import * as nn from "../../lib/index.js";
import { compiled } from "../support/compiled.js";
import { expectSame } from "../support/graphs.js";

type T = tf.Tensor;
type Several = T | T[];

const CLOSE = { rtol: 1e-5, atol: 1e-5 };
const TIES = (): T => tf.tensor2d([[1, 3, 3, -0, 0], [-2, -2, -Infinity, -7, -2], [5, Infinity, 1, Infinity, 2]]); // prettier-ignore
const WHOLE = (): T =>
  tf.tensor2d([[3, -1, 2147483647, 7], [-2147483648, 0, 0, -5]], [2, 4], "int32"); // prettier-ignore
const places = (...values: number[]): T => tf.tensor1d(values, "int32");
const top = (x: T, k: number): T[] => {
  const { values, indices } = tf.topk(x, k);
  return [values, indices];
};

/** What few models have, by kernels that are loaded when one does. */
const CASES: [what: string, inputs: () => T[], run: (...given: T[]) => Several][] = [
  ["sums up to each place", () => [nn.randn(3, 40)], (x) => tf.cumsum(x, 1)],
  ["sums along the middle", () => [nn.randn(2, 5, 9)], (x) => tf.cumsum(x, 1)],
  ["sums from the end, without the number itself", () => [nn.randn(2, 5, 3)], (x) => tf.cumsum(x, 1, true, true)],
  ["sums of many side by side, without the number itself", () => [nn.randn(4, 9)], (x) => tf.cumsum(x, 0, true)],
  ["sums of integers, which go round", () => [WHOLE()], (x) => tf.cumsum(x, 1)],
  ["counts of truths", () => [tf.greater(nn.randn(3, 12), 0)], (x) => tf.cumsum(tf.cast(x, "int32"), 1)],
  ["products up to each place", () => [nn.randn(3, 10)], (x) => tf.cumprod(x, 0)],
  ["the place of the largest", () => [nn.randn(3, 50)], (x) => tf.argMax(x, -1)],
  ["the place of the largest along the first dimension", () => [nn.randn(6, 20)], (x) => tf.argMax(x, 0)],
  ["the first of equal largest", () => [TIES()], (x) => [tf.argMax(x, 1), tf.argMin(x, 1), tf.argMax(x, 0)]],
  ["the place of the largest integer", () => [WHOLE()], (x) => [tf.argMax(x, 1), tf.argMin(x, 1)]],
  ["the largest beside NaN", () => [tf.tensor2d([[NaN, 1, 2], [1, NaN, 2], [2, 1, NaN]])], (x) => tf.argMax(x, 1)],
  ["the largest five", () => [nn.randn(3, 400)], (x) => top(x, 5)],
  ["all in order", () => [nn.randn(2, 3, 70)], (x) => top(x, 70)],
  ["the largest of equal ones", () => [TIES()], (x) => top(x, 4)],
  ["the largest integers", () => [WHOLE()], (x) => top(x, 3)],
  ["any and all", () => [tf.greater(nn.randn(4, 3, 2), 0.9)], (x) => [tf.any(x, 1), tf.all(x, [0, 2]), tf.any(x), tf.all(tf.logicalNot(x), -1, true)]],
  ["one hot", () => [places(2, 0, 3)], (x) => F.oneHot(x, { numClasses: 5 })],
  ["tfjs' one hot, which passes over others", () => [places(2, 0, 7, -1)], (x) => tf.oneHot(x, 4, 2.5, -1, "float32")],
  ["bags", () => [tf.tensor2d([[1, 2], [3, 3]], [2, 2], "int32"), nn.randn(4, 20)], (x, w) => F.embeddingBag(x, w)],
  ["sums of bags with offsets", () => [places(1, 2, 3, 3, 0), places(0, 2, 2), nn.randn(4, 3), nn.randn(5)], (x, offsets, w, by) => F.embeddingBag(x, w, { offsets: offsets, mode: "sum", perSampleWeights: by })],
  ["means without the padding", () => [places(1, 2, 3, 3, 0), places(0, 2, 4, 5), nn.randn(4, 3)], (x, offsets, w) => F.embeddingBag(x, w, { offsets: offsets, includeLastOffset: true, paddingIdx: -1 })],
  ["maxima of bags, one empty", () => [places(1, 2, 3), places(0, 0), nn.randn(4, 3)], (x, offsets, w) => F.embeddingBag(x, w, { offsets: offsets, mode: "max" })],
  ["maxima of windows and their places", () => [nn.randn(2, 3, 9, 8)], (x) => F.maxPool2d(x, 3, { stride: 2, padding: 1, returnIndices: true })],
  ["the first of equal maxima, the last NaN", () => [tf.tensor([1, 1, NaN, 0, NaN, 0, -Infinity, -Infinity], [1, 8])], (x) => F.maxPool1d(x, 2, { returnIndices: true })],
  ["maxima in ceil mode with dilation", () => [nn.randn(2, 2, 7, 6, 5)], (x) => F.maxPool3d(x, 2, { dilation: 2, ceilMode: true, returnIndices: true })],
  ["maxima of windows that adapt", () => [nn.randn(2, 3, 7, 8)], (x) => F.adaptiveMaxPool2d(x, [3, 4], { returnIndices: true })],
  ["maxima put back", () => [nn.randn(2, 3, 8, 6)], (x) => {
    const [y, at] = F.maxPool2d(x, 3, { stride: 1, returnIndices: true });
    return F.maxUnpool2d(y, at, 3, { stride: 1 });
  }],
  ["a step of an LSTM and of a GRU", () => [nn.randn(2, 3)], (x) => {
    const [h, c] = LSTM(x);
    return [h, c, GRU(x)];
  }],
  ["rows by groups, each times a weight of its own, no row in one and some in none", () => [nn.randn(150, 5), places(2, 2, 140)], (x, ends) => EXPERTS(x, ends)],
]; // prettier-ignore

let LSTM: nn.LSTMCell;
let GRU: nn.GRUCell;
let EXPERTS: Experts;

/** What a mixture of experts is exported as: its weights as nn.Linear has them, or as right-hand matrices. */
class Experts extends nn.Module {
  readonly linear = new nn.Parameter(nn.randn(3, 16, 5));
  readonly right = new nn.Parameter(nn.randn(3, 5, 8));

  override forward(x: T, ends: T): T[] {
    const grouped = findOp("grouped_mm")!;
    const swapped = tf.transpose(this.linear, [0, 2, 1]);
    return [grouped(x, swapped, ends), grouped(x, this.right, ends)] as T[];
  }
}

describe("Ops that few models have, compiled", () => {
  before(async () => {
    await nn.setBackend("cpu");
    nn.manualSeed(0);
    [LSTM, GRU, EXPERTS] = [new nn.LSTMCell(3, 4), new nn.GRUCell(3, 4), new Experts()];
  });

  for (const [what, inputs, run] of CASES) {
    it(`${what} come of kernels of ours`, async () => {
      const given = inputs();
      for (const threads of [1, 2]) {
        const fast = await nn.compile(run, given, { threads });
        const explained = fast.explain();
        expect(explained.compiled, String(explained)).to.equal(true);
        expect(explained.fallbacks, String(explained)).to.deep.equal([]);
        for (let i = 0; i <= threads; i += 1) {
          expectSame(fast(...given), run(...given), CLOSE, what);
        }
        fast.dispose();
      }
    });
  }

  it("NaN is the largest of all in order", async () => {
    const x = tf.tensor1d([1, NaN, Infinity, -Infinity, NaN, 2]);
    const fast = await compiled((y: T) => top(y, 6), x);
    const [values, indices] = fast(x) as [T, T];
    expect([...values.dataSync()]).to.deep.equal([NaN, NaN, Infinity, 2, 1, -Infinity]);
    expect([...indices.dataSync()]).to.deep.equal([1, 4, 2, 5, 0, 3]);
    fast.dispose();
  });

  it("a plan for another shape has them, too", async () => {
    const run = (x: T): T => tf.argMax(tf.cumsum(x, 1), 1);
    const fast = await nn.compile(run, nn.randn(2, 8));
    const other = nn.randn(3, 5);
    expectSame(fast(other), run(other), CLOSE, "another shape");
    expect(fast.explain().fallbacks).to.deep.equal([]);
    fast.dispose();
  });

  const wrong: [string, T[], (...given: T[]) => T, T[], RegExp][] = [
    ["a class", [places(1, 0)], (x) => F.oneHot(x, { numClasses: 2 }), [places(1, 2)], /smaller than num_classes/],
    ["a bag", [places(1, 0), places(0, 1), nn.randn(2, 3)], (x, at, w) => F.embeddingBag(x, w, { offsets: at }), [places(1, 0), places(0, 3), nn.randn(2, 3)], /offsets\[-1\]/],
    ["an index of a bag", [places(1, 0), places(0, 1), nn.randn(2, 3)], (x, at, w) => F.embeddingBag(x, w, { offsets: at }), [places(1, 2), places(0, 1), nn.randn(2, 3)], /index out of range/],
    ["a place", [nn.randn(1, 1, 2), tf.tensor3d([[[1, 2]]], [1, 1, 2], "int32")], (x, at) => F.maxUnpool1d(x, at, 2), [nn.randn(1, 1, 2), tf.tensor3d([[[1, 4]]], [1, 1, 2], "int32")], /invalid max index/],
  ]; // prettier-ignore
  for (const [what, given, run, others, message] of wrong) {
    it(`${what} that is not there is the op's own error`, async () => {
      const fast = await nn.compile(run, given);
      expect(fast.explain().fallbacks).to.deep.equal([]);
      expectSame(fast(...given), run(...given), CLOSE, what);
      expect(() => fast(...others)).to.throw(message);
      fast.dispose();
    });
  }
});
