import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { optimise, DECOMPOSED } from "../../lib/compile/passes/index.js";
import { record } from "../../lib/compile/trace.js";
import { createWebglEngine } from "../../lib/compile/webgl/engine.js";
import * as nn from "../../lib/index.js";
import { compiled } from "../support/compiled.js";
import { expectClose, expectNoLeak } from "../support/expect.js";
import { TOLERANCE } from "../support/backends.js";
import { readGoldens } from "../support/goldens.js";
import { expectSame } from "../support/graphs.js";
import { hasModule, ModuleCases } from "../support/module-cases.js";
import { inBrowser } from "../support/files.js";

const goldens = await readGoldens("goldens/modules");

// There is WebGL in browsers only.
if (inBrowser) {
  describe("compile on webgl", () => {
    before(() => nn.setBackend("webgl"));
    const CLOSE = TOLERANCE.webgl;

    const makeNet = (): nn.Sequential =>
      new nn.Sequential(
        new nn.Conv2d(3, 8, 3, { padding: 1 }),
        new nn.BatchNorm2d(8),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.Flatten(),
        new nn.Linear(8 * 16, 5),
      );

    it("gives what the model gives, for any batch, now and later, and leaves no tensor", async () => {
      const model = makeNet();
      const fast = await nn.compile(model, tf.zeros([1, 3, 8, 8]));
      expect(String(fast.explain())).to.equal("5 kernel calls, 0 of them tfjs ops");
      for (const batch of [1, 3]) {
        const x = nn.randn(batch, 3, 8, 8);
        expectSame(fast(x), model(x), CLOSE, `batch ${batch}`);
        expectNoLeak(() => fast(x).dispose());
        expectSame(await fast.run(x), model(x), CLOSE, `batch ${batch}, later`);
        x.dispose();
      }
      expect(fast.profile(nn.randn(1, 3, 8, 8)).rows).to.have.lengthOf(5);
      const x = nn.randn(1, 3, 8, 8);
      const results = await Promise.all([1, 2, 3].map((n) => fast.run(tf.mul(x, n))));
      results.forEach((y, i) => expectSame(y, model(tf.mul(x, i + 1)), CLOSE, `frame ${i}`));
      fast.dispose();
      model.dispose();
    });

    it("refuses indices and offsets of bags as eager does", async () => {
      const model = new nn.EmbeddingBag(5, 3);
      const ints = (...values: number[]): tf.Tensor => tf.tensor1d(values, "int32");
      const run = (x: tf.Tensor, offsets: tf.Tensor): tf.Tensor => model(x, { offsets });
      const fast = await nn.compile(run, [ints(1, 2, 3), ints(0, 2)]);
      expect(String(fast.explain())).to.equal("1 kernel calls, 0 of them tfjs ops");
      expectSame(fast(ints(4, 0, 2), ints(0, 1)), run(ints(4, 0, 2), ints(0, 1)), CLOSE, "good");
      expect(() => fast(ints(4, 5, 2), ints(0, 1))).to.throw("index out of range in self: got 5");
      expect(() => fast(ints(4, 1, 2), ints(1, 2))).to.throw("offsets[0] has to be 0");
      expect(() => fast(ints(4, 1, 2), ints(0, 4))).to.throw(
        "can not be greater than input's length",
      );
      fast.dispose();
      model.dispose();
    });

    it("finishes calls that are under way when their plan makes room, or the model is disposed", async () => {
      const model = makeNet();
      const fast = await nn.compile(model, tf.zeros([1, 3, 8, 8]), { plans: 1 });
      const inputs = [1, 2, 3, 1].map((batch) => nn.randn(batch, 3, 8, 8));
      const runs = inputs.map((x) => fast.run(x));
      fast.dispose();
      expect(() => fast(inputs[0]!)).to.throw("this compiled model is disposed");
      for (const [i, y] of (await Promise.all(runs)).entries()) {
        const want = model(inputs[i]!);
        expectSame(y, want, CLOSE, `call ${i}`);
        tf.dispose([y, want]);
      }
      model.dispose();
    });

    it("sees new values of parameters", async () => {
      const model = makeNet();
      const fast = await compiled(model, tf.zeros([1, 3, 8, 8]));
      const x = nn.randn(1, 3, 8, 8);
      fast(x);
      const state = new Map(
        [...model.stateDict()].map(([key, { shape, dtype }]) => [
          key,
          tf.cast(nn.rand(shape), dtype),
        ]),
      );
      model.loadStateDict(state);
      expectSame(fast(x), model(x), CLOSE, "after loadStateDict");
      fast.dispose();
    });

    it("checks indices as eager does", async () => {
      const model = new nn.Sequential(new nn.Embedding(5, 4), new nn.Linear(4, 2));
      const fast = await nn.compile(model, tf.zeros([1, 3], "int32"));
      expect(fast.explain().fallbacks).to.deep.equal([]);
      expect(() => fast(tf.tensor2d([[0, 5, 1]], [1, 3], "int32"))).to.throw("index out of range");
      fast.dispose();
    });

    it("keeps weights in 16 bits on request, save those that overflow them", async () => {
      nn.manualSeed(3);
      const model = new nn.Sequential(new nn.Linear(64, 64), new nn.ReLU(), new nn.Linear(64, 8));
      const x = nn.randn(5, 64);
      const want = model(x);
      const half = await compiled(model, x, { precision: "float16" });
      const got = half(x);
      const error = tf.tidy(() => tf.max(tf.abs(tf.sub(got, want))).dataSync()[0]!);
      expect(error).to.be.within(1e-7, 2e-3); // 11 bits are kept, and no more
      const large = tf.mul(model.stateDict().get("0.weight")!, 1e7);
      model.loadStateDict(new Map([["0.weight", large]]), { strict: false });
      const scale = { rtol: 1e-3, atol: 1e3 };
      expect(half.explain().kept).to.deep.equal([]);
      expectSame(half(x), model(x), scale, "with weights beyond 65504");
      const kept = [{ weight: "0.weight", reason: "it holds numbers beyond ±65504" }];
      expect(half.explain().kept).to.deep.equal(kept);
      model.loadStateDict(new Map([["0.weight", tf.zerosLike(large)]]), { strict: false });
      half(x).dispose();
      expect(half.explain().kept).to.deep.equal([]);
      half.dispose();
      model.dispose();
    });

    it("refuses a precision that the backend has not", async () => {
      const model = new nn.Linear(2, 2);
      let message = "";
      await nn.compile(model, tf.zeros([1, 2]), { precision: "int8" }).catch((error: unknown) => {
        message = (error as Error).message;
      });
      expect(message).to.equal(
        'compile: precision must be "float32" or "float16" on webgl, but got "int8"',
      );
    });

    it("compiles no program of tfjs", async () => {
      const model = makeNet();
      const { drawElements } = WebGL2RenderingContext.prototype; // what tfjs draws with
      let draws = 0;
      WebGL2RenderingContext.prototype.drawElements = function (...args) {
        draws += 1;
        drawElements.apply(this, args);
      };
      try {
        const fast = await compiled(model, tf.zeros([1, 3, 8, 8]));
        expect(draws).to.equal(0);
        fast.dispose();
      } finally {
        WebGL2RenderingContext.prototype.drawElements = drawElements;
      }
      model.dispose();
    });

    it("makes nothing anew in a run", () => {
      const model = makeNet();
      const x = nn.randn(1, 3, 8, 8);
      const engine = createWebglEngine(model);
      const plan = engine.plan(optimise(record(model, [x], DECOMPOSED).graph));
      plan.execute([x])(plan.graph.output!.inputs()[0]!).dispose();
      const { prototype } = WebGL2RenderingContext;
      const names = ["createTexture", "createBuffer", "createFramebuffer", "createProgram", "createShader"] as const; // prettier-ignore
      const before = names.map((name) => prototype[name]);
      let made = 0;
      names.forEach((name) => {
        const create = prototype[name] as (...args: unknown[]) => unknown;
        prototype[name] = function (this: unknown, ...args: unknown[]) {
          made += 1;
          return create.apply(this, args);
        } as never;
      });
      try {
        for (let i = 0; i < 50; i += 1) {
          plan.execute([x])(plan.graph.output!.inputs()[0]!).dispose();
        }
      } finally {
        names.forEach((name, i) => (prototype[name] = before[i] as never));
      }
      expect(made).to.equal(0);
      engine.dispose();
      model.dispose();
    });

    it("keeps nothing of a thousand runs", async function () {
      const { gc } = globalThis as { gc?: () => void };
      // `memory` is what was used when it was read.
      const used = (): number | undefined =>
        (performance as { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize;
      if (!gc || used() === undefined) return this.skip(); // the browser was not started to tell
      const model = makeNet();
      const fast = await compiled(model, tf.zeros([1, 3, 8, 8]));
      const x = nn.randn(1, 3, 8, 8);
      const run = (times: number): number => {
        for (let i = 0; i < times; i += 1) {
          const y = fast(x);
          y.dataSync();
          y.dispose();
        }
        gc();
        return used()!;
      };
      run(1500); // engines compile
      const before = run(100);
      expect(run(1000) - before).to.be.below(64 * 1000);
      fast.dispose();
      model.dispose();
    });

    it("tells what the weights take on the GPU", async () => {
      const model = new nn.Linear(64, 32);
      const bytes = { float32: 4 * (64 * 32 + 32), float16: 2 * (64 * 32 + 32) };
      for (const precision of ["float32", "float16"] as const) {
        const fast = await nn.compile(model, tf.zeros([1, 64]), { precision });
        const told = fast.explain().weightBytes;
        expect(told).to.be.within(bytes[precision], 1.2 * bytes[precision]);
        fast.dispose();
      }
      model.dispose();
    });

    it("goes on after the GPU was taken away, ten times", async () => {
      const model = makeNet();
      const engine = createWebglEngine(model);
      const { device } = engine.memory;
      const fast = await nn.compile(model, tf.zeros([1, 3, 8, 8]));
      const x = nn.randn(1, 3, 8, 8);
      const before = fast(x).dataSync();
      const extension = device.gl.getExtension("WEBGL_lose_context")!;
      for (let i = 0; i < 10; i += 1) {
        const { generation } = device; // other specs take the GPU away, too
        const running = fast.run(x).then(
          () => "finished",
          (error: unknown) => (error as Error).name,
        );
        await Promise.resolve();
        extension.loseContext();
        expect(["finished", "WebGLContextLostError"]).to.include(await running);
        expect(() => fast(x)).to.throw("the WebGL context was lost");
        const until = async (condition: () => boolean): Promise<void> => {
          while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
        };
        await until(() => device.generation > generation);
        extension.restoreContext();
        await until(() => !device.isLost);
        const after = await fast.run(x);
        expectClose(after.dataSync(), before, { rtol: 0, atol: 0 }, `after ${i + 1}`);
      }
      engine.dispose();
      fast.dispose();
    });
  });

  describe("PyTorch's module cases, compiled on webgl", () => {
    let compiled = 0;
    const left = new Set<string>();
    before(() => nn.setBackend("webgl"));

    for (const module of [...new Set(goldens.cases.map((one) => one.module))].filter(hasModule)) {
      it(module, async () => {
        for (const golden of goldens.cases.filter((one) => one.module === module)) {
          const cases = new ModuleCases(goldens);
          const { model, args, dispose } = cases.build(golden);
          const fast = await nn.compile(model, args);
          const output: unknown = fast(...(args as never[]));
          cases.expectOutput(output, golden.output, TOLERANCE.webgl, golden.id);
          const told = fast.explain();
          // Statistics of a batch change the model: that is the model's own business.
          const isTraining = told.reason === "the model is in training mode";
          expect(told.compiled, `${golden.id}: ${told.reason}`).to.equal(!isTraining);
          if (told.compiled) compiled += 1;
          for (const { op } of told.fallbacks) left.add(op);
          tf.dispose(output as tf.TensorContainer);
          fast.dispose();
          dispose();
        }
      });
    }

    it("leaves to tfjs what has no program, and nothing else", function () {
      if (compiled < 500) return this.skip(); // only some cases were asked for
      // Indices that do not come from a pooling of the graph; rows that are shortened.
      const unpooled = ["max_unpool1d", "max_unpool2d", "max_unpool3d"];
      expect([...left].sort()).to.deep.equal(["embedding", ...unpooled]);
    });
  });
}
