import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as F from "../../lib/functional/index.js";
import * as nn from "../../lib/index.js";
import { BACKENDS, onEveryBackend } from "../support/backends.js";
import { expectSame } from "../support/graphs.js";

type T = tf.Tensor;
type Fast = ((...args: unknown[]) => T) & {
  explain(): { compiled: boolean; reason: string | null };
};

let made: nn.Compiled[] = [];
afterEach(() => {
  for (const one of made) one.dispose();
  made = [];
});

async function compile(model: nn.Traceable, ...args: unknown[]): Promise<Fast> {
  const fast = await nn.compile(model, args);
  made.push(fast);
  return fast;
}

/** A model of one layer, with whatever data it goes by. */
class Going extends nn.Module {
  readonly linear = new nn.Linear(4, 4);
  constructor(
    readonly run: (x: T, own: Going) => T,
    public by?: unknown,
  ) {
    super();
  }
  override forward(x: T): T {
    return this.run(this.linear(x), this);
  }
}

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
      let sum = (name || 1) * (length + 1) * hidden;
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

onEveryBackend("Numbers that weights cannot take, compiled", (_, tolerance) => {
  const factors: [string, (x: T) => T, ((x: T) => T)?][] = [
    ["times infinity", (x) => tf.mul(x, Infinity)],
    // GPUs divide by reciprocals: eagerly that of 1e38 is 0 there.
    ["over 1e-38", (x) => tf.mul(tf.div(x, 1e38), 1e38), (x) => x],
  ];
  for (const [what, run, same = run] of factors) {
    it(`a product ${what}`, async () => {
      nn.manualSeed(3);
      const model = new Going(run);
      model.linear.weight.assign(tf.mul(model.linear.weight, 20));
      const x = nn.randn(3, 4);
      const fast = await compile(model, x);
      expectSame(fast(x), same(model.linear(x)), tolerance, what);
    });
  }
});

/** tfjs' wasm backend has none. */
const WITH_COMPLEX = BACKENDS.filter((backend) => backend !== "wasm");

onEveryBackend(
  "Complex numbers, compiled",
  (_, tolerance) => {
    it("complex numbers run eagerly", async () => {
      const run = (x: T): T => tf.abs(tf.spectral.rfft(x));
      const x = nn.randn(2, 8);
      const fast = await compile(run, x);
      expect(fast.explain().reason).to.match(/complex/);
      expectSame(fast(x), run(x), tolerance, "rfft");
      const given = tf.complex(x, x);
      const real = await compile((y: T) => tf.real(y), given);
      expectSame(real(given), x, tolerance, "real");
    });
  },
  WITH_COMPLEX,
);

onEveryBackend("NaN that meets a fused ReLU, compiled", (_, tolerance) => {
  it("stays", async () => {
    const model = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), new nn.Linear(8, 8), new nn.ReLU6()); // prettier-ignore
    const x = tf.tensor2d([NaN, 1, 2, 3], [2, 2]);
    const fast = await compile(model, x);
    expect(Array.from(fast(x).dataSync()).slice(0, 8)).to.deep.equal(new Array(8).fill(NaN));
    expectSame(fast(x), model(x), tolerance, "ReLU");
  });
});

onEveryBackend("What belongs to a model, or to its caller, compiled", (_, tolerance) => {
  const x = (): T => tf.tensor1d([1, 2]);

  it("a tensor of the model that it returns stays the model's", async () => {
    const mask = tf.tensor1d([1, 0]);
    const model = new Going((y) => tf.concat([tf.reshape(y, [-1]), mask]), mask);
    const own = (y: T): T[] => [tf.mul(y, mask), mask];
    const fast = await nn.compile(own, x());
    made.push(fast);
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

  it("a quotient by 0 is infinite", async () => {
    const given = nn.randn(2, 4);
    const values = given.dataSync();
    for (const zero of [0, -0]) {
      const fast = await compile((y: T) => tf.div(y, zero), given);
      expect([...fast(given).dataSync()]).to.deep.equal([...values].map((y) => y / zero));
    }
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
