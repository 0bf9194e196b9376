import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { compile, Going } from "../support/going.js";
import { expectSame } from "../support/graphs.js";

type T = tf.Tensor;

const scaled = (of: (by: never) => number): ((x: T, own: Going) => T) => {
  return (x, { by }) => tf.mul(x, of(by as never));
};

/** Data that forward goes by, and how it changes. */
const DATA: [string, (x: T, own: Going) => T, () => unknown, (by: never) => void][] = [
  [
    "an object",
    scaled((by: { n: number }) => by.n),
    () => ({ n: 2 }),
    (by: { n: number }) => (by.n = 5),
  ],
  ["an object in a list", scaled((by: { n: number }[]) => by[0]!.n), () => [{ n: 2 }], (by: { n: number }[]) => (by[0]!.n = 5)], // prettier-ignore
  ["an object that grows", scaled((by: object) => Object.keys(by).length), () => ({ a: 1 }), (by: Record<string, number>) => (by.b = 1)], // prettier-ignore
  [
    "a list",
    scaled((by: number[]) => by.length + by[0]!),
    () => [2],
    (by: number[]) => (by[0] = 5),
  ],
  [
    "a list that grows",
    scaled((by: number[]) => by.length),
    () => [2],
    (by: number[]) => by.push(5),
  ],
  ["a map", scaled((by: Map<string, number>) => by.get("n")!), () => new Map([["n", 2]]), (by: Map<string, number>) => by.set("n", 5)], // prettier-ignore
  ["a set", scaled((by: Set<number>) => [...by][0]!), () => new Set([2]), (by: Set<number>) => by.delete(2) && by.add(5)], // prettier-ignore
  ["an array of numbers", (x, { by }) => tf.mul(x, tf.tensor1d(by as Float32Array)), () => new Float32Array(4), (by: Float32Array) => by.fill(5)], // prettier-ignore
  ["tensors in a list", (x, { by }) => tf.mul(x, (by as T[])[0]!), () => [tf.ones([4])], (by: T[]) => (by[0] = tf.fill([4], 5))], // prettier-ignore
  ["a variable of tfjs", (x, { by }) => tf.mul(x, by as T), () => tf.variable(tf.ones([4])), (by: tf.Variable) => by.assign(tf.fill([4], 5))], // prettier-ignore
  ["layers in a list", (x, { by }) => (by as nn.Linear[])[0]!(x), () => [new nn.Linear(4, 4)], ([by]: nn.Linear[]) => by!.weight.assign(tf.ones([4, 4]))], // prettier-ignore
  ["a layer in a list, itself", (x, { by }) => (by as nn.ELU[])[0]!(x), () => [new nn.ELU()], (by: nn.ELU[]) => (by[0] = new nn.ELU({ alpha: 9 }))], // prettier-ignore
  ["the sign of a zero in a list", (x, { by }) => tf.mul(x, 1 / (by as number[])[0]! > 0 ? 1 : 2), () => [0], (by: number[]) => (by[0] = -0)], // prettier-ignore
  ["layers in an object", (x, { by }) => (by as { a: nn.Linear }).a(x), () => ({ a: new nn.Linear(4, 4) }), ({ a }: { a: nn.Linear }) => a.loadStateDict({ weight: tf.ones([4, 4]), bias: tf.ones([4]) })], // prettier-ignore
];

/** Ways to change what properties there are; `forward` goes by all that a loop over the model shows. */
const PROPERTIES: [string, (model: Going & Record<string, unknown>) => void][] = [
  ["that is added", (model) => (model.more = 3)],
  ["that is added, a number its name", (model) => ((model as unknown as number[])[4] = 3)],
  ["that is taken away", (model) => delete model.by],
  ["that comes under another name", (model) => delete model.by && (model.why = 2)],
  ["that comes for one that was undefined", (model) => delete model.nothing && (model.more = 3)],
  ["that hides one of the class", (model) => (model.ofClass = 5)],
  ["called `name`", (model) => ((model as { name: unknown }).name = 3)],
  ["called `length`", (model) => ((model as { length: number }).length = 3)],
  [
    "that may be shown from then on",
    (model) => Object.defineProperty(model, "hidden", { value: 3, enumerable: true }),
  ],
  ["that is computed from then on", (model) => Object.defineProperty(model, "by", { get: () => 7 })], // prettier-ignore
];

class Summing extends Going {
  constructor() {
    const numbers = (own: object): number => {
      const { name, length, hidden = 1 } = own as { name: number; length: number; hidden?: number };
      let sum = (name || 1) * ((length || 0) + 1) * hidden;
      for (const key in own) {
        const one = (own as Record<string, unknown>)[key];
        if (typeof one === "number") sum += one * key.length;
      }
      return sum;
    };
    super((x, own) => tf.mul(x, numbers(own)), 2);
  }
}

/** Has a property that a loop does not show, and its class one that it shows. */
class Odd extends Summing {
  nothing = undefined;
  constructor() {
    super();
    Object.defineProperty(this, "hidden", { value: 1, configurable: true, writable: true });
  }
}
Object.assign(Odd.prototype, { ofClass: 1 });

onEveryBackend("What a model goes by beside its parameters, compiled", (_, tolerance) => {
  for (const [type, [what, change]] of [Summing, Odd].flatMap((one) =>
    PROPERTIES.map((p) => [one, p] as const),
  )) {
    it(`a property ${what} is noticed (${type.name})`, async () => {
      const model = new type() as Summing & Record<string, unknown>;
      const x = nn.randn(2, 4);
      const fast = await compile(model, x);
      const before = model(x);
      expectSame(fast(x), before, tolerance, "before");
      change(model);
      const after = model(x);
      expect(after.dataSync()).not.to.deep.equal(before.dataSync());
      expectSame(fast(x), after, tolerance, "after");
      expect(fast.explain().compiled, fast.explain().reason ?? "").to.equal(true);
    });
  }

  it("a weight to which there are millions of ways is computed, and followed", async () => {
    class Residual extends nn.Module {
      readonly weight = new nn.Parameter(nn.randn(4, 4));

      override forward(x: tf.Tensor): tf.Tensor {
        let y: tf.Tensor = this.weight;
        for (let i = 0; i < 26; i += 1) y = tf.add(y, tf.mul(tf.tanh(y), -0.5));
        return tf.matMul(x, y);
      }
    }
    const model = new Residual();
    const x = nn.randn(2, 4);
    const fast = await compile(model, x);
    expect(fast.explain().compiled, fast.explain().reason ?? "").to.equal(true);
    expectSame(fast(x), model(x), tolerance, "before");
    model.weight.assign(nn.randn(4, 4));
    expectSame(fast(x), model(x), tolerance, "after");
  }).timeout(30_000);

  it("parameters that have no values yet are noticed once they have", async () => {
    const model = nn.meta(() => new nn.Linear(4, 3));
    const x = nn.randn(2, 4);
    const fast = await compile(model, x);
    expect(() => fast(x)).to.throw(/no values yet/);
    model.loadStateDict({ weight: nn.randn(3, 4), bias: nn.randn(3) });
    expectSame(fast(x), model(x), tolerance, "loaded");
    expect(fast.explain().compiled, fast.explain().reason ?? "").to.equal(true);
  });

  it("hooks are noticed whenever they come and go", async () => {
    const model = new Going((x) => x);
    const x = nn.randn(2, 4);
    const fast = await compile(model, x);
    for (let i = 0; i < 2; i += 1) {
      const handles = [model.registerForwardPreHook(() => {}), model.linear.registerForwardHook(() => tf.ones([1]))]; // prettier-ignore
      for (const handle of handles) {
        expectSame(fast(x), model(x), tolerance, "with a hook");
        expect(fast.explain().reason).to.match(/hooks/);
        handle.remove();
      }
      expectSame(fast(x), model(x), tolerance, "without");
      expect(fast.explain().compiled).to.equal(true);
    }
  });

  for (const [what, run, make, change] of DATA) {
    it(`${what} is noticed when it changes`, async () => {
      const by = make();
      const model = new Going(run, by);
      const x = nn.randn(2, 4);
      const fast = await compile(model, x);
      expect(fast.explain().compiled, fast.explain().reason ?? "").to.equal(true);
      const before = model(x);
      expectSame(fast(x), before, tolerance, "before");
      change(by as never);
      const after = model(x);
      expect(after.dataSync()).not.to.deep.equal(before.dataSync());
      expectSame(fast(x), after, tolerance, "after");
      expect(fast.explain().compiled, fast.explain().reason ?? "").to.equal(true);
    });
  }

  it("the weights of a model that a plain function calls are followed, and its mode", async () => {
    const model = new nn.Sequential(new nn.Linear(4, 50), new nn.Dropout());
    const run = (x: T): T => tf.neg(model(x));
    const x = nn.randn(2, 4);
    const fast = await compile(run, x);
    expect(fast.explain().compiled).to.equal(true);
    model.loadStateDict(new Map([...model.stateDict()].map(([k, v]) => [k, tf.onesLike(v)])));
    expectSame(fast(x), run(x), tolerance, "new weights");
    model.train();
    expect(fast(x).dataSync()).to.satisfy((ys: Float32Array) => ys.includes(-0));
    expect(fast.explain().reason).to.match(/training/);
    model.eval();
    expectSame(fast(x), run(x), tolerance, "again");
    expect(fast.explain().compiled).to.equal(true);
  });

  for (const how of [nn.utils.weightNorm, nn.utils.parametrizations.weightNorm]) {
    it(`what a weight is computed of is followed (${how.name})`, async () => {
      const model = how(new nn.Linear(4, 3));
      const x = nn.randn(2, 4);
      const fast = await compile(model, x);
      for (let i = 0; i < 2; i += 1) {
        expectSame(fast(x), model(x), tolerance, `round ${i}`);
        expect(fast.explain().compiled, fast.explain().reason ?? "").to.equal(true);
        for (const parameter of model.parameters()) parameter.assign(nn.randn(parameter.shape));
      }
    });
  }

  it("an argument that is a weight, or another tensor of the model, is an argument", async () => {
    const model = new Going((x, own) => tf.add(x, tf.sub(own.linear.weight, own.by as T)), nn.randn(4, 4)); // prettier-ignore
    const { weight } = model.linear;
    for (const given of [weight, model.by] as T[]) {
      const fast = await compile(model, given);
      for (const x of [given, nn.randn(4, 4)]) expectSame(fast(x), model(x), tolerance, "given");
      expect(fast.explain().compiled).to.equal(true);
    }
  });
});
