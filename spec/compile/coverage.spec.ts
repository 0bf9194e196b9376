import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as F from "../../lib/functional/index.js";
import * as nn from "../../lib/index.js";
import { compiled } from "../support/compiled.js";
import { expectSame } from "../support/graphs.js";
import { Picked } from "../support/small-models.js";

const CLOSE = { rtol: 1e-4, atol: 1e-5 };

/** What users write as `tf.*`, and ops that are made of what has kernels. */
const CASES: [string, number[], (x: tf.Tensor) => tf.Tensor][] = [
  ["tile", [2, 3, 4], (x) => tf.tile(x, [2, 1, 3])],
  ["reverse", [2, 3, 4], (x) => F.linear(tf.reverse(x, [1, 2]), tf.ones([2, 4]))],
  ["stridedSlice", [5, 6], (x) => tf.softmax(tf.stridedSlice(x, [1, -4], [5, 6], [2, 3]))],
  ["pad", [2, 3], (x) => tf.pad(x, [[0, 2], [3, 1]], -1)],
  ["gather along the last dimension", [2, 5], (x) => tf.gather(x, tf.tensor2d([[3, 0], [4, 4]], [2, 2], "int32"), 1)],
  ["unsortedSegmentSum", [5, 2, 3], (x) => tf.unsortedSegmentSum(x, tf.tensor1d([3, 0, 3, 1, 0], "int32"), 6)],
  ["concat of whole numbers", [2, 3], (x) => tf.concat([tf.cast(tf.mul(x, 1e7), "int32"), tf.cast(x, "int32")], 1)],
  ["a mean over dimensions apart", [2, 3, 4, 5], (x) => tf.mean(x, [0, 2])],
  ["a maximum over dimensions apart", [2, 3, 4, 5], (x) => tf.max(x, [1, 3], true)],
  ["clipByValue", [3, 4], (x) => tf.clipByValue(x, -0.5, 0.7)],
  ["elu, selu and softplus", [3, 4], (x) => tf.elu(tf.selu(tf.softplus(x)))],
  ["logSoftmax", [3, 4], (x) => tf.logSoftmax(x)],
  ["addN", [3, 4], (x) => tf.addN([x, tf.neg(x), tf.square(x)])],
  ["local_response_norm", [2, 7, 4, 3], (x) => F.localResponseNorm(x, 3, { alpha: 0.1 })],
  ["normalize", [3, 4], (x) => F.normalize(x, { dim: 1 })],
  ["unfold", [2, 3, 5, 6], (x) => F.unfold(x, [2, 3], { stride: 2, padding: 1 })],
  ["fold", [2, 8, 12], (x) => F.fold(x, [4, 5], 2)],
  ["channel_shuffle", [2, 6, 3, 4], (x) => F.channelShuffle(x, 3)],
  ["pixel_unshuffle", [2, 3, 4, 6], (x) => F.pixelUnshuffle(x, 2)],
  ["bilinear", [4, 3], (x) => F.bilinear(x, tf.neg(x), tf.ones([2, 3, 3]))],
  ["lp_pool2d", [2, 3, 6, 5], (x) => F.lpPool2d(tf.abs(x), 2, 3)],
  ["interpolate by areas", [2, 3, 7, 5], (x) => F.interpolate(x, { size: [3, 4], mode: "area" })],
  ["grid_sampler", [1, 2, 5, 4], (x) => F.gridSample(x, tf.mul(tf.reshape(tf.range(0, 12), [1, 3, 2, 2]), 0.08))],
  ["isInf, isFinite and isNaN", [5, 6], (x) => {
    const y = tf.div(tf.floor(x), tf.sign(tf.floor(x))); // NaN from 0 to 1
    const z = tf.exp(tf.mul(y, 60)); // finite from -1 to 2
    return tf.stack([tf.isInf(z), tf.isFinite(z), tf.isNaN(z)].map((one) => tf.cast(one, "float32")));
  }],
  ["cosine_similarity", [3, 4], (x) => F.cosineSimilarity(x, tf.square(x))],
]; // prettier-ignore

describe("What has kernels, compiled on cpu", () => {
  before(() => nn.setBackend("cpu"));
  for (const [what, shape, run] of CASES) {
    it(what, async () => {
      nn.manualSeed(2);
      const x = nn.randn(shape);
      const fast = await nn.compile(run, x);
      expect(fast.explain().compiled, String(fast.explain())).to.equal(true);
      expect(fast.explain().fallbacks).to.deep.equal([]);
      expectSame(fast(x), run(x), CLOSE, what);
      fast.dispose();
    });
  }

  it("sums segments by the numbers that come, and leaves out as eager does", async () => {
    const table = new nn.Parameter(nn.randn(4, 3));
    const sum = (x: tf.Tensor, ids: tf.Tensor): tf.Tensor[] => [
      tf.unsortedSegmentSum(x, ids as tf.Tensor1D, 3),
      tf.unsortedSegmentSum(table, ids as tf.Tensor1D, 3),
    ];
    const x = nn.randn(4, 2);
    const fast = await nn.compile(sum, [x, tf.zeros([4], "int32")]);
    for (const ids of [
      [2, 0, 2, 2],
      [1, 1, 1, 0],
      [0, -1, 3, 2],
    ]) {
      // prettier-ignore
      const given = tf.tensor1d(ids, "int32");
      expectSame(fast(x, given), sum(x, given), CLOSE, String(ids));
    }
    table.assign(nn.randn(4, 3));
    const ids = tf.tensor1d([0, 0, 1, 0], "int32");
    expectSame(fast(x, ids), sum(x, ids), CLOSE, "a new table");
    const [y] = fast(tf.tensor2d([1, 1, NaN, 1, 1, 1, 1, 1], [4, 2]), ids);
    expect([...tf.isNaN(y!).dataSync()]).to.deep.equal([1, 0, 0, 0, 0, 0]); // tfjs' own would spread it
    expect(fast.explain().fallbacks).to.deep.equal([]);
    fast.dispose();
  });

  it("sees new numbers of a buffer that chooses places", async () => {
    const [model, x] = [new Picked(), nn.randn(2, 5)];
    const fast = await nn.compile(model, x);
    expect(fast.explain().fallbacks).to.deep.equal([]);
    expectSame(fast(x), model(x), CLOSE, "as they were");
    model.loadStateDict(new Map([["places", tf.tensor1d([2, 4, 4], "int32")]]));
    expectSame(fast(x), model(x), CLOSE, "others");
    fast.dispose();
  });

  it("gives NaN where an attention that is written out does", async () => {
    const run = (q: tf.Tensor, k: tf.Tensor): tf.Tensor =>
      tf.matMul(tf.softmax(tf.matMul(q, k, false, true)), k);
    const [q, k] = [tf.tensor3d([1, -Infinity], [1, 2, 1]), tf.tensor3d([1, 2, 3], [1, 3, 1])];
    const fast = await nn.compile(run, [q, k]);
    expect(fast.graph!.nodes.map(({ target }) => target)).to.include("prim.scaled_dot_product_attention"); // prettier-ignore
    expectSame(fast(q, k), run(q, k), CLOSE, "a row of nothing but -∞");
    fast.dispose();
  });

  it("gives NaN where causal attention meets one that nobody sees", async () => {
    const run = (x: tf.Tensor): tf.Tensor => {
      const v = tf.log(tf.add(x, 3)); // what is below -3 has no logarithm
      return F.scaledDotProductAttention(x, x, v, { isCausal: true });
    };
    const x = tf.tensor3d([0, 1, 2, 1, 0, -4], [1, 3, 2]);
    const fast = await compiled(run, x);
    expect(Array.from(run(x).dataSync(), Number.isNaN)).to.deep.equal([false, true, false, true, false, true]); // prettier-ignore
    expectSame(fast(x), run(x), CLOSE, "the last value");
    fast.dispose();
  });
});
