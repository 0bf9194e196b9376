/** What becomes of a call's tensors while it is under way, and of what a lost context or an error leaves. */
import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { createWebglEngine } from "../../lib/compile/webgl/engine.js";
import { ProgramCache } from "../../lib/kernels/webgl/program.js";
import * as nn from "../../lib/index.js";
import { TOLERANCE } from "../support/backends.js";
import { compiled } from "../support/compiled.js";
import { expectClose } from "../support/expect.js";
import { inBrowser } from "../support/files.js";

const F = nn.functional;

if (inBrowser) {
  describe("calls on webgl", () => {
    before(() => nn.setBackend("webgl"));
    beforeEach(() => void nn.manualSeed(5));
    const CLOSE = TOLERANCE.webgl;

    /** The same numbers in memory, and on tfjs' GPU only. */
    const given = (x: tf.Tensor): [string, tf.Tensor][] => [
      ["in memory", tf.clone(x)],
      ["on the GPU", tf.add(x, tf.zerosLike(x))],
    ];

    it("are done with their inputs once they are called", async () => {
      const model = new nn.Linear(4, 3);
      const x = nn.randn(2, 4);
      const want = tf.tidy(() => model(x).dataSync());
      const fast = await compiled(model, x);
      for (const [where, input] of given(x)) {
        const { numTensors } = tf.memory();
        const running = fast.run(input);
        input.dispose();
        const y = await running;
        expectClose(y.dataSync(), want, CLOSE, where);
        y.dispose();
        expect(tf.memory().numTensors, where).to.equal(numTensors - 1);
      }
      fast.dispose();
    });

    it("are computed with the weights that they were called with", async () => {
      const model = new nn.Linear(4, 3);
      const x = nn.randn(2, 4);
      const fast = await compiled(model, nn.randn(2, 4));
      for (const shape of ["known", "new"]) {
        const inputs = shape === "known" ? given(x) : given(nn.randn(5, 4));
        for (const [where, input] of inputs) {
          const before = tf.tidy(() => model(input).dataSync());
          const first = fast.run(input);
          model.loadStateDict(new nn.Linear(4, 3).stateDict());
          const after = tf.tidy(() => model(input).dataSync());
          const second = fast.run(input);
          expectClose((await first).dataSync(), before, CLOSE, `${where}, ${shape} shape`);
          expectClose((await second).dataSync(), after, CLOSE, `${where}, ${shape} shape`);
        }
      }
      fast.dispose();
    });

    it("give weights as they were when they were called", async () => {
      const scale = new nn.Parameter(tf.tensor1d([2]));
      const model = Object.assign(new nn.Linear(4, 3), { scale });
      model.forward = ((x: tf.Tensor) => [
        F.linear(x, model.weight),
        tf.exp(scale),
      ]) as unknown as typeof model.forward;
      const fast = await compiled(model, nn.randn(2, 4));
      for (const [where, input] of given(nn.randn(2, 4))) {
        scale.assign(tf.tensor1d([2]));
        const running = fast.run(input) as unknown as Promise<tf.Tensor[]>;
        scale.assign(tf.tensor1d([3]));
        expectClose((await running)[1]!.dataSync(), [Math.exp(2)], CLOSE, where);
      }
      fast.dispose();
    });

    it("refuse a disposed input as the model does", async () => {
      const model = new nn.Linear(4, 3);
      const fast = await nn.compile(model, nn.randn(2, 4));
      const { numTensors } = tf.memory();
      const x = nn.randn(2, 4);
      x.dispose();
      const fails = async (call: () => unknown): Promise<string> => {
        try {
          await call();
        } catch (error) {
          return (error as Error).message;
        }
        throw new Error("it answered");
      };
      const message = await fails(() => model(x));
      expect(message).to.contain("Tensor is disposed");
      expect(await fails(() => fast(x))).to.equal(message);
      expect(await fails(() => fast.run(x))).to.equal(message);
      expect(tf.memory().numTensors).to.equal(numTensors);
      fast.dispose();
    });

    it("give inputs back that are results", async () => {
      const run = (x: tf.Tensor): tf.Tensor[] => [x, tf.neg(x)];
      const x = nn.randn(3);
      const want = Array.from(x.dataSync());
      const fast = await compiled(run, x);
      for (const [where, input] of given(x)) {
        const running = fast.run(input);
        input.dispose();
        const [same, negative] = (await running) as [tf.Tensor, tf.Tensor];
        expectClose(same.dataSync(), want, CLOSE, where);
        expectClose(negative.dataSync(), want.map((one) => -one), CLOSE, where); // prettier-ignore
        tf.dispose([same, negative]);
      }
      fast.dispose();
    });

    it("keep a picture on the GPU that comes with a tensor from there", async () => {
      const run = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.add(x, y);
      const fast = await compiled(run, [tf.zeros([1, 3, 4, 4]), tf.zeros([1, 1, 1, 1])]);
      const pixels = new ImageData(new Uint8ClampedArray(4 * 16).fill(51), 4, 4);
      const { numTensors } = tf.memory();
      const x = nn.image(pixels);
      const y = tf.tidy(() => tf.add(tf.ones([1, 1, 1, 1]), 1));
      const reads: number[] = [];
      const { readPixels } = WebGL2RenderingContext.prototype;
      WebGL2RenderingContext.prototype.readPixels = function (
        this: WebGL2RenderingContext,
        ...args: unknown[]
      ) {
        if (args[2] === 4) reads.push(args[2]);
        (readPixels as (...args: unknown[]) => void).apply(this, args);
      };
      try {
        const running = fast.run(x, y);
        tf.dispose([x, y]);
        const sum = await running;
        expectClose(sum.dataSync(), new Float32Array(48).fill(2.2), CLOSE);
        sum.dispose();
      } finally {
        WebGL2RenderingContext.prototype.readPixels = readPixels;
      }
      expect(reads).to.have.lengthOf(4); // the four layers of the result
      expect(tf.memory().numTensors).to.equal(numTensors);
      fast.dispose();
    });

    it("that are left to the model find their inputs, though disposed", async () => {
      const model = new nn.Embedding(5, 3);
      const fast = await compiled(model, tf.zeros([2], "int32"));
      for (const [where, input] of given(tf.tensor1d([1, 7], "int32"))) {
        const { numTensors } = tf.memory();
        const running = fast.run(input);
        input.dispose();
        const message = await running.then(String, (error: unknown) => (error as Error).message);
        expect(message, where).to.contain("index out of range");
        expect(tf.memory().numTensors, where).to.equal(numTensors - 1);
      }
      fast.dispose();
    });

    it("are told apart by shapes, dtypes, plain values and which tensors are the same", async () => {
      interface Options {
        by?: number | null;
        list?: tf.Tensor[];
      }
      const run = (x: tf.Tensor, y: tf.Tensor, { by = 1, list = [] }: Options = {}): tf.Tensor =>
        list.reduce<tf.Tensor>(
          (sum, one) => tf.add(sum, one),
          tf.mul(tf.sub(x, tf.mul(y, 2)), by ?? 5),
        );
      const [x, y] = [nn.randn(2), nn.randn(2)];
      const fast = await compiled(run, [x, y]);
      const calls: Parameters<typeof run>[] = [
        [x, y], [x, x], [y, x], [x, y, {}], [x, y, { by: 3 }], [x, y, { by: -0 }], [x, y, { by: 0 }],
        [x, y, { by: null }], [x, y, { by: undefined }], [x, y, { list: [x] }], [x, y, { list: [x, y] }],
        [x, y, { list: [y, y], by: 3 }], [x, y, { by: 3, list: [y, y] }], [nn.randn(3), nn.randn(1)],
      ]; // prettier-ignore
      for (const turn of [1, 2]) {
        for (const [i, args] of calls.entries()) {
          const [got, want] = [fast(...args), run(...args)];
          expectClose(got.dataSync(), want.dataSync(), CLOSE, `call ${i}, turn ${turn}`);
          expect(got.shape).to.deep.equal(want.shape);
        }
      }
      fast.dispose();
    });
  });

  describe("What is left on the GPU", () => {
    before(() => nn.setBackend("webgl"));

    it("after a loss nobody tries to delete, nor draws to", async () => {
      const [model, other] = [new nn.Linear(4, 3), new nn.Linear(4, 5)];
      const [x, rows] = [nn.randn(2, 4), nn.randn(64, 4)];
      const engine = createWebglEngine(model);
      const { device } = engine.memory;
      const { gl } = device;
      const fast = await compiled(model, x);
      const second = await compiled(other, x);
      for (const one of [fast, second]) for (const input of [x, rows]) one(input).dispose();
      await Promise.all([rows, x, rows].map((input) => fast.run(input)));
      const image = new ImageData(4, 4);
      const pictures = [1, 2].map(() => nn.image(image));
      const extension = gl.getExtension("WEBGL_lose_context")!;
      const { generation } = device;
      const until = async (condition: () => boolean): Promise<void> => {
        while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
      };
      extension.loseContext();
      await until(() => device.generation > generation);
      extension.restoreContext();
      await until(() => !device.isLost && device.generation > generation + 1);
      while (gl.getError() !== gl.NO_ERROR); // that it was lost
      const want = tf.tidy(() => model(x).dataSync());
      expectClose(fast(x).dataSync(), want, TOLERANCE.webgl, "after the loss");
      tf.dispose(pictures);
      second.dispose(); // has not run since
      model.bias!.assign(tf.add(model.bias!, 1)); // the plan of the other shape neither
      expectClose(fast(x).dataSync(), want.map((one) => one + 1), TOLERANCE.webgl, "other weights"); // prettier-ignore
      const y = await fast.run(rows);
      expectClose(y.dataSync(), model(rows).dataSync(), TOLERANCE.webgl, "the other shape");
      fast.dispose();
      engine.dispose();
      expect(gl.getError()).to.equal(gl.NO_ERROR);
    });

    it("when a program cannot be had, no weights are uploaded any more", async () => {
      const model = new nn.Sequential(Array.from({ length: 40 }, () => new nn.Linear(256, 256)));
      const { prototype } = ProgramCache;
      const { ready } = prototype;
      const { texSubImage2D } = WebGL2RenderingContext.prototype;
      let uploads = 0;
      WebGL2RenderingContext.prototype.texSubImage2D = function (
        this: WebGL2RenderingContext,
        ...args: unknown[]
      ) {
        uploads += 1;
        (texSubImage2D as (...args: unknown[]) => void).apply(this, args);
      };
      prototype.ready = () => Promise.reject(new Error("no such program"));
      try {
        const compiled = nn.compile(model, nn.randn(1, 256));
        const message = await compiled.then(String, (error: unknown) => (error as Error).message);
        expect(message).to.equal("no such program");
        const before = uploads;
        await new Promise((resolve) => setTimeout(resolve, 50));
        expect(uploads).to.equal(before);
        expect(uploads).to.be.below(80); // of 40 matrices and 40 biases
      } finally {
        prototype.ready = ready;
        WebGL2RenderingContext.prototype.texSubImage2D = texSubImage2D;
      }
      model.dispose();
    });

    it("are a few textures for pictures, however many there were", async () => {
      const fast = await compiled((x: tf.Tensor) => tf.neg(x), tf.zeros([1, 3, 4, 4]));
      const { createTexture } = WebGL2RenderingContext.prototype;
      let made = 0;
      WebGL2RenderingContext.prototype.createTexture = function (this: WebGL2RenderingContext) {
        made += 1;
        return createTexture.apply(this);
      };
      try {
        const take = (): void =>
          tf.dispose(Array.from({ length: 10 }, () => nn.image(new ImageData(4, 4))));
        take();
        const before = made;
        take();
        expect(made - before).to.equal(6);
      } finally {
        WebGL2RenderingContext.prototype.createTexture = createTexture;
      }
      fast.dispose();
    });

    it("is told by a profile: operations as on cpu", async () => {
      const model = new nn.Sequential(
        new nn.Linear(64, 32),
        new nn.Unflatten(1, [2, 4, 4]),
        new nn.Conv2d(2, 3, 3),
      );
      const x = nn.randn(5, 64);
      const totals: number[] = [];
      for (const backend of ["cpu", "webgl"] as const) {
        await nn.setBackend(backend);
        const fast = await nn.compile(model, x);
        const { rows } = fast.profile(x);
        totals.push(rows.reduce((sum, { flops }) => sum + flops, 0));
        fast.dispose();
      }
      expect(totals[0]).to.equal(2 * 5 * 64 * 32 + 2 * 5 * 3 * 4 * 18);
      expect(totals[1]).to.equal(totals[0]);
    });

    it("counts operations of attention and of an LSTM", async () => {
      const q = nn.randn(1, 2, 8, 4);
      const attend = await nn.compile((x: tf.Tensor) => F.scaledDotProductAttention(x, x, x), q);
      expect(attend.profile(q).rows.some(({ flops }) => flops > 0)).to.equal(true);
      attend.dispose();
      const lstm = new nn.LSTM(8, 8);
      const x = nn.randn(3, 2, 8);
      const fast = await nn.compile(lstm, x);
      expect(fast.profile(x).rows.filter(({ flops }) => flops > 0)).to.have.lengthOf(4);
      fast.dispose();
    });
  });
}
