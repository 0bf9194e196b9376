import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { compiled } from "../support/compiled.js";
import { expectNoLeak } from "../support/expect.js";
import { readGoldens } from "../support/goldens.js";
import { attempt, expectSame } from "../support/graphs.js";
import { onEveryModule } from "../support/module-cases.js";
import { TOLERANCE } from "../support/backends.js";

const CLOSE = TOLERANCE.cpu;

describe("compile", () => {
  before(() => nn.setBackend("cpu"));

  const makeMlp = (): nn.Sequential =>
    new nn.Sequential(new nn.Linear(5, 9), new nn.ReLU(), new nn.Linear(9, 3), new nn.Sigmoid());

  it("gives what the model gives, for any batch, and leaves no tensor", async () => {
    const model = makeMlp();
    const fast = await nn.compile(model, tf.zeros([1, 5]));
    expect(fast.explain().compiled, String(fast.explain())).to.be.true;
    for (const batch of [1, 2, 7, 64]) {
      const x = nn.randn(batch, 5);
      expectSame(fast(x), model(x), CLOSE, `batch ${batch}`);
      expectNoLeak(() => fast(x).dispose());
      x.dispose();
    }
    expect(fast.graph!.nodes.map(({ target }) => target)).to.include("prim.linear");
    fast.dispose();
    expect(() => fast(tf.zeros([1, 5]))).to.throw("disposed");
  });

  it("multiplies what no input reaches, once", async () => {
    class Relative extends nn.Module {
      readonly positions = new nn.Parameter(nn.randn(4, 5));
      readonly query = new nn.Linear(5, 3);
      readonly key = new nn.Linear(5, 3);

      override forward(x: tf.Tensor): tf.Tensor {
        return tf.add(tf.add(x, this.query(this.positions)), this.key(this.positions));
      }
    }
    const model = new Relative();
    const x = nn.randn(4, 3);
    const fast = await nn.compile(model, x);
    expect(fast.explain().compiled, String(fast.explain())).to.be.true;
    expectSame(fast(x), model(x), CLOSE, "output");
    fast.dispose();
  });

  it("sees new values of parameters, new layers, modes and hooks", async () => {
    const model = makeMlp();
    const fast = await nn.compile(model, tf.zeros([1, 5]));
    const x = nn.randn(2, 5);
    const same = (what: string): void => expectSame(fast(x), model(x), CLOSE, what);
    const state = new Map([...model.stateDict()].map(([key, { shape }]) => [key, nn.randn(shape)]));
    model.loadStateDict(state);
    same("after loadStateDict");
    (model as unknown as Record<string, nn.Module>)["1"] = new nn.Tanh();
    same("after a layer was replaced");
    expect(fast.explain().compiled).to.be.true;
    const seen: string[] = [];
    const handle = model.registerForwardHook(() => void seen.push("hook"));
    fast(x);
    expect(seen).to.deep.equal(["hook"]);
    handle.remove();
    model.train();
    same("in training mode");
    model.eval();
    same("in eval mode again");
  });

  it("throws the model's own errors, and runs what cannot be traced as it is", async () => {
    const model = makeMlp();
    const fast = await nn.compile(model, tf.zeros([1, 5]));
    expect(() => fast(tf.zeros([1, 4]))).to.throw("mat1 and mat2 shapes cannot be multiplied");
    const branch = (x: tf.Tensor): tf.Tensor => (tf.sum(x).dataSync()[0]! > 0 ? x : tf.neg(x));
    const eager = await nn.compile(branch, tf.ones([2]));
    expect(eager.explain().reason).to.contain("reads the values of a tensor");
    expect(Array.from(eager(tf.tensor([-1, -2])).dataSync())).to.deep.equal([1, 2]);
  });

  it("gives nested results, inputs and weights that pass through as tensors of their own", async () => {
    const weight = new nn.Parameter(tf.ones([2]));
    const model = new (class extends nn.Module {
      readonly weight = weight;
      override forward(x: tf.Tensor, { add }: { add: tf.Tensor }): object {
        const y = tf.add(x, add);
        return { y, list: [x, y, null], weight: this.weight, doubled: tf.mul(this.weight, 2) };
      }
    })();
    const [x, add] = [tf.ones([2]), tf.tensor([1, 2])];
    const fast = await compiled(model, [x, { add }]);
    const result = fast(x, { add }) as { y: tf.Tensor; list: tf.Tensor[]; weight: tf.Tensor };
    expectSame(result, model(x, { add }), CLOSE, "result");
    tf.dispose(result);
    expect(weight.isDisposed || x.isDisposed).to.be.false;
  });

  it("keeps few plans, and its memory does not grow with calls", async () => {
    const model = makeMlp();
    const fast = await compiled(model, tf.zeros([1, 5]), { plans: 2 });
    for (const batch of [1, 2, 3, 1, 2, 3]) {
      const x = nn.randn(batch, 5);
      expectSame(fast(x), model(x), CLOSE, `batch ${batch}`);
    }
    const before = tf.memory().numTensors;
    const x = nn.randn(3, 5);
    for (let i = 0; i < 1000; i += 1) fast(x).dispose();
    x.dispose();
    expect(tf.memory().numTensors).to.equal(before);
  });

  it("keeps plans of as many shapes as texts have lengths, fewer where each keeps textures", async () => {
    let traces = 0;
    const twice = (x: tf.Tensor): tf.Tensor => {
      traces += 1;
      return tf.mul(x, 2);
    };
    const fast = await compiled(twice, tf.zeros([1]));
    const lengths = Array.from({ length: 32 }, (_, i) => i + 1);
    for (let round = 0; round < 2; round += 1) {
      for (const length of lengths) tf.tidy(() => void fast(tf.zeros([length])));
    }
    // The one that was not used for longest goes, so in turns fewer plans serve nobody.
    expect(traces).to.equal(tf.getBackend() === "webgl" ? 64 : 32);
    fast.dispose();
  });

  it("computes on several threads, where it can, and gives the same", async () => {
    const model = makeMlp();
    const fast = await nn.compile(model, tf.zeros([1, 5]), { threads: 2 });
    const x = nn.randn(64, 5);
    for (let i = 0; i < 10; i += 1) expectSame(fast(x), model(x), CLOSE, `run ${i}`);
    fast.dispose();
    expect(() => nn.setThreads(0)).to.throw("setThreads: expects a positive integer, got 0");
  });

  it("leaves the table of an embedding where it is, and reads its new rows", async () => {
    const model = new nn.Embedding(5000, 40);
    const ids = tf.tensor([4999, 0, 7], [3], "int32");
    const fast = await nn.compile(model, ids);
    expect(fast.explain().weightBytes).to.equal(0);
    expectSame(fast(ids), model(ids), CLOSE, "as it was");
    model.weight.assign(nn.randn(5000, 40));
    expectSame(fast(ids), model(ids), CLOSE, "assigned anew");
    const wrong = tf.tensor([5000], [1], "int32");
    expect(() => fast(wrong)).to.throw("index out of range in self: got 5000");
  });

  it("packs weights that are larger than a piece", async () => {
    nn.manualSeed(3);
    const linear = new nn.Linear(700, 147);
    const rows = nn.randn(5, 700);
    expectSame((await compiled(linear, rows))(rows), linear(rows), CLOSE, "linear");
    for (const groups of [1, 2]) {
      const conv = new nn.Conv2d(62, 78, 3, { padding: 1, groups });
      const image = nn.randn(1, 62, 13, 11);
      expectSame((await compiled(conv, image))(image), conv(image), CLOSE, `${groups} groups`);
    }
  });

  it("keeps weights narrow, for half or a quarter of the memory", async () => {
    const model = new nn.Sequential(new nn.Linear(64, 96), new nn.GELU(), new nn.Linear(96, 32));
    const x = nn.randn(5, 64);
    const want = model(x);
    const bytes = async (precision: nn.Precision, most: number): Promise<number> => {
      const fast = await nn.compile(model, x, { precision });
      expectSame(fast(x), want, { rtol: 0, atol: most }, precision);
      model.loadStateDict(model.stateDict());
      expectSame(fast(x), want, { rtol: 0, atol: most }, `${precision}, packed again`);
      const { weightBytes } = fast.explain();
      fast.dispose();
      return weightBytes;
    };
    const whole = await bytes("float32", 1e-5);
    expect((await bytes("float16", 2e-3)) / whole).to.be.within(0.5, 0.53);
    expect((await bytes("bfloat16", 1e-2)) / whole).to.be.within(0.5, 0.53);
    expect((await bytes("int8", 2e-2)) / whole).to.be.within(0.25, 0.29);
  });

  it("says early what is wrong with its arguments", async () => {
    const model = makeMlp();
    const refused = async (args: unknown[], message: string): Promise<void> => {
      const error = await (nn.compile as (...all: unknown[]) => Promise<unknown>)(...args).then(
        () => null,
        (reason: Error) => reason,
      );
      expect(error?.message).to.contain(message);
    };
    const x = tf.zeros([1, 5]);
    await refused([model], "compile: expected example inputs");
    await refused([{}, x], "compile: expected a module or a function, got an object");
    await refused([model, x, { precison: "int8" }], "unexpected option 'precison'; known options: threads, precision"); // prettier-ignore
    await refused([model, x, { precision: "int4" }], 'unknown precision "int4"; known ones: float32, float16, bfloat16, int8'); // prettier-ignore
    await refused([model, x, { threads: 0 }], "threads: expects a positive integer, got 0");
    await refused([model, x, { plans: 0 }], "plans: expects a positive integer");
    await refused([model, x, { onProgress: 1 }], "onProgress: expects a function");
    const inOneList = "several arguments of a call go in one list, as in nn.compile(model, [x, y])";
    await refused([model, x, x], inOneList);
    await refused([model, x, x, x], inOneList);
    await refused([model, x, [x]], inOneList);
    await refused([model, x, { mask: x }], inOneList);
  });

  it("profiles by node and by module", async () => {
    const model = makeMlp();
    const fast = await nn.compile(model, tf.zeros([1, 5]));
    const profile = fast.profile(tf.zeros([4, 5]));
    expect(profile.rows.map(({ kernel }) => kernel)).to.deep.equal(["linear", "linear"]);
    expect([...profile.modules.keys()]).to.include.members(["", "0", "2"]);
    expect(String(profile)).to.contain("GFLOP/s");
  });
});

/** What has no kernel: rare, or not worth one. */
const WITHOUT_REASON = /^(an empty tensor|the batch's own statistics|no dimension|maxNorm)$/;

const goldens = await readGoldens("goldens/modules");

/** The arguments of a call with more, or fewer, of the first dimension. */
function ofBatch(value: unknown, change: (x: tf.Tensor) => tf.Tensor): unknown {
  if (value instanceof tf.Tensor)
    return value.rank > 0 && value.size > 0 ? change(value as tf.Tensor) : value;
  return Array.isArray(value) ? value.map((one: unknown) => ofBatch(one, change)) : value;
}

const SIZES: [string, (x: tf.Tensor) => tf.Tensor][] = [
  ["the first alone", (x) => tf.slice(x, x.shape.map(() => 0), [1, ...x.shape.slice(1)])],
  ["twice", (x) => tf.concat([x, x], 0)],
  ["three times", (x) => tf.concat([x, x, x], 0)],
]; // prettier-ignore

describe("PyTorch's module cases, compiled", () => {
  before(() => nn.setBackend("cpu"));
  const counts = { compiled: 0, eager: 0 };
  after(() => console.log(`\n${counts.compiled} cases compiled, ${counts.eager} left to eager`));

  onEveryModule(goldens, CLOSE, async ({ model, args }, { id }) => {
    const fast = await nn.compile(model, args);
    const output: unknown = fast(...(args as never[]));
    const { compiled, fallbacks } = fast.explain();
    counts[compiled ? "compiled" : "eager"] += 1;
    const others = fallbacks.filter(({ reason }) => !WITHOUT_REASON.test(reason));
    expect(others, `${id}: what has a kernel`).to.deep.equal([]);
    fast.dispose();
    return output;
  });

  const sizes = { same: 0, refused: 0 };
  after(() =>
    console.log(`\n${sizes.same} other sizes compared, ${sizes.refused} refused by both`),
  );

  onEveryModule(
    goldens,
    CLOSE,
    async ({ model, args }, { id }) => {
      const threads = 1 + ((sizes.same + sizes.refused) % 3);
      const fast = await nn.compile(model, args, { threads });
      const call = fast as unknown as (...all: unknown[]) => tf.TensorContainer;
      for (const [what, change] of SIZES) {
        tf.tidy(() => {
          const changed = args.map((arg) => ofBatch(arg, change));
          const want = attempt(model as never, changed);
          for (let run = 0; run < threads; run += 1) {
            const got = attempt(call, changed);
            expect(got.error, `${id}, ${what}`).to.equal(want.error);
            // What draws gives something else each time.
            if (got.error === undefined && fast.explain().compiled) {
              expectSame(got.value, want.value, CLOSE, `${id}, ${what}, ${threads} threads`);
            }
          }
          sizes[want.error === undefined ? "same" : "refused"] += 1;
        });
      }
      const output = call(...args);
      fast.dispose();
      return output;
    },
    "at other sizes, on several threads,",
  );
});
