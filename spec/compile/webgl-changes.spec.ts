import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { createWebglEngine } from "../../lib/compile/webgl/engine.js";
import * as F from "../../lib/functional/index.js";
import * as nn from "../../lib/index.js";
import { TOLERANCE } from "../support/backends.js";
import { compiled } from "../support/compiled.js";
import { inBrowser } from "../support/files.js";
import { expectSame } from "../support/graphs.js";
import { Picked } from "../support/small-models.js";

// There is WebGL in browsers only.
if (inBrowser) {
  describe("What changes after a compilation for webgl", () => {
    before(() => nn.setBackend("webgl"));
    beforeEach(() => void nn.manualSeed(0));
    const CLOSE = TOLERANCE.webgl;

    it("parameters, twice, while one of two shapes is called", async () => {
      const model = new nn.Linear(4, 4);
      const [x, y] = [nn.randn(1, 4), nn.randn(3, 4)];
      const fast = await compiled(model, x);
      expectSame(fast(y), model(y), CLOSE, "another shape");
      for (const by of [1, 2, 3]) {
        model.bias!.assign(tf.add(model.bias!, by));
        expectSame(fast(x), model(x), CLOSE, `change ${by}`);
      }
      expectSame(fast(y), model(y), CLOSE, "the other shape");
      fast.dispose();
      model.dispose();
    });

    it("indices in a buffer", async () => {
      const model = new Picked();
      const x = nn.randn(2, 5);
      const fast = await nn.compile(model, x);
      expectSame(fast(x), model(x), CLOSE, "as compiled");
      (model.places as nn.Buffer).assign(tf.tensor1d([4, 4, 2], "int32"));
      expectSame(fast(x), model(x), CLOSE, "with others");
      fast.dispose();
      model.dispose();
    });

    it("the GPU, gone while another model is compiled", async () => {
      const model = new nn.Sequential(new nn.Linear(4, 3), new nn.Tanh());
      const x = nn.randn(2, 4);
      const engine = createWebglEngine(model);
      const { device } = engine.memory;
      const extension = device.gl.getExtension("WEBGL_lose_context")!;
      const { generation } = device;
      extension.loseContext();
      const other = new nn.Sequential(new nn.Linear(4, 5), new nn.Softsign());
      const early = await nn.compile(other, x);
      const until = async (condition: () => boolean): Promise<void> => {
        while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
      };
      await until(() => device.generation > generation);
      extension.restoreContext();
      await until(() => !device.isLost && device.generation > generation + 1);
      const fast = await nn.compile(model, x);
      for (const [compiled, eager] of [
        [early, other],
        [fast, model],
      ] as const) {
        expectSame(compiled(x), eager(x), CLOSE, String(eager));
        expect(compiled.explain().compiled, String(compiled.explain())).to.equal(true);
      }
      for (const one of [early, fast, engine, model, other]) one.dispose();
    });
  });

  describe("Numbers that webgl must not round or lose", () => {
    before(() => nn.setBackend("webgl"));

    it("attention by hand gives NaN for a row that is masked whole", async () => {
      const hidden = tf.tensor2d([
        [0, 0, 0],
        [-Infinity, -Infinity, -Infinity],
        [0, 0, -Infinity],
      ]);
      const model = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor => {
        const scores = tf.add(tf.mul(tf.matMul(q, k, false, true), 0.5), hidden);
        return tf.matMul(tf.softmax(scores), v);
      };
      const args = [nn.randn(1, 3, 4), nn.randn(1, 3, 4), nn.randn(1, 3, 4)] as const;
      const fast = await compiled(model, [...args]);
      // Not from tfjs' softmax on webgl, which gives numbers there; PyTorch gives NaN, as cpu does.
      const [first, second, third] = (fast(...args).arraySync() as number[][][])[0]!;
      expect(second).to.satisfy((row: number[]) => row.every(Number.isNaN));
      const rows = (model(...args).arraySync() as number[][][])[0]!;
      expectSame(tf.tensor([first!, third!]), tf.tensor([rows[0]!, rows[2]!]), TOLERANCE.webgl, "seen"); // prettier-ignore
      fast.dispose();
    });

    it("attention gives NaN for scores and values that are, not 0 as for a row that sees nothing", async () => {
      const masks = [null, tf.tensor2d([[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]], [4, 3], "bool")]; // prettier-ignore
      const k = nn.randn(1, 3, 4);
      const v = tf.tensor3d([[[1, 2, 3, Infinity], [4, 5, 6, 7], [8, 9, 10, 11]]]); // prettier-ignore
      const q = tf.tensor3d([[[NaN, 0, 0, 0], [1, 2, 3, 4], [0, -Infinity, 0, 0], [1, 1, 1, 1]]]); // prettier-ignore
      for (const attnMask of masks) {
        const model = (query: tf.Tensor): tf.Tensor =>
          F.scaledDotProductAttention(query, k, v, { attnMask, isCausal: attnMask === null });
        const fast = await nn.compile(model, q);
        expect(String(fast.explain())).to.match(/, 0 of them tfjs ops/);
        expectSame(fast(q), model(q), TOLERANCE.webgl, attnMask ? "masked" : "causal");
        fast.dispose();
      }
    });

    it("the logarithm of a softmax is NaN where a number of its row is", async () => {
      const x = tf.tensor2d([[1, NaN, 2], [Infinity, 0, 1], [-Infinity, 0, 1]]); // prettier-ignore
      const model = (scores: tf.Tensor): tf.Tensor => F.logSoftmax(scores, { dim: -1 });
      const fast = await compiled(model, x);
      expectSame(fast(x), model(x), TOLERANCE.webgl, "rows");
      fast.dispose();
    });

    it("powers of whole numbers, and means of them on the way", async () => {
      const squares = (x: tf.Tensor): tf.Tensor => tf.pow(x, tf.scalar(2, "int32"));
      const means = (x: tf.Tensor): tf.Tensor => tf.mul(F.avgPool1d(x, 2), tf.scalar(2, "int32"));
      const x = tf.reshape(tf.range(1, 25, 1, "int32"), [1, 1, 24]);
      for (const [run, want] of [
        [squares, Array.from({ length: 24 }, (_, i) => (i + 1) ** 2)],
        [means, Array.from({ length: 12 }, (_, i) => 2 * (2 * i + 1))],
      ] as const) {
        const fast = await compiled(run, x);
        expect(Array.from(fast(x).dataSync())).to.deep.equal(want);
        fast.dispose();
      }
    });

    it("a constant integer among the outputs", async () => {
      const large = tf.scalar(16_777_217, "int32");
      const model = (x: tf.Tensor): tf.Tensor[] => [tf.neg(x), tf.clone(large)];
      const x = nn.randn(2);
      const fast = await compiled(model, x);
      expect(fast(x)[1]!.dataSync()[0]).to.equal(16_777_217);
      fast.dispose();
    });
  });
}
