import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../lib/index.js";
import { Affine, NdArray, Sigmoid } from "../lib/reference/index.js";
import { onEveryBackend } from "./support/backends.js";
import { expectNoLeak } from "./support/expect.js";

/** Sizes, batches and magnitudes of many networks, always the same ones. */
function networks(count: number): { sizes: number[]; lead: number[]; magnitude: number }[] {
  nn.manualSeed(20);
  const draw = (low: number, high: number): number =>
    tf.tidy(() => nn.randint(low, high, [1]).dataSync()[0]!);
  return Array.from({ length: count }, (_, i) => ({
    sizes: [draw(1, 40), draw(1, 40), draw(1, 40)],
    lead: Array.from({ length: i % 4 }, () => draw(1, 5)),
    magnitude: [1, 1, 100, 1e4][i % 4]!,
  }));
}

function toArray(tensor: tf.Tensor): NdArray {
  return new NdArray(tensor.shape, Float64Array.from(tensor.dataSync()));
}

/** xW + b in float64, and the size of the terms that were added up: float32 rounds relative to it. */
function affine(layer: nn.Linear, x: NdArray): { y: NdArray; scale: NdArray } {
  const [W, b] = [toArray(layer.weight).T, toArray(layer.bias!)];
  const scale = new Affine(W.map(Math.abs), b.map(Math.abs)).forward(x.map(Math.abs));
  return { y: new Affine(W, b).forward(x), scale };
}

function expectSame(got: tf.Tensor, want: NdArray, scale: NdArray, limit: number): void {
  expect(got.shape).to.deep.equal([...want.shape]);
  got.dataSync().forEach((value, i) => {
    const difference = Math.abs(value - want.data[i]!) / Math.max(1, scale.data[i]!);
    // `not.above` would let NaN through.
    expect(difference <= limit, `element ${i}: ${value}, want ${want.data[i]}`).to.be.true;
  });
}

onEveryBackend("tfjs modules against the plain arrays", (backend) => {
  const limit = backend === "webgl" ? 1e-5 : 1e-6;

  it("give what xW + b with W = weightᵀ gives, over many sizes", () => {
    for (const { sizes, lead, magnitude } of networks(24)) {
      const [inSize, hidden, outSize] = sizes as [number, number, number];
      const layer1 = new nn.Linear(inSize, hidden);
      const sigmoid = new nn.Sigmoid();
      const layer2 = new nn.Linear(hidden, outSize);
      const x = tf.tidy(() => tf.mul(nn.randn(...lead, inSize), magnitude));
      expectNoLeak(() => {
        const [h, s] = [layer1(x), tf.tidy(() => sigmoid(layer1(x)))];
        const y = layer2(s);
        const first = affine(layer1, toArray(x));
        expectSame(h, first.y, first.scale, limit);
        // The activation of the very numbers that tfjs had, so that each step is judged alone.
        const activated = new Sigmoid().forward(toArray(h));
        expectSame(s, activated, activated, limit);
        const second = affine(layer2, toArray(s));
        expectSame(y, second.y, second.scale, limit);
        tf.dispose([h, s, y]);
      });
      tf.dispose(x);
      layer1.dispose();
      layer2.dispose();
    }
  });

  it("reach the exact limits of the sigmoid at ±1e4, without NaN", () => {
    const values = [-1e4, -1000, -100, 0, 100, 1000, 1e4];
    const x = tf.tensor1d(values);
    const y = new nn.Sigmoid()(x);
    const want = new Sigmoid().forward(values).data;
    expect(want[0]).to.equal(0);
    expect(want.at(-1)).to.equal(1);
    y.dataSync().forEach((value, i) => expect(value).to.be.closeTo(want[i]!, 1e-7));
    tf.dispose([x, y]);
  });
});
