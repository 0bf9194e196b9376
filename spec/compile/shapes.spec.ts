import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { WordGPT } from "../../examples/models/wordgpt.js";
import { resnet18 } from "../../lib/models/index.js";
import { SileroVAD } from "../../examples/models/silero-vad.js";
import { DECOMPOSED } from "../../lib/compile/passes/index.js";
import { SHAPES_ONLY } from "../../lib/compile/shapes.js";
import { record } from "../../lib/compile/trace.js";
import type { Node } from "../../lib/graph/index.js";
import * as nn from "../../lib/index.js";
import { expectNoLeak } from "../support/expect.js";
import { expectSame } from "../support/graphs.js";

/** A trace that runs no large kernel must give the graph that a real one gives. */
describe("Tracing without computing", () => {
  before(() => nn.setBackend("cpu"));

  const MODELS: [string, () => nn.Module, () => tf.Tensor][] = [
    ["resnet18", () => resnet18(), () => tf.ones([2, 3, 40, 48])],
    ["silero_vad", () => new SileroVAD(), () => tf.ones([1, 576])],
    ["wordgpt", () => new WordGPT(), () => tf.ones([3, 12], "int32")],
    [
      "an encoder",
      () => new nn.TransformerEncoderLayer(32, 4, { dimFeedforward: 64, batchFirst: true }),
      () => tf.ones([2, 21, 32]),
    ],
    [
      "pools and transposed convolutions",
      () =>
        new nn.Sequential(
          new nn.ConvTranspose2d(4, 8, 3, { stride: 2 }),
          new nn.AvgPool2d(3, { stride: 2, padding: 1 }),
          new nn.GroupNorm(2, 8),
          new nn.ReflectionPad2d(1),
          new nn.MaxPool2d(2, { ceilMode: true }),
          new nn.Flatten(),
          new nn.LogSoftmax({ dim: 1 }),
        ),
      () => tf.ones([2, 4, 12, 14]),
    ],
  ];
  for (const [name, make, example] of MODELS) {
    it(name, () => {
      const model = nn.meta(make);
      model.loadStateDict(
        new Map(
          [...model.stateDict()].map(([key, { shape, dtype }]) => [key, tf.ones(shape, dtype)]),
        ),
      );
      const x = example();
      const [real, pretended] = [false, true].map((isPretended) =>
        expectNoLeak(() => {
          const { graph, dispose } = record(
            model,
            [x],
            DECOMPOSED,
            isPretended ? SHAPES_ONLY : null,
          );
          dispose();
          return graph;
        }),
      );
      expect(pretended!.print()).to.equal(real!.print());
      const metas = (graph: typeof real): unknown => graph!.nodes.map(({ meta }) => meta.value);
      expect(metas(pretended)).to.deep.equal(metas(real));
    });
  }

  const ints = (): tf.Tensor => tf.cast(tf.reshape(tf.range(0, 1600), [40, 40]), "int32");
  for (const [what, run, args] of [
    ["a product of integers", tf.matMul, [ints(), ints()]],
    ["PReLU with more slopes than numbers", tf.prelu, [tf.tensor([[-1], [-2]]), tf.rand([3, 2, 40], () => 0.5)]], // prettier-ignore
    ["PReLU of integers", tf.prelu, [tf.neg(ints()), tf.fill([40], 0.5)]],
    ["an einsum", (x, y) => tf.einsum("bij,kj->kbi", x, y), [tf.ones([3, 20, 40]), tf.ones([30, 40])]], // prettier-ignore
    ["an einsum of one tensor", (x) => tf.einsum("bij->ib", x), [tf.ones([3, 20, 40])]],
    ["sums of segments", (x, ids) => tf.unsortedSegmentSum(x, ids as tf.Tensor1D, 30), [tf.ones([40, 3, 20]), tf.range(0, 40, 1, "int32")]], // prettier-ignore
    ["every second", (x) => tf.stridedSlice(x, [1, 0], [40, 40], [1, 2]), [tf.ones([40, 41])]],
    ["every second, of which one dimension is one place", (x) => tf.stridedSlice(x, [0, 3, 0], [3, 4, 40], [1, 1, 2], 0, 0, 0, 0, 2), [tf.ones([3, 40, 40])]], // prettier-ignore
    ["sums up to each place", (x) => tf.cumsum(tf.reverse(x, 1), 1), [tf.ones([40, 40])]],
    ["a fused product", (a, b) => tf.fused.matMul({ a, b, transposeB: true, activation: "relu" }), [tf.ones([3, 20, 40]), tf.ones([3, 30, 40])]], // prettier-ignore
    ["a fused convolution", (x, filter) => tf.fused.conv2d({ x: x as tf.Tensor4D, filter: filter as tf.Tensor4D, strides: 2, pad: "same" }), [tf.ones([1, 20, 21, 3]), tf.ones([3, 3, 3, 8])]], // prettier-ignore
    ["a fused depthwise convolution", (x, filter) => tf.fused.depthwiseConv2d({ x: x as tf.Tensor4D, filter: filter as tf.Tensor4D, strides: 1, pad: "valid" }), [tf.ones([1, 20, 21, 3]), tf.ones([3, 3, 3, 2])]], // prettier-ignore
    ["a transposed convolution", (x, filter) => tf.conv2dTranspose(x as tf.Tensor4D, filter as tf.Tensor4D, [1, 40, 42, 8], 2, "same"), [tf.ones([1, 20, 21, 3]), tf.ones([3, 3, 8, 3])]], // prettier-ignore
    ["a normalisation without a scale", (x, mean) => tf.batchNorm(x, mean, tf.ones([40])), [tf.ones([40, 40]), tf.ones([40])]], // prettier-ignore
  ] as [string, (...args: tf.Tensor[]) => tf.Tensor, tf.Tensor[]][]) {
    it(`knows the shape and the type of ${what}`, async () => {
      const { graph, dispose } = record(run, args, DECOMPOSED, SHAPES_ONLY);
      dispose();
      const want = run(...args);
      const { shape, dtype } = want;
      expect((graph.output!.args[0] as Node).meta.value).to.deep.equal({ shape, dtype });
      const fast = await nn.compile(run, args);
      expectSame(fast(...args), want, { rtol: 1e-6, atol: 0 }, what);
      expect(fast(...args).dtype).to.equal(dtype);
      expect(fast.explain().compiled).to.equal(true);
      fast.dispose();
    });
  }

  for (const [what, run] of [
    ["concat", (x: tf.Tensor) => tf.concat([x, tf.ones([2, 40, 8])], 1)],
    ["matMul", (x: tf.Tensor) => tf.matMul(x, tf.ones([41, 50]))],
    ["slice", (x: tf.Tensor) => tf.slice(x, [0, 0, 30], [3, 40, 11])],
    ["reverse", (x: tf.Tensor) => tf.reverse(x, 3)],
    ["einsum", (x: tf.Tensor) => tf.einsum("bij,kj->kbi", x, tf.ones([30, 41]))],
    ["unsortedSegmentSum", (x: tf.Tensor) => tf.unsortedSegmentSum(x, tf.range(0, 4, 1, "int32"), 40)], // prettier-ignore
    ["gather", (x: tf.Tensor) => tf.gather(tf.mean(x), tf.tensor1d([0, 0], "int32"))],
  ] as [string, (x: tf.Tensor) => tf.Tensor][]) {
    it(`refuses a ${what} of what does not fit, as the kernel does`, () => {
      const x = tf.ones([3, 40, 40]);
      let message = "";
      try {
        run(x);
      } catch (error) {
        ({ message } = error as Error);
      }
      expect(message).to.match(/shape|axis|dim/i);
      expect(() => record(run, [x], DECOMPOSED, SHAPES_ONLY)).to.throw(message);
    });
  }

  it("leaves sums along a negative axis to tfjs, which gives them undefined sizes", async () => {
    for (const run of [tf.cumsum, tf.cumprod]) {
      const fast = await nn.compile((x: tf.Tensor) => run(x, -1), tf.ones([2, 3]));
      expect(fast.explain().reason).to.match(/Cum(sum|prod) gives the shape \[, *2\]|\[undefined/);
      fast.dispose();
    }
  });

  for (const [what, run, size] of [
    ["copies no columns of", (x) => tf.slice(x, [0, 0, 10], [3, -1, 20]), [3, 40, 20]],
    ["leaves out nothing of", (x) => tf.stridedSlice(x, [0, 1, 0], [3, 40, 40], [1, 1, 2]), [3, 39, 20]], // prettier-ignore
    ["multiplies nothing by", (x) => tf.einsum("bij,bkj->bik", x, x), [3, 40, 40]],
    ["multiplies, fused, nothing by", (a) => tf.fused.matMul({ a, b: a }), [3, 40, 40]],
    ["convolves, fused, nothing by", (x) => tf.fused.conv2d({ x: x as tf.Tensor3D, filter: tf.ones([3, 3, 40, 8]), strides: 1, pad: "same" }), [3, 40, 8]], // prettier-ignore
    ["convolves, transposed, nothing by", (x) => tf.conv2dTranspose(x as tf.Tensor3D, tf.ones([3, 3, 8, 40]), [6, 80, 8], 2, "same"), [6, 80, 8]], // prettier-ignore
    ["adds up no segments of", (x) => tf.unsortedSegmentSum(x, tf.tensor1d([0, 1, 1], "int32"), 2), [2, 40, 40]], // prettier-ignore
  ] as [string, (x: tf.Tensor) => tf.Tensor, number[]][]) {
    it(`${what} what is made up`, () => {
      const { output, dispose } = record(run, [tf.ones([3, 40, 40])], DECOMPOSED, SHAPES_ONLY);
      const { shape } = output as tf.Tensor;
      expect(shape).to.deep.equal(size);
      expect(Math.max(...(output as tf.Tensor).dataSync())).to.equal(0);
      dispose();
    });
  }
});
