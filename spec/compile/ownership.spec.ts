import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { compile, Going } from "../support/going.js";
import { expectSame } from "../support/graphs.js";

type T = tf.Tensor;

onEveryBackend("What belongs to a model, or to its caller, compiled", (_, tolerance) => {
  const x = (): T => tf.tensor1d([1, 2]);

  it("a tensor of the model that it returns stays the model's", async () => {
    const mask = tf.tensor1d([1, 0]);
    const model = new Going((y) => tf.concat([tf.reshape(y, [-1]), mask]), mask);
    const own = (y: T): T[] => [tf.mul(y, mask), mask];
    const fast = await compile(own, x());
    await compile(model, nn.randn(1, 4));
    expect(mask.isDisposed).to.equal(false);
    expectSame(fast(x()), own(x()), tolerance, "with its own");
  });

  it("values of a variable that forward reads are not frozen", async () => {
    const v = tf.variable(tf.scalar(2));
    const run = (y: T): T => tf.mul(y, v.dataSync()[0]!);
    const fast = await compile(run, x());
    expect(fast.explain().reason).to.match(/reads the values/);
    v.assign(tf.scalar(3));
    expectSame(fast(x()), run(x()), tolerance, "read");
  });

  it("a variable that is disposed is missed at every call", async () => {
    const v = tf.variable(tf.scalar(2));
    const fast = await compile((y: T) => tf.mul(y, v), x());
    fast(x());
    v.dispose();
    for (let i = 0; i < 3; i += 1) expect(() => fast(x())).to.throw();
  });

  it("a disposed tensor that nobody uses costs no new plan", async () => {
    let runs = 0;
    const old = tf.scalar(1);
    const model = new Going((y) => ((runs += 1), tf.neg(y)), old);
    const given = nn.randn(2, 4);
    const fast = await compile(model, given);
    old.dispose();
    for (let i = 0; i < 5; i += 1) fast(given);
    expect(runs).to.be.at.most(2);
  });

  it("a property that is computed is neither given back nor in the way", async () => {
    const by = {
      n: 0,
      get twice() {
        return 2 * this.n;
      },
    };
    const model = new Going((y) => tf.mul(y, (by.n += 1)), by);
    const given = nn.randn(2, 4);
    const fast = await compile(model, given);
    expect(fast.explain().reason).to.match(/forward assigns/);
    expect(by.n).to.equal(0);
  });

  it("what forward made before a trace is refused is disposed", async () => {
    const given = x();
    const before = tf.memory().numTensors;
    await compile((y: T) => ({ r: tf.mul(y, 2), f: () => 1 }) as unknown as T, given);
    expect(tf.memory().numTensors).to.equal(before);
  });

  it("an example that forward disposes stays the caller's", async () => {
    const given = x();
    const run = (y: T): T => {
      const result = tf.mul(y, 2);
      y.dispose();
      return result;
    };
    const fast = await compile(run, given);
    expect(fast.explain().reason).to.match(/forward disposes what it is given/);
    expect(Array.from(given.dataSync())).to.deep.equal([1, 2]);
  });
});
