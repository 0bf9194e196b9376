import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { optimise, DECOMPOSED } from "../../lib/compile/passes/index.js";
import { record } from "../../lib/compile/trace.js";
import { createWebglEngine } from "../../lib/compile/webgl/engine.js";
import { nodesIn } from "../../lib/graph/index.js";
import * as nn from "../../lib/index.js";
import { expectClose, expectNoLeak } from "../support/expect.js";
import { TOLERANCE } from "../support/backends.js";
import { readGoldens } from "../support/goldens.js";
import { expectSame } from "../support/graphs.js";
import { hasModule, ModuleCases } from "../support/module-cases.js";
import { inBrowser } from "../support/files.js";

const F = nn.functional;
type Run = (...args: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

/** What a compiled plan must do as eager does, each by a program: name, function, shapes of inputs. */
const CASES: [string, Run, ...number[][]][] = [];
const add = (name: string, run: Run, ...shapes: number[][]): void => void CASES.push([name, run, ...shapes]); // prettier-ignore

const w = (...shape: number[]): tf.Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + size) * 0.4),
    shape,
  );
};

function declareCases(): void {
  add("linear, odd sizes", (x) => F.linear(x, w(5, 7), { bias: w(5) }), [3, 7]);
  add("linear, gelu, residual", (x, y) => F.gelu(tf.add(F.linear(x, w(8, 8)), y)), [2, 3, 8], [2, 3, 8]); // prettier-ignore
  for (const [i, o, k, options] of [
    [3, 6, 3, { padding: 1 }],
    [4, 8, 1, {}],
    [5, 7, 3, { stride: 2, padding: [0, 1], dilation: [1, 2] }],
    [8, 16, 3, { groups: 2, padding: "same" }],
    [6, 6, 5, { groups: 6, padding: 2, stride: 2 }],
  ] as const) {
    const text = JSON.stringify(options);
    const groups = "groups" in options ? options.groups : 1;
    add(`conv2d ${i} ${o} ${k} ${text}`, (x) =>
      F.relu(F.conv2d(x, w(o, i / groups, k, k), { bias: w(o), ...options })), [2, i, 9, 8]); // prettier-ignore
  }
  add("conv1d", (x) => F.conv1d(x, w(6, 3, 4), { stride: 3, padding: 1 }), [2, 3, 17]);
  add("padded conv2d", (x) => F.conv2d(F.pad(x, [0, 1, 2, 1]), w(4, 3, 3, 3), { stride: 2 }), [1, 3, 8, 9]); // prettier-ignore
  for (const mode of ["constant", "reflect", "replicate", "circular"] as const) {
    add(`pad ${mode}`, (x) => F.pad(x, [1, 2, 2, 0], { mode }), [2, 5, 4, 6]);
  }
  add("max_pool2d", (x) => F.maxPool2d(x, 3, { stride: 2, padding: 1 }), [2, 5, 7, 8]);
  add("avg_pool2d", (x) => F.avgPool2d(x, 2, { padding: 1, countIncludePad: false }), [1, 4, 6, 7]);
  add("adaptive_avg_pool2d", (x) => F.adaptiveAvgPool2d(x, [3, 2]), [2, 6, 7, 5]);
  add("layer_norm", (x) => F.layerNorm(x, [10], { weight: w(10), bias: w(10) }), [2, 3, 10]);
  add("layer_norm of two axes", (x) => F.layerNorm(x, [3, 10]), [2, 3, 10]);
  add("rms_norm", (x) => F.rmsNorm(x, [12], { weight: w(12) }), [5, 12]);
  add("softmax", (x) => F.softmax(x, { dim: -1 }), [3, 4, 7]);
  add("softmax of an inner axis", (x) => F.softmax(x, { dim: 1 }), [3, 6, 8]);
  add("log_softmax", (x) => F.logSoftmax(x, { dim: 1 }), [4, 9]);
  add("attention", (q, k, v) => F.scaledDotProductAttention(q, k, v), [2, 2, 5, 8], [2, 2, 6, 8], [2, 2, 6, 4]); // prettier-ignore
  add("causal attention", (q) => F.scaledDotProductAttention(q, q, q, { isCausal: true }), [1, 3, 7, 4]); // prettier-ignore
  add("masked attention", (q, m) => F.scaledDotProductAttention(q, q, q, { attnMask: m }), [2, 2, 5, 4], [5, 5]); // prettier-ignore
  add("permute, reshape, slice", (x) => tf.slice(tf.reshape(tf.transpose(x, [2, 0, 1]), [5, 12]), [1, 3], [3, 6]), [3, 4, 5]); // prettier-ignore
  add("concat of channels", (x, y) => tf.concat([x, y], 1), [2, 8, 3], [2, 4, 3]);
  add("concat of rows", (x, y) => tf.concat([x, y], 0), [2, 5], [3, 5]);
  add("matmul", (x, y) => tf.matMul(x, y), [2, 5, 6], [2, 6, 7]);
  add("matmul, transposed", (x, y) => tf.matMul(x, y, false, true), [2, 5, 6], [2, 7, 6]);
  add("broadcasting", (x, y, z) => tf.mul(tf.add(x, y), z), [2, 3, 4, 5], [3, 1, 5], [2, 1, 4, 1]);
  add("a chain", (x) => tf.sub(F.silu(tf.mul(x, 3)), F.mish(F.elu(x))), [3, 5]);
  declareExpanded();
  for (const axes of [[0], [1], [2], [1, 2], [0, 2]]) {
    add(`mean over ${axes.join()}`, (x) => tf.mean(x, axes), [3, 5, 6]);
    add(`max over ${axes.join()}`, (x) => tf.max(x, axes, true), [3, 5, 6]);
  }
}

/** What became a program of its own only lately, or is made of what has programs. */
function declareExpanded(): void {
  for (const mode of ["nearest", "bilinear", "bicubic"] as const) {
    add(`interpolate ${mode}`, (x) => F.interpolate(x, { size: [9, 4], mode }), [2, 3, 5, 6]);
    add(`interpolate ${mode} by 2`, (x) => F.interpolate(x, { scaleFactor: 2, mode }), [1, 8, 3, 4]); // prettier-ignore
  }
  add("interpolate area", (x) => F.interpolate(x, { size: [3, 2], mode: "area" }), [1, 4, 7, 5]);
  add("conv3d", (x) => F.conv3d(x, w(6, 2, 3, 2, 3), { groups: 2, stride: [1, 2, 1], padding: 1 }), [2, 4, 5, 6, 4]); // prettier-ignore
  add("conv2d without a batch", (x) => F.conv2d(x, w(4, 3, 3, 3), { padding: "same" }), [3, 5, 6]);
  add("conv2d in groups of 2", (x) => F.silu(F.conv2d(x, w(6, 2, 3, 3), { groups: 3 })), [1, 6, 5, 6]); // prettier-ignore
  add("conv_transpose1d", (x) => F.convTranspose1d(x, w(3, 5, 4), { stride: 3, padding: 1 }), [2, 3, 7]); // prettier-ignore
  add("conv_transpose2d", (x) => F.convTranspose2d(x, w(4, 3, 3, 3), { stride: 2, padding: 1, outputPadding: 1, groups: 2, bias: w(6) }), [2, 4, 5, 4]); // prettier-ignore
  add("conv_transpose3d", (x) => F.convTranspose3d(x, w(2, 3, 2, 3, 2), { stride: 2, dilation: 2 }), [1, 2, 3, 2, 4]); // prettier-ignore
  add("group_norm", (x) => F.groupNorm(x, 2, { weight: w(6), bias: w(6) }), [2, 6, 4, 3]);
  add("instance_norm", (x) => F.instanceNorm(x, { weight: w(5) }), [2, 5, 4, 3]);
  add("max_pool3d", (x) => F.maxPool3d(x, 2, { padding: 1, dilation: 1 }), [1, 3, 4, 5, 4]);
  add("avg_pool2d, last windows cut off", (x) => F.avgPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true }), [2, 3, 6, 7]); // prettier-ignore
  add("adaptive_max_pool2d", (x) => F.adaptiveMaxPool2d(x, [3, 2]), [2, 5, 7, 4]);
  add("pixel_shuffle", (x) => F.pixelShuffle(x, 2), [2, 8, 3, 4]);
  add("pixel_unshuffle", (x) => F.pixelUnshuffle(x, 2), [2, 3, 4, 6]);
  add("channel_shuffle", (x) => F.channelShuffle(x, 3), [1, 6, 4, 4]);
  add("pad of five axes", (x) => F.pad(x, [1, 1, 0, 2, 1, 0], { mode: "replicate" }), [2, 3, 3, 4, 5]); // prettier-ignore
  add("pad with a value", (x) => F.pad(x, [1, 2, 3, 0], { value: 2.5 }), [3, 4]);
  add("prelu", (x) => F.prelu(x, w(3)), [2, 3, 4]);
  add("glu", (x) => F.glu(x, { dim: 1 }), [3, 6, 5]);
  add("threshold, softshrink, celu", (x) => F.celu(F.softshrink(F.threshold(x, 0.1, -2))), [3, 5]);
  add("local_response_norm", (x) => F.localResponseNorm(x, 3), [2, 7, 4, 3]);
  add("attention of 6", (q, k) => F.scaledDotProductAttention(q, k, k), [2, 2, 5, 6], [2, 2, 7, 6]);
  add("argmax", (x) => tf.cast(tf.argMax(x, 1), "float32"), [3, 5, 6]);
  add("where and logic", (x, y) => tf.where(tf.logicalAnd(tf.greater(x, y), tf.logicalNot(tf.less(x, 0.1))), x, y), [3, 5], [3, 5]); // prettier-ignore
  add("gather of fixed rows", (x) => tf.gather(x, tf.tensor1d([2, 0, 2], "int32"), 1), [2, 3, 5]);
  add("gather of fixed channels", (x) => tf.gather(x, tf.tensor1d([4, 1], "int32"), 2), [2, 3, 5]);
  add("tile and reverse", (x) => tf.reverse(tf.tile(x, [1, 2, 3]), [1, 2]), [2, 3, 2]);
  add("concat of odd channels", (x, y) => tf.concat([x, y, x], 1), [4, 3], [4, 2]);
  add("concat of twenty", (x) => tf.concat(Array.from({ length: 20 }, (_, i) => tf.mul(x, i)), 0), [1, 5]); // prettier-ignore
}

/** Runs a plan and compares with eager; tells which nodes it left to tfjs. */
async function compare(run: Run | nn.Module, inputs: tf.Tensor[]): Promise<string[]> {
  const { graph, output } = record(run as never, inputs, DECOMPOSED);
  const engine = createWebglEngine(run);
  const plan = engine.plan(optimise(graph));
  const { gl } = engine.memory.device;
  gl.getError();
  await engine.ready();
  expect(gl.getError()).to.equal(gl.NO_ERROR); // every program has drawn a pixel
  for (let turn = 0; turn < 2; turn += 1) {
    const read = plan.execute(inputs);
    const nodes = nodesIn(plan.graph.output!.args);
    const want = [output].flat(2) as tf.Tensor[];
    nodes.forEach((node, i) => {
      const got = read(node);
      expect(got.shape).to.deep.equal(want[i]!.shape);
      expectClose(got.dataSync(), want[i]!.dataSync(), { rtol: 1e-3, atol: 1e-4 });
      got.dispose();
    });
  }
  tf.dispose(output as tf.TensorContainer);
  engine.dispose();
  return plan.fallbacks.map(({ node }) => node.target);
}

const goldens = await readGoldens("goldens/modules");

// There is WebGL in browsers only.
if (inBrowser) {
  describe("WebGL programs", () => {
    before(() => nn.setBackend("cpu"));
    declareCases();
    for (const [name, run, ...shapes] of CASES) {
      it(name, async () => {
        tf.engine().startScope();
        const inputs = shapes.map((shape) => w(...shape));
        expect(await compare(run, inputs)).to.deep.equal([]);
        tf.engine().endScope();
      });
    }

    const MODELS: [string, () => nn.Module, number[]][] = [
      ["LSTM", () => new nn.LSTM(6, 8, { numLayers: 2, bidirectional: true }), [9, 2, 6]],
      ["LSTM of odd sizes", () => new nn.LSTM(5, 7, { bidirectional: true }), [4, 3, 5]],
      ["LSTM with a projection", () => new nn.LSTM(5, 8, { projSize: 3 }), [4, 2, 5]],
      ["GRU", () => new nn.GRU(6, 8), [3, 1, 6]],
      ["GRU of odd sizes", () => new nn.GRU(6, 5, { numLayers: 2 }), [18, 5, 6]],
      ["RNN", () => new nn.RNN(6, 5, { nonlinearity: "relu" }), [4, 2, 6]],
      ["GRUCell", () => new nn.GRUCell(6, 5), [3, 6]],
      ["MultiheadAttention", () => new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 12 }), [5, 2, 8]], // prettier-ignore
      ["BatchNorm", () => new nn.Sequential(new nn.Conv2d(3, 4, 3), new nn.BatchNorm2d(4), new nn.SiLU()), [1, 3, 6, 6]], // prettier-ignore
    ];
    for (const [name, make, shape] of MODELS) {
      it(name, async () => {
        nn.manualSeed(1);
        const model = make();
        const x = w(...shape);
        expect(await compare(model, [x])).to.deep.equal([]);
        x.dispose();
        model.dispose();
      });
    }

    it("an op without a program runs as a tfjs op in between", async () => {
      const x = w(1, 2, 3, 3);
      const indices = tf.reshape(tf.range(0, 18, 2, "int32"), [1, 1, 3, 3]);
      const run: Run = (y) => F.relu(F.maxUnpool2d(tf.neg(y), tf.concat([indices, indices], 1), 2));
      tf.engine().startScope();
      expect(await compare(run, [x])).to.deep.equal(["max_unpool2d"]);
      tf.engine().endScope();
      x.dispose();
      indices.dispose();
    });
  });

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

    it("sees new values of parameters", async () => {
      const model = makeNet();
      const fast = await nn.compile(model, tf.zeros([1, 3, 8, 8]));
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
      const half = await nn.compile(model, x, { precision: "float16" });
      const got = half(x);
      const error = tf.tidy(() => tf.max(tf.abs(tf.sub(got, want))).dataSync()[0]!);
      expect(error).to.be.within(1e-7, 2e-3); // 11 bits are kept, and no more
      const large = tf.mul(model.stateDict().get("0.weight")!, 1e7);
      model.loadStateDict(new Map([["0.weight", large]]), { strict: false });
      const scale = { rtol: 1e-3, atol: 1e3 };
      expectSame(half(x), model(x), scale, "with weights beyond 65504");
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
        const fast = await nn.compile(model, tf.zeros([1, 3, 8, 8]));
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
      const { memory } = performance as { memory?: { usedJSHeapSize: number } };
      if (!gc || !memory) return this.skip(); // the browser was not started to tell
      const model = makeNet();
      const fast = await nn.compile(model, tf.zeros([1, 3, 8, 8]));
      const x = nn.randn(1, 3, 8, 8);
      const run = (times: number): number => {
        for (let i = 0; i < times; i += 1) {
          const y = fast(x);
          y.dataSync();
          y.dispose();
        }
        gc();
        return memory.usedJSHeapSize;
      };
      run(300); // engines compile
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
      const indexed = ["max_pool1d", "max_pool3d", "adaptive_max_pool2d"]; // with indices
      const unpooled = ["max_unpool1d", "max_unpool2d", "max_unpool3d"];
      const others = ["embedding", "embedding_bag", "im2col"];
      expect([...left].sort()).to.deep.equal([...indexed, ...unpooled, ...others].sort());
    });
  });
}
