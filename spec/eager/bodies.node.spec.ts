/** Kernels under the tfjs ops that bodies are made of, and those that bodies ask for. */
import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { asBody } from "../../lib/functional/op.js";
import * as nn from "../../lib/index.js";
import { GPT2Model } from "../../lib/models/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectAsByBody } from "../support/by-body.js";
import { expectNoLeak } from "../support/expect.js";
import { expectSame } from "../support/graphs.js";

const { functional: F } = nn;
type Run = (x: tf.Tensor) => tf.Tensor;

const below = (shape: number[], count: number): tf.Tensor =>
  tf.cast(tf.floor(tf.mul(nn.rand(shape), count)), "int32");

const heads = (options: object, call: object): Run => {
  return (x) => {
    const layer = new nn.MultiheadAttention(x.shape.at(-1)!, 4, options);
    const [output, weights] = layer(x, x, x, call);
    layer.dispose();
    return weights === null ? output : tf.concat([output, weights].map((y) => tf.reshape(y, [-1])));
  };
};

/** An op, the shape of its input, and how it is called. */
const OPS: readonly [what: string, shape: number[], run: Run][] = [
  ["a slope for each channel", [2, 4, 9, 9], (x) => F.prelu(x, nn.rand(4))],
  ["slopes of nothing", [0, 4], (x) => F.prelu(x, nn.rand(4))],
  ["one slope", [2, 4, 9, 9], (x) => F.prelu(x, nn.rand(1))],
  ["a negative slope", [2, 4, 9, 9], (x) => F.leakyRelu(x, { negativeSlope: -2 })],
  ["hardtanh below 0", [2, 4, 9, 9], (x) => F.hardtanh(x, { minVal: -2, maxVal: 0 })],
  ["threshold", [2, 4, 9, 9], (x) => F.threshold(x, 0.1, 20)],
  ["glu of channels", [2, 4, 9, 9], (x) => F.glu(x, { dim: 1 })],
  ["softmin", [2, 4, 9, 9], (x) => F.softmin(x, { dim: 1 })],
  ["layer norm with a bias alone", [4, 9, 30], (x) => F.layerNorm(x, 30, { bias: nn.rand(30) })],
  ["batch norm", [2, 4, 9, 9], (x) => F.batchNorm(x, nn.rand(4), nn.rand(4), { bias: nn.rand(4) })],
  [
    "batch norm in training",
    [2, 4, 9, 9],
    (x) => F.batchNorm(x, null, null, { weight: nn.rand(4), training: true }),
  ],
  ["neighbours", [2, 6, 9, 9], (x) => F.localResponseNorm(x, 4)],
  ["normalize", [30, 20], (x) => F.normalize(x, { p: 3 })],
  [
    "windows that stand over",
    [2, 4, 10, 10],
    (x) => F.maxPool2d(x, 3, { stride: 2, ceilMode: true }),
  ],
  [
    "windows that stand over borders",
    [2, 4, 10, 10],
    (x) => F.avgPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
  ],
  ["a divisor", [2, 4, 10, 10], (x) => F.avgPool2d(x, 3, { divisorOverride: 5 })],
  ["dilated windows", [2, 4, 10, 10], (x) => F.maxPool2d(x, 3, { stride: 1, dilation: 2 })],
  ["windows in space", [2, 3, 6, 7, 8], (x) => F.maxPool3d(x, 3, { stride: 2, padding: 1 })],
  [
    "means in space",
    [2, 3, 6, 7, 8],
    (x) => F.avgPool3d(x, [2, 3, 2], { stride: [2, 1, 2], padding: 1, ceilMode: true }),
  ],
  ["uneven windows", [2, 4, 10, 11], (x) => F.adaptiveAvgPool2d(x, [3, 4])],
  ["even windows", [2, 4, 10, 12], (x) => F.adaptiveMaxPool2d(x, [5, 4])],
  [
    "columns of windows",
    [2, 3, 9, 10],
    (x) => F.unfold(x, [2, 3], { padding: 1, stride: 2, dilation: 2 }),
  ],
  ["windows added up", [2, 36, 25], (x) => F.fold(x, 6, 2)],
  ["a mask of booleans", [2, 4, 20, 16], (x) => F.scaledDotProductAttention(x, x, x, { attnMask: tf.greater(nn.rand(20, 20), 0.3) })], // prettier-ignore
  ["batches that broadcast", [2, 4, 20, 16], (x) => F.scaledDotProductAttention(x, tf.slice(x, 0, 1), tf.slice(x, 0, 1))], // prettier-ignore
  ["weights of attention", [9, 3, 32], heads({}, {})],
  ["no weights of attention", [9, 3, 32], heads({}, { needWeights: false })],
  ["a sequence alone", [9, 32], heads({ bias: false }, { needWeights: false })],
  ["keys for all", [3, 9, 32], heads({ batchFirst: true, addBiasKv: true, addZeroAttn: true }, {})],
  ["similarities", [30, 20], (x) => F.cosineSimilarity(x, nn.rand(30, 20))],
  ["pairs", [30, 20], (x) => F.pdist(x)],
  ["a mean of squares", [30, 20], (x) => F.mseLoss(x, nn.rand(30, 20))],
  ["huber", [30, 20], (x) => F.huberLoss(x, nn.rand(30, 20), { delta: 0.3 })],
  ["logits", [30, 20], (x) => F.binaryCrossEntropyWithLogits(x, nn.rand(30, 20))],
  ["bags", [90, 40], (x) => F.embeddingBag(below([9, 8], 90), x, { mode: "max" })],
  ["rows that are too long", [90, 40], (x) => F.embedding(below([9, 8], 90), x, { maxNorm: 1 })],
  ["booleans that are shuffled", [2, 9, 5, 4], (x) => F.pixelShuffle(tf.greater(x, 0), 3)],
  ["borders cut off", [2, 4, 9, 20], (x) => F.pad(x, [-1, 2, 1, -1])],
];

/** Whether a kernel of ours gave a tensor: its numbers are in our memory until somebody asks for them. */
const isOurs = ({ dataId }: tf.Tensor): boolean => {
  const { data } = tf.backend() as unknown as { data: { get(dataId: object): object } };
  return !Object.hasOwn(data.get(dataId), "values");
};

onEveryBackend("Bodies of ops", (name, tolerance) => {
  const backend = name as "cpu" | "wasm";
  const both = (what: string, run: () => tf.Tensor): void =>
    expectAsByBody(backend, what, run, tolerance);

  for (const [what, shape, run] of OPS) {
    it(`give what tfjs' own kernels give, also for NaN and infinities: ${what}`, () => {
      const x = nn.randn(shape);
      expectNoLeak(() => both(what, () => run(x)));
      // With an infinity, what tfjs-wasm's own kernels give is no reference.
      if (backend === "cpu") {
        const odd = tf.concat([
          tf.tensor1d([NaN, Infinity, -Infinity, -0]),
          tf.slice(tf.reshape(x, [-1]), 4),
        ]);
        both(`${what}, NaN`, () => run(tf.reshape(odd, shape)));
        odd.dispose();
      }
      x.dispose();
    });
  }

  it("are made of kernels of ours on cpu, and what is called outside of them of tfjs' own", () => {
    if (backend !== "cpu") return;
    const put = /mean|logits|huber|weights|keys/; // together by tfjs, or scalars
    tf.tidy(() => {
      for (const [what, shape, run] of OPS) {
        if (put.test(what)) continue;
        expect(isOurs(run(nn.randn(shape))), what).to.equal(true);
      }
      const x = nn.randn(20, 30);
      expect(isOurs(tf.add(x, x))).to.equal(false);
      expect(() => F.linear(x, nn.rand(3, 5))).to.throw("cannot be multiplied");
      expect(isOurs(tf.add(x, x)), "after an error").to.equal(false);
    });
  });

  it("move what models move by kernels of ours on cpu", () => {
    if (backend !== "cpu") return;
    const model = new GPT2Model({ vocab_size: 9, n_embd: 48, n_layer: 1, n_head: 4 }).eval();
    const moved: boolean[] = [];
    const run = tf.engine().runKernel.bind(tf.engine());
    // Not as a property of its own: then ops would run no kernels.
    const engine = Object.getPrototypeOf(tf.engine()) as { runKernel: unknown };
    const plain = engine.runKernel;
    engine.runKernel = (kernel: string, ...rest: [tf.NamedTensorMap]) => {
      const result = run(kernel, ...rest);
      if (/Transpose|SplitV/.test(kernel)) moved.push(...[result].flat().map(isOurs));
      return result;
    };
    tf.tidy(() => void model(tf.zeros([1, 17], "int32")));
    engine.runKernel = plain;
    expect(moved).to.include(true).and.not.include(false);
    model.dispose();
  });

  it("leave a weight of integers to tfjs, whose bits our kernels would read as floats", () => {
    tf.tidy(() => {
      const x = nn.randn(9, 8);
      const weight = tf.tensor1d([1, -2, 3, 0, 5, 1, 7, -8], "int32");
      const want = F.rmsNorm(x, [8], { weight: tf.cast(weight, "float32") });
      expectSame(F.rmsNorm(x, [8], { weight }), want, tolerance, "rms_norm");
    });
  });

  it("cut tensors of five dimensions in the heap of tfjs-wasm, which reads them out", () => {
    if (backend !== "wasm") return;
    tf.tidy(() => {
      const x = nn.randn(2, 3, 4, 19, 18);
      const cut = (): tf.Tensor => tf.slice(x, [0, 1, 0, 2, 3], [2, 2, 4, 10, 14]);
      const want = cut();
      const owner = tf.backend() as unknown as { readSync?: unknown };
      owner.readSync = () => {
        throw new Error("read out");
      };
      let got: tf.Tensor;
      try {
        expect(cut).to.throw("read out");
        got = asBody(cut);
      } finally {
        delete owner.readSync;
      }
      expectSame(got, want, { rtol: 0, atol: 0 }, "slice");
    });
  });
});
