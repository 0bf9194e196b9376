import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as F from "../../lib/functional/index.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { compile, Going } from "../support/going.js";
import { expectSame } from "../support/graphs.js";

type T = tf.Tensor;

/** Keeps what it computed for the next call, as a recurrent model that is fed bit by bit. */
class Remembering extends nn.Module {
  readonly linear = new nn.Linear(4, 4);
  before: T | null = null;
  calls = 0;
  override forward(x: T): T {
    this.calls += 1;
    const y = this.linear(this.before ? tf.add(x, this.before) : x);
    this.before = tf.keep(tf.clone(y));
    return y;
  }
}

onEveryBackend("Numbers that depend on no input, read by forward, compiled", (_, tolerance) => {
  it("are computed while tracing", async () => {
    const by = (): number => tf.add(tf.mul(tf.scalar(2), 3), tf.sum(tf.range(0, 4))).dataSync()[0]!;
    const run = (x: T): T => tf.mul(x, by());
    const x = nn.randn(2, 4);
    const fast = await compile(run, x);
    expectSame(fast(x), run(x), tolerance, "twelve times");
    expect(fast.explain().compiled, fast.explain().reason ?? "").to.equal(true);
  });

  it("leave the model to itself, where they are many", async () => {
    const run = (x: T): T => tf.mul(x, tf.mul(tf.range(0, 3000), 2).dataSync()[3]!);
    const x = nn.randn(2, 4);
    const fast = await compile(run, x);
    expectSame(fast(x), run(x), tolerance, "six times");
    expect(fast.explain().reason).to.match(/reads the values/);
  });
});

onEveryBackend("A forward with a memory, compiled", (_, tolerance) => {
  it("gives in each call what it gives eagerly, and was not called by compile", async () => {
    const [model, twin] = [0, 1].map(() => {
      nn.manualSeed(1);
      return new Remembering();
    }) as [Remembering, Remembering];
    const x = nn.randn(2, 4);
    const fast = await compile(model, x);
    expect([model.calls, model.before]).to.deep.equal([0, null]);
    for (let i = 1; i < 6; i += 1) {
      expectSame(fast(x), twin(x), tolerance, `call ${i}`);
      expect(model.calls).to.equal(i);
      expectSame(model.before, twin.before, tolerance, `memory ${i}`);
    }
    expect(fast.explain().reason).to.match(/changes its own properties/);
  });

  it("is compiled once it has what it makes in its first call", async () => {
    const model = new Going((x, own) => tf.add(x, (own.by ??= tf.keep(tf.range(0, 4))) as T));
    const x = nn.randn(2, 4);
    const fast = await compile(model, x);
    expect(fast.explain().compiled).to.equal(false);
    for (let i = 0; i < 3; i += 1) expectSame(fast(x), model(x), tolerance, `call ${i}`);
    expect(fast.explain().compiled).to.equal(true);
  });

  it("runs eagerly where it keeps tensors elsewhere, or makes variables", async () => {
    const log: T[] = [];
    const keeping = (x: T): T => tf.tidy(() => log[log.push(tf.keep(tf.neg(x))) - 1]!);
    const making = (x: T): T => tf.tidy(() => tf.add(tf.variable(tf.neg(x)), 1));
    const x = nn.randn(2, 4);
    for (const [run, reason] of [
      [keeping, /tf\.keep/],
      [making, /variable/],
    ] as const) {
      // prettier-ignore
      const fast = await compile(run, x);
      expect(fast.explain().reason).to.match(reason);
      expectSame(fast(x), run(x), tolerance, String(reason));
    }
    expectSame(log, [tf.neg(x), tf.neg(x)].concat(log.slice(2)), tolerance, "log");
  });

  it("runs eagerly where it changes what it is given", async () => {
    const cached = (x: T, cache: T[]): T => tf.add(x, cache.push(x));
    const counted = (x: T, state: { n: number }): T => tf.mul(x, (state.n += 1));
    const x = nn.randn(2, 4);
    for (const [run, make] of [
      [cached, () => []],
      [counted, () => ({ n: 1 })],
    ] as const) {
      // prettier-ignore
      const fast = await compile(run, x, make());
      const [ours, theirs] = [make(), make()] as never[];
      for (let i = 0; i < 3; i += 1) expectSame(fast(x, ours), run(x, theirs!), tolerance, "call");
      expect(fast.explain().reason).to.match(/changes a list or an object/);
      expect(ours).to.deep.equal(theirs);
    }
  });

  it("runs eagerly where values say how many numbers there are", async () => {
    const ids = (...values: number[]): T => tf.tensor1d(values, "int32");
    const unique = (x: T): T => tf.unique(x as tf.Tensor1D).values;
    const runs: ((x: T) => T)[] = [unique, (x) => F.oneHot(x)];
    for (const run of runs) {
      const fast = await compile(run, ids(0, 1, 1));
      for (const x of [ids(0, 1, 1), ids(2, 0, 1)])
        expectSame(fast(x), run(x), tolerance, "values");
      expect(fast.explain().reason).to.match(/depends on values/);
    }
    const fast = await compile((x: T) => F.oneHot(x, { numClasses: 4 }), ids(0, 1));
    expect(fast.explain().compiled).to.equal(true);
  });

  it("throws the model's own errors, wherever they arise", async () => {
    const model = new nn.Sequential(new nn.Embedding(5, 3, { maxNorm: 1 }));
    const fast = await compile(model, tf.tensor1d([0, 1], "int32"));
    const wrong = tf.tensor1d([0, 5], "int32");
    const message = /index out of range in self: got 5[^]*in 0: Embedding/;
    for (const run of [fast, model]) expect(() => run(wrong)).to.throw(message);
  });

  it("leaves no tensor of a trace, of a plain function neither", async () => {
    const x = nn.randn(2, 4);
    const before = tf.memory().numTensors;
    await compile((y: T) => F.relu(tf.add(tf.mul(y, 2), 1)), x);
    expect(tf.memory().numTensors).to.equal(before);
  });
});
