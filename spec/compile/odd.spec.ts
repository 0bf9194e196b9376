import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as F from "../../lib/functional/index.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { compiled } from "../support/compiled.js";
import { expectSame, tensorsIn } from "../support/graphs.js";

type Run = (xs: tf.Tensor[], model: Weights) => tf.Tensor;

class Weights extends nn.Module {
  readonly conv = new nn.Parameter(nn.randn(4, 3, 3, 3));
  readonly wide = new nn.Parameter(tf.mul(nn.randn(16, 16, 3, 3), 0.1));
  readonly linear = new nn.Parameter(nn.randn(6, 5));
  readonly bias = new nn.Parameter(nn.randn(6));
  readonly one = new nn.Parameter(nn.randn(1));
  constructor(private readonly run: Run) {
    super();
  }
  override forward(...xs: tf.Tensor[]): tf.Tensor {
    return this.run(xs, this);
  }
}

const centred = (x: tf.Tensor): tf.Tensor => tf.sub(x, tf.mean(x, -1));
const attend = (q: tf.Tensor, mask: tf.Tensor): tf.Tensor =>
  tf.matMul(tf.softmax(tf.add(tf.matMul(q, q, false, true), mask)), q);
const ints = (x: tf.Tensor, by = 30): tf.Tensor => tf.cast(tf.mul(x, by), "int32");

/** What nearly is what a pass or a kernel takes, and is not. */
const UNLIKE: [string, Run, ...number[][]][] = [
  ["a norm by the means of other rows", ([x]) => tf.div(centred(x!), tf.sqrt(tf.add(tf.mean(tf.square(centred(x!)), -1), 0.1))), [3, 3]], // prettier-ignore
  ["an RMS norm by other rows", ([x]) => tf.mul(x!, tf.rsqrt(tf.add(tf.mean(tf.square(x!), -1), 0.1))), [3, 3]], // prettier-ignore
  ["a softmax by the sums of other rows", ([x]) => tf.div(tf.exp(tf.sub(x!, tf.max(x!, -1, true))), tf.sum(tf.exp(tf.sub(x!, tf.max(x!, -1, true))), -1)), [4, 4]], // prettier-ignore
  ["a batch of one added to one of three", ([x, y], m) => F.relu(tf.add(F.conv2d(x!, m.conv, { padding: 1 }), y!)), [1, 3, 5, 6], [3, 4, 5, 6]], // prettier-ignore
  ["no batch added to one of three", ([x, y], m) => tf.add(y!, F.conv2d(x!, m.conv, { padding: 1 })), [3, 5, 6], [3, 4, 5, 6]], // prettier-ignore
  ["a row added to three", ([x, y], m) => F.relu(tf.add(F.linear(x!, m.linear, { bias: m.bias }), y!)), [1, 5], [3, 6]], // prettier-ignore
  ["a vector added to three rows", ([x, y], m) => tf.add(y!, F.linear(x!, m.linear)), [5], [3, 6]],
  ["a column of rows added to a matrix", ([x, y], m) => F.tanh(tf.add(F.linear(x!, m.linear), y!)), [4, 1, 5], [4, 2, 6]], // prettier-ignore
  ["SiLU with a factor of more dimensions", ([x]) => tf.mul(tf.mul(x!, tf.ones([1, 1])), F.sigmoid(x!)), [5]], // prettier-ignore
  ["attention with a mask of one dimension", ([q]) => attend(q!, tf.tensor1d([0, -1e9, 1])), [2, 2, 3, 4]], // prettier-ignore
  ["attention with a mask of more dimensions", ([q]) => attend(tf.reshape(q!, [1, 2, 3, 4]), tf.zeros([2, 1, 3, 3])), [2, 3, 4]], // prettier-ignore
  ["a vector of more dimensions added", ([x], m) => tf.add(F.linear(x!, m.linear), tf.ones([1, 1, 1, 6])), [2, 5]], // prettier-ignore
  ["one number for the bias of a linear", ([x], m) => F.relu(F.linear(x!, m.linear, { bias: m.one })), [3, 5]], // prettier-ignore
  ["numbers for the biases of two linears", ([x], m) => tf.concat([F.linear(x!, m.linear, { bias: m.bias }), F.linear(x!, m.linear, { bias: tf.scalar(2) })], 1), [3, 5]], // prettier-ignore
  ["a number with dimensions for a bias", ([x], m) => F.linear(x!, m.linear, { bias: tf.tensor2d([[2]]) }), [3, 5]], // prettier-ignore
  ["a vector for a linear's weight", ([x], m) => F.relu(F.linear(x!, tf.slice(m.bias, 0, 5), { bias: m.one })), [3, 5]], // prettier-ignore
  ["a tensor added to itself", ([x], m) => [0].map(() => F.linear(x!, m.linear)).map((y) => tf.add(y, y))[0]!, [3, 5]], // prettier-ignore
  ["a tensor added to its own ReLU", ([x], m) => [0].map(() => F.linear(x!, m.linear)).map((y) => tf.add(y, F.relu(y)))[0]!, [3, 5]], // prettier-ignore
  ["the mean of whole numbers over nothing", ([x]) => tf.mean(ints(x!), []), [2, 5]],
  ["whole numbers divided", ([x]) => tf.div(ints(x!), tf.scalar(4, "int32")), [2, 5]],
  ["the larger of whole numbers", ([x]) => tf.maximum(ints(x!), tf.scalar(4, "int32")), [2, 5]],
  ["whole numbers squared", ([x]) => tf.square(ints(x!, 3)), [2, 5]],
  ["a whole number times floats", ([x]) => tf.mul(tf.scalar(3, "int32"), x!), [2, 5]],
  ["whole numbers where something holds", ([x]) => tf.where(tf.greater(x!, 0), ints(x!), tf.scalar(7, "int32")), [2, 5]], // prettier-ignore
  ["whole numbers added to each row", ([x], m) => tf.add(F.linear(x!, m.linear), ints(m.bias)), [2, 5]], // prettier-ignore
  ["a difference whose second part is named first", ([x, y]) => tf.engine().runKernel("Sub", { b: y!, a: x! }), [2, 5], [2, 5]], // prettier-ignore
  ["truths side by side", ([x]) => tf.concat([tf.greater(x!, 0), tf.less(x!, 1)], 1), [2, 5]],
  ["truths transposed", ([x]) => tf.transpose(tf.greater(x!, 0)), [2, 5]],
  ["truths compared", ([x]) => tf.equal(tf.greater(x!, 0), tf.less(x!, 1)), [2, 5]],
  ["one truth for all", ([x]) => tf.where(tf.greater(tf.sum(x!), 0), x!, tf.neg(x!)), [2, 5]],
  ["rows turned round by the number of their axis", ([x]) => tf.relu(tf.reverse(x!, -1)), [2, 5]],
  ["rows and columns turned round", ([x]) => tf.relu(tf.reverse(x!)), [2, 5]],
  ["a slice from the number of a row on", ([x]) => F.relu(tf.slice(x!, 1)), [3, 5]],
  ["a slice of fewer dimensions, transposed", ([x]) => tf.slice(tf.transpose(x!), [1], [3]), [3, 5]], // prettier-ignore
  ["a slice of a vector of weights", ([x], m) => tf.add(x!, tf.slice(m.bias, 1)), [3, 5]],
  ["columns by the number of their axis", ([x]) => F.relu(tf.gather(x!, tf.tensor1d([3, 0], "int32"), -1)), [2, 5]], // prettier-ignore
  ["six dimensions", ([x]) => F.relu(tf.transpose(tf.reshape(x!, [1, 2, 1, 5, 1, 1]), [3, 1, 0, 2, 5, 4])), [2, 5]], // prettier-ignore
];

onEveryBackend("What a pass must leave alone, compiled", (_, tolerance) => {
  for (const [what, run, ...shapes] of UNLIKE) {
    it(what, async () => {
      nn.manualSeed(5);
      const model = new Weights(run);
      const xs = shapes.map((shape) => nn.randn(shape));
      const fast = (await nn.compile(model, xs)) as unknown as (...all: tf.Tensor[]) => tf.Tensor;
      const { explain, dispose } = fast as unknown as nn.Compiled;
      expect(explain().compiled, String(explain())).to.equal(true);
      const [got, want] = [fast(...xs), model(...xs)];
      expectSame(got, want, tolerance, what);
      expect(got.dtype).to.equal(want.dtype);
      dispose();
      tf.dispose([got, want, xs]);
    });
  }
});

describe("Whole numbers that a float32 cannot tell apart, compiled on cpu", () => {
  it("stay apart as constants", async () => {
    await nn.setBackend("cpu");
    const run = (x: tf.Tensor): tf.Tensor =>
      tf.sub(tf.add(x, tf.scalar(16777217, "int32")), tf.scalar(16777216, "int32"));
    const x = tf.tensor1d([1, 2], "int32");
    const fast = await compiled(run, x);
    expect([...fast(x).dataSync()]).to.deep.equal([2, 3]);
    fast.dispose();
  });
});

/** What PyTorch gives for NaN, ∞, -∞, 0 and -1. */
const ENDS: [string, (x: tf.Tensor) => tf.Tensor, number[]][] = [
  ["exp", (x) => tf.exp(x), [NaN, Infinity, 0, 1, 1 / Math.E]],
  ["log", (x) => tf.log(x), [NaN, Infinity, NaN, -Infinity, NaN]],
  ["log1p", (x) => tf.log1p(x), [NaN, Infinity, NaN, 0, -Infinity]],
  ["expm1", (x) => tf.expm1(x), [NaN, Infinity, -1, 0, 1 / Math.E - 1]],
  ["sigmoid", (x) => F.sigmoid(x), [NaN, 1, 0, 0.5, 1 / (1 + Math.E)]],
  ["softplus", (x) => F.softplus(x), [NaN, Infinity, 0, Math.LN2, Math.log1p(1 / Math.E)]],
  ["logsigmoid", (x) => F.logsigmoid(x), [NaN, 0, -Infinity, -Math.LN2, -Math.log1p(Math.E)]],
  ["elu", (x) => F.elu(x), [NaN, Infinity, -1, 0, 1 / Math.E - 1]],
  ["threshold", (x) => F.threshold(x, 0.1, 5), [NaN, Infinity, 5, 5, 5]],
  ["step", (x) => tf.step(x, 2), [NaN, 1, 2, 2, 2]],
  ["pow", (x) => tf.pow(x, 2), [NaN, Infinity, Infinity, 0, 1]],
  ["pow with NaN", (x) => tf.pow(x, NaN), [NaN, NaN, NaN, NaN, NaN]],
  ["a product with 0", (x) => tf.mul(x, 0), [NaN, NaN, NaN, 0, 0]],
  ["0 by it, and silu", (x) => F.silu(tf.mul(-0, x)), [NaN, NaN, NaN, 0, 0]],
  ["a quotient of 0", (x) => tf.div(0, x), [NaN, 0, 0, NaN, 0]],
  ["a quotient by an infinity", (x) => tf.div(x, -Infinity), [NaN, NaN, NaN, 0, 0]],
  ["a quotient by 0, and silu", (x) => F.silu(tf.div(x, 0)), [NaN, Infinity, NaN, NaN, NaN]],
  ["leaky_relu", (x) => F.leakyRelu(x, { negativeSlope: 0 }), [NaN, Infinity, NaN, 0, 0]],
  ["elu of alpha 0", (x) => F.elu(x, { alpha: 0 }), [NaN, Infinity, 0, 0, 0]],
  ["sin", (x) => tf.sin(x), [NaN, NaN, NaN, 0, -Math.sin(1)]],
  ["cos", (x) => tf.cos(x), [NaN, NaN, NaN, 1, Math.cos(1)]],
  ["cosh", (x) => tf.cosh(x), [NaN, Infinity, Infinity, 1, Math.cosh(1)]],
  [
    "asinh",
    (x) => tf.div(tf.asinh(tf.mul(x, 1e20)), 100),
    [NaN, Infinity, -Infinity, 0, -0.46744849],
  ],
  ["acosh", (x) => tf.div(tf.acosh(tf.mul(x, -1e20)), 100), [NaN, NaN, Infinity, NaN, 0.46744849]],
  [
    "acosh near 1",
    (x) => tf.acosh(tf.sub(1.5, tf.div(x, 2))),
    [NaN, NaN, Infinity, Math.acosh(1.5), Math.acosh(2)],
  ],
  ["atanh", (x) => tf.atanh(x), [NaN, NaN, NaN, 0, -Infinity]],
  ["atanh between", (x) => tf.atanh(tf.sub(0.5, x)), [NaN, NaN, NaN, Math.atanh(0.5), NaN]],
  ["softmax", (x) => F.softmax(x, { dim: 0 }), [NaN, NaN, NaN, NaN, NaN]],
];

onEveryBackend("NaN, infinities and 0, compiled", (name) => {
  for (const [what, run, want] of ENDS) {
    it(what, async () => {
      const x = tf.tensor1d([NaN, Infinity, -Infinity, 0, -1]);
      const fast = await nn.compile(run, x);
      expect(fast.explain().compiled, String(fast.explain())).to.equal(true);
      const got = fast(x).dataSync();
      want.forEach((one, i) => {
        const isSame = Object.is(got[i]! + 0, one) || Math.abs(got[i]! - one) < 1e-5;
        expect(isSame, `${what} on ${name}: ${got[i]!}, not ${one}`).to.equal(true);
      });
      fast.dispose();
    });
  }
});

onEveryBackend("Sines and cosines, compiled", (name) => {
  for (const [what, run, wanted] of [
    ["sin", tf.sin, Math.sin],
    ["cos", tf.cos, Math.cos],
    ["tan", (x: tf.Tensor) => tf.atan(tf.tan(x)), (x: number) => Math.atan(Math.tan(x))],
  ] as const) {
    it(`${what} as of steps of a diffusion, and of positions`, async () => {
      const numbers = Float32Array.from({ length: 3001 }, (_, i) => (i - 1000) / 2);
      const x = tf.tensor1d(numbers);
      const fast = await compiled(run, x);
      const got = fast(x).dataSync();
      const off = numbers.map((one, i) => Math.abs(got[i]! - wanted(one)));
      expect(Math.max(...off), `${what} on ${name}`).to.be.below(3e-6);
      fast.dispose();
    });
  }
});

/** What gives something else each time. */
const DRAWS: [string, (x: tf.Tensor) => tf.Tensor][] = [
  ["dropout", (x) => F.dropout(x, { training: true })],
  ["dropout1d", (x) => F.dropout1d(x, { training: true })],
  ["alpha_dropout", (x) => F.alphaDropout(x, { training: true })],
  ["rrelu", (x) => F.rrelu(x, { training: true })],
  ["gumbel_softmax", (x) => F.gumbelSoftmax(x)],
  ["attention with dropout", (x) => F.scaledDotProductAttention(x, x, x, { dropoutP: 0.5 })],
];

onEveryBackend("What draws, compiled", () => {
  for (const [what, run] of DRAWS) {
    it(`${what} draws anew in every call`, async () => {
      const x = tf.neg(nn.rand(2, 20, 10));
      const fast = await compiled(run, x);
      const [a, b] = [fast(x).dataSync(), fast(x).dataSync()];
      expect(Array.from(a)).not.to.deep.equal(Array.from(b));
      fast.dispose();
    });
  }
});

/** Each gives NaN and infinities for a few finite numbers, before a convolution. */
const HOLES: [string, (x: tf.Tensor) => tf.Tensor][] = [
  ["a logarithm of 0", (x) => tf.log(tf.sub(x, tf.min(x)))],
  ["a division by 0", (x) => tf.div(1, tf.sub(x, tf.max(x)))],
  ["a root of what is negative", (x) => tf.sqrt(tf.sub(x, tf.add(tf.min(x), 0.01)))],
  ["a constant", (x) => tf.add(x, tf.scatterND(tf.tensor2d([[0, 3, 9, 9]], [1, 4], "int32"), tf.tensor1d([Infinity]), x.shape))], // prettier-ignore
];

describe("NaN and infinities that arise on the way, compiled on cpu", () => {
  before(() => nn.setBackend("cpu"));
  for (const threads of [1, 2]) {
    for (const [what, hole] of HOLES) {
      it(`${what} stays where it is (${threads} threads)`, async () => {
        nn.manualSeed(5);
        const run: Run = ([x], m) => F.relu(F.conv2d(hole(x!), m.wide, { padding: 1 }));
        const model = new Weights(run);
        const x = nn.randn(1, 16, 24, 24);
        const fast = await nn.compile(model, x, { threads });
        expect(fast.explain().compiled, String(fast.explain())).to.equal(true);
        const want = model(x);
        expect(tensorsIn(want)[0]!.dataSync().filter(Number.isFinite)).not.to.have.lengthOf(0);
        for (let i = 0; i < 3; i += 1) expectSame(fast(x), want, { rtol: 1e-4, atol: 1e-5 }, what);
        fast.dispose();
      });
    }
  }
});
