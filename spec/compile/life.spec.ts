import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { attributesOf } from "../../lib/compile/guard.js";
import { DECOMPOSED, optimise } from "../../lib/compile/passes/index.js";
import { Arena } from "../../lib/compile/plan/arena.js";
import { createEngine } from "../../lib/compile/plan/engine.js";
import { Weights } from "../../lib/compile/plan/weights.js";
import { record } from "../../lib/compile/trace.js";
import * as nn from "../../lib/index.js";
import { createHeap, type Heap } from "../../lib/kernels/cpu/index.js";
import { compiled } from "../support/compiled.js";
import { expectSame } from "../support/graphs.js";
import { usedOf } from "../support/kernels.js";

const F = nn.functional;
const CLOSE = { rtol: 1e-4, atol: 1e-5 };

/** Resolves when what is loaded on the way is there. */
const loaded = async (): Promise<void> => {
  await import("../../lib/kernels/cpu/program.js");
  await new Promise((resolve) => setTimeout(resolve, 10));
};

const make = (): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv1d(3, 8, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(32, 5),
  );

/** With the weights of a small layer, and what asks for them, by what makes them. */
function withWeights(
  run: (model: nn.Linear, weights: Weights, ask: (fill: () => void) => void) => void,
): void {
  const model = new nn.Linear(2, 2);
  const heap = createHeap();
  const weights = new Weights(heap, attributesOf(model));
  const { graph, dispose } = record(model, [tf.ones([1, 2])], DECOMPOSED);
  const nodes = graph.nodes.filter(({ kind }) => kind === "get_attr");
  run(model, weights, (fill) => void weights.block("packed", graph, nodes, 16, fill));
  heap.dispose();
  dispose();
  model.dispose();
}

describe("The life of a compiled model", () => {
  before(() => nn.setBackend("cpu"));
  beforeEach(() => void nn.manualSeed(0));

  for (const threads of [1, 2]) {
    it(`gives back every byte and tensor, for ${threads} threads`, async () => {
      const before = tf.memory().numTensors;
      const model = make();
      const engine = createEngine(model, threads);
      const { heap } = engine as unknown as { heap: Heap };
      const used: number[] = [];
      for (const batch of [1, 4, 2]) {
        const x = nn.randn(batch, 3, 4);
        const { graph, dispose } = record(model, [x], DECOMPOSED);
        dispose();
        const plan = engine.plan(optimise(graph));
        await engine.ready();
        const run = (): void => tf.dispose(plan.execute([x])(plan.graph.output!.inputs()[0]!));
        for (let i = 0; i < 4; i += 1) run();
        used.push(usedOf(heap));
        engine.release(plan);
        x.dispose();
      }
      expect(used[2], "a smaller batch needs no more").to.be.at.most(used[1]! * 1.5);
      model.dispose();
      engine.dispose();
      expect(heap.memory).to.equal(undefined);
      expect(tf.memory().numTensors - before).to.equal(0);
    });
  }

  it("goes on with other memory after there was not enough", () => {
    const heap = createHeap();
    const arena = new Arena(heap);
    arena.reserve(1000);
    expect(() => arena.reserve(5e9)).to.throw(RangeError);
    const weights = heap.alloc(500);
    const place = arena.reserve(1000);
    expect(place >= weights + 500 || place + 1000 <= weights).to.equal(true);
    expect(() => arena.reserve(2000)).not.to.throw();
    heap.dispose();
  });

  it("makes weights again for which there was not enough memory on the way", () => {
    withWeights((_model, _weights, ask) => {
      const made: number[] = [];
      const fail = (): never => {
        throw new RangeError("no more");
      };
      expect(() => ask(fail)).to.throw(RangeError);
      for (let i = 0; i < 2; i += 1) ask(() => made.push(i));
      expect(made).to.deep.equal([0]);
    });
  });

  it("does not run by old weights after there was not enough memory for new ones", () => {
    withWeights((model, weights, ask) => {
      let isEnough = true;
      ask(() => {
        if (!isEnough) throw new RangeError("no more");
      });
      expect(weights.refresh()).to.equal(true);
      isEnough = false;
      model.weight.assign(tf.zeros([2, 2]));
      expect(() => weights.refresh()).to.throw(RangeError);
      expect(weights.refresh()).to.equal(false);
    });
  });

  it("does not grow over 1,000 runs of more shapes than it keeps plans of", async () => {
    const model = make();
    const inputs = Array.from({ length: 6 }, (_, i) => nn.randn(i + 1, 3, 4));
    const fast = await nn.compile(model, inputs[0]!, { plans: 3 });
    const memory = (): unknown[] => {
      for (const x of inputs) fast(x).dispose();
      const { arenaBytes, weightBytes } = fast.explain();
      return [tf.memory().numTensors, arenaBytes, weightBytes];
    };
    const before = memory();
    for (let i = 0; i < 1000; i += 1) fast(inputs[i % 2]!).dispose();
    expect(memory()).to.deep.equal(before);
    fast.dispose();
  });

  it("gives the same after many calls, with new weights and after shapes that need more memory", async () => {
    const model = new nn.Sequential(new nn.Linear(6, 8), new nn.GELU(), new nn.LSTM(8, 8));
    const run = (x: tf.Tensor): tf.Tensor => (model(x) as unknown as [tf.Tensor])[0];
    const fast = await nn.compile(run, nn.randn(2, 3, 6));
    const call = async (times: number, ...shape: number[]): Promise<void> => {
      for (let i = 0; i < times; i += 1) {
        const x = nn.randn(...shape);
        if (i % 10 === 9) expectSame(fast(x), run(x), CLOSE, `call ${i} of ${shape.join()}`);
        else tf.dispose([fast(x), x]);
        if (i === 20) await loaded(); // what makes many calls cheaper
      }
    };
    await call(40, 2, 3, 6);
    for (const parameter of model.parameters()) parameter.assign(nn.randn(parameter.shape));
    await call(10, 2, 3, 6);
    await call(40, 30, 5, 6);
    await call(40, 2, 3, 6);
    expect(fast.explain().compiled).to.equal(true);
    fast.dispose();
  });

  it("lets go of the plan that was not used for longest", async () => {
    let traces = 0;
    const run = (x: tf.Tensor): tf.Tensor => {
      traces += 1;
      return tf.neg(x);
    };
    const fast = await compiled(run, tf.zeros([1]), { plans: 3 });
    const traced = (...sizes: number[]): boolean[] =>
      sizes.map((size) => {
        const before = traces;
        expect(fast(tf.fill([size], 2)).dataSync()).to.deep.equal(new Float32Array(size).fill(-2));
        return traces > before;
      });
    expect(traced(1, 2, 3, 1, 2, 3)).to.deep.equal([false, true, true, false, false, false]);
    expect(traced(1, 4)).to.deep.equal([false, true]); // in the place of 2
    expect(traced(3, 1, 4, 2, 4, 1, 3)).to.deep.equal([false, false, false, true, false, false, true]); // prettier-ignore
    fast.dispose();
  });

  it("answers calls that are under way together, each with its own numbers", async () => {
    const model = make();
    const inputs = Array.from({ length: 5 }, (_, i) => nn.randn((i % 3) + 1, 3, 4));
    const fast = await compiled(model, inputs[0]!);
    const running = inputs.map((x) => fast.run(x));
    const between = fast(inputs[1]!);
    const results = [...(await Promise.all(running)), between];
    [...inputs, inputs[1]!].forEach((x, i) => expectSame(results[i], model(x), CLOSE, `call ${i}`));
    fast.dispose();
  });

  it("goes on after calls that fail on the way, on several threads", async () => {
    class Picked extends nn.Module {
      readonly before = new nn.Linear(4, 4);
      readonly table = new nn.Embedding(9, 4);
      readonly after = new nn.Linear(4, 40);
      override forward(x: tf.Tensor, ids: tf.Tensor): tf.Tensor {
        return this.after(F.relu(tf.add(this.before(x), this.table(ids))));
      }
    }
    const model = new Picked();
    const x = nn.randn(3, 4);
    const [ids, wrong] = [
      [8, 0, 3],
      [1, 9, 2],
    ].map((list) => tf.tensor(list, [3], "int32"));
    const fast = await nn.compile(model, [x, ids!], { threads: 2 });
    // The first runs are shared among threads and not, in turn.
    for (let run = 0; run < 6; run += 1) {
      for (let i = 0; i < 2; i += 1) expectSame(fast(x, ids!), model(x, ids!), CLOSE, `run ${run}`);
      expect(() => fast(x, wrong!)).to.throw("index out of range in self: got 9");
    }
    expectSame(fast(x, ids!), model(x, ids!), CLOSE, "the last run");
    fast.dispose();
  });

  it("may be a part of another one, also of one that is compiled", async () => {
    const [inner, x] = [make(), nn.randn(2, 3, 4)];
    const fast = await nn.compile(inner, x);
    const outer = (one: tf.Tensor): tf.Tensor => tf.add(fast(one), fast(tf.neg(one)));
    const both = await nn.compile(outer, x);
    expect(both.explain().fallbacks).to.deep.equal([]);
    expect(both.explain().compiled, String(both.explain())).to.equal(true);
    const y = nn.randn(2, 3, 4);
    const want = tf.add(inner(y), inner(tf.neg(y)));
    expectSame(both(y), want, CLOSE, "outer");
    expectSame(fast(y), inner(y), CLOSE, "inner");
  });

  it("is called by its own forward as the model", async () => {
    class Twice extends nn.Module {
      readonly layer = new nn.Linear(3, 3);
      again: ((x: tf.Tensor) => tf.Tensor) | null = null;
      override forward(x: tf.Tensor, depth = 0): tf.Tensor {
        const y = this.layer(x);
        return this.again && depth > 0 ? this.again(y) : y;
      }
    }
    const model = new Twice();
    const x = nn.randn(2, 3);
    const fast = await compiled(model, [x, 1]);
    model.again = (y) => fast(y, 0);
    expectSame(fast(x, 1), model.layer(model.layer(x)), CLOSE, "twice");
  });

  it("says why the last call ran eagerly", async () => {
    const model = make();
    const x = nn.randn(1, 3, 4);
    const fast = await nn.compile(model, x);
    expect(fast.explain().reason).to.equal(null);
    const handle = model.registerForwardHook(() => undefined);
    fast(x);
    expect(fast.explain().reason).to.match(/hook/);
    handle.remove();
    fast(x);
    expect(fast.explain().reason).to.equal(null);
    model.train();
    fast(x);
    expect(fast.explain().reason).to.equal("the model is in training mode");
  });

  it("never gives stale numbers, however weights get new ones", async () => {
    const model = make();
    const layer = model[3] as nn.Linear;
    const x = nn.randn(2, 3, 4);
    const fast = await compiled(model, x);
    const changes: [string, () => void][] = [
      ["init", () => void nn.init.constant_(layer.weight, 0.25)],
      ["assign", () => layer.bias!.assign(tf.ones([5]))],
      ["another parameter", () => void ((layer as { weight: nn.Parameter }).weight = new nn.Parameter(nn.randn(5, 32)))],
      ["loadStateDict", () => void model.loadStateDict(make().stateDict())],
      ["resetParameters", () => layer.resetParameters()],
    ]; // prettier-ignore
    for (const [what, change] of changes) {
      const before = fast(x);
      change();
      const after = fast(x);
      expectSame(after, model(x), CLOSE, what);
      expect(Array.from(after.dataSync()), what).not.to.deep.equal(Array.from(before.dataSync()));
    }
    fast.dispose();
  });

  it("never gives stale numbers where new ones do not fit what was packed, and a shape is new", async () => {
    const layer = new nn.Linear(3, 2);
    const fast = await compiled(layer, nn.randn(1, 3), { precision: "float16" });
    layer.weight.assign(tf.fill([2, 3], 1e6)); // beyond float16
    const x = tf.ones([2, 3]);
    for (const what of ["at first", "again"]) expectSame(fast(x), layer(x), CLOSE, what);
    fast.dispose();
  });

  it("folds statistics that were cast from integers as the floats they are", async () => {
    const norm = new nn.BatchNorm2d(2);
    norm.running_var!.assign(tf.cast(tf.tensor1d([4, 16], "int32"), "float32"));
    const model = new nn.Sequential(new nn.Conv2d(3, 2, 1), norm).eval();
    const x = nn.randn(1, 3, 2, 2);
    const fast = await nn.compile(model, x);
    expectSame(fast(x), model(x), CLOSE, "compiled");
    fast.dispose();
  });

  it("leaves properties as they were, where a trace took one away and made another", async () => {
    class Renames extends nn.Module {
      before?: number = 2;
      after?: number;

      override forward(x: tf.Tensor): tf.Tensor {
        const by = this.before ?? this.after!;
        delete this.before;
        Object.assign(this, { another: by });
        return tf.mul(x, by);
      }
    }
    const model = new Renames();
    const fast = await nn.compile(model, tf.ones([2]));
    expect(model).to.include({ before: 2 }).and.not.to.have.property("another");
    fast.dispose();
  });
});
