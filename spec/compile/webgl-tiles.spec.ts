/** Convolutions in tiles, three draws each, against eager: odd sizes, borders, batches, epilogues. */
import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { suitsTiles } from "../../lib/compile/webgl/lower/winograd.js";
import * as nn from "../../lib/index.js";
import { compiled } from "../support/compiled.js";
import { expectClose } from "../support/expect.js";
import { inBrowser } from "../support/files.js";

const F = nn.functional;

describe("convolutions in tiles", () => {
  it("are those of many channels and pictures that are not too large", () => {
    expect(suitsTiles(64, [1, 64, 56, 56])).to.equal(true);
    expect(suitsTiles(3, [1, 64, 56, 56])).to.equal(false);
    expect(suitsTiles(64, [1, 8, 56, 56])).to.equal(false);
    expect(suitsTiles(64, [1, 64, 224, 224])).to.equal(false);
  });
});

// There is WebGL in browsers only.
if (inBrowser) {
  describe("convolutions in tiles on webgl", () => {
    let before: string;
    beforeEach(async () => {
      before = tf.getBackend();
      await nn.setBackend("webgl");
      tf.engine().startScope();
      nn.manualSeed(3);
    });
    afterEach(async () => {
      tf.engine().endScope();
      await nn.setBackend(before as nn.BackendName);
    });

    /** Runs compiled and eagerly; gives how many draws it took. */
    async function compare(
      run: (x: tf.Tensor) => tf.Tensor,
      shape: number[],
      options?: nn.CompileOptions,
      close = { rtol: 1e-3, atol: 1e-4 },
    ): Promise<number> {
      const x = nn.randn(...shape);
      const fast = await nn.compile(run, x, options);
      const explained = fast.explain();
      expect(explained.compiled, explained.reason ?? "").to.equal(true);
      expectClose(fast(x).dataSync(), run(x).dataSync(), close);
      const { length } = fast.profile(x).rows;
      fast.dispose();
      return length;
    }

    for (const [n, h, wide, padding] of [
      [1, 6, 8, [1, 1]],
      [2, 7, 5, [0, 1]],
      [3, 3, 3, [2, 2]],
      [1, 3, 4, [0, 0]],
    ] as const) {
      it(`of ${n} × 34 × ${h} × ${wide}, padding ${padding.join()}`, async () => {
        const [weight, bias] = [nn.randn(33, 34, 3, 3), nn.randn(33)];
        const run = (x: tf.Tensor): tf.Tensor => F.conv2d(x, weight, { bias, padding: [...padding] }); // prettier-ignore
        expect(await compare(run, [n, 34, h, wide])).to.equal(3);
      });
    }

    it("with a residual and an activation", async () => {
      const weight = nn.randn(32, 32, 3, 3);
      const run = (x: tf.Tensor): tf.Tensor =>
        F.relu(tf.add(F.conv2d(x, weight, { padding: "same" }), x));
      expect(await compare(run, [2, 32, 5, 6])).to.equal(3);
    });

    it("with a border of another size on each side", async () => {
      const weight = nn.randn(32, 36, 3, 3);
      const run = (x: tf.Tensor): tf.Tensor => F.conv2d(F.pad(x, [0, 1, 2, 1]), weight);
      expect(await compare(run, [1, 36, 8, 9])).to.equal(3);
    });

    it("with weights of 16 bits", async () => {
      const model = new nn.Conv2d(32, 32, 3, { padding: 1 });
      const close = { rtol: 1e-2, atol: 1e-3 };
      await compare((x) => model(x), [1, 32, 8, 8], {}, close);
      expect(await compare((x) => model(x), [1, 32, 8, 8], { precision: "float16" }, close)).to.equal(3); // prettier-ignore
    });

    it("take new weights", async () => {
      const model = new nn.Conv2d(32, 32, 3);
      const x = nn.randn(1, 32, 6, 6);
      const fast = await compiled(model, x);
      fast(x).dispose();
      model.weight.assign(tf.mul(model.weight, 2));
      expectClose(fast(x).dataSync(), (model(x)).dataSync(), { rtol: 1e-3, atol: 1e-4 }); // prettier-ignore
      fast.dispose();
    });

    it("keep a NaN and an infinity to the pixels whose windows hold them", async () => {
      const weight = nn.randn(32, 32, 3, 3);
      const run = (x: tf.Tensor): tf.Tensor => F.conv2d(x, weight, { padding: 1 });
      const shape = [1, 32, 8, 8];
      const fast = await compiled(run, tf.zeros(shape));
      for (const value of [NaN, Infinity]) {
        const values = nn.randn(...shape).dataSync();
        values[8 * 3 + 3] = value; // of channel 0, line 3
        const x = tf.tensor(values, shape);
        await nn.setBackend("cpu");
        const want = run(x).dataSync();
        await nn.setBackend("webgl");
        expect(want.filter((one) => !Number.isFinite(one))).to.have.lengthOf(32 * 9);
        for (const y of [fast(x), await fast.run(x)]) {
          expectClose(y.dataSync(), want, { rtol: 1e-3, atol: 1e-4 }, String(value));
        }
      }
      fast.dispose();
    });

    it("are not made of what may be infinite for finite inputs, nor with weights that are", async () => {
      const weight = nn.randn(32, 32, 3, 3);
      const run = (x: tf.Tensor): tf.Tensor => F.conv2d(tf.log(tf.abs(x)), weight);
      expect(await compare(run, [1, 32, 6, 6])).to.equal(2); // a chain, and the convolution in one draw
      const model = new nn.Conv2d(32, 32, 3);
      const x = nn.randn(1, 32, 6, 6);
      const fast = await nn.compile(model, x);
      const values = model.weight.dataSync().slice();
      values[5] = Infinity;
      model.weight.assign(tf.tensor(values, model.weight.shape));
      const close = { rtol: 1e-3, atol: 1e-4 };
      expectClose(fast(x).dataSync(), model(x).dataSync(), close, "an infinite weight");
      values[5] = 1;
      model.weight.assign(tf.tensor(values, model.weight.shape));
      expectClose(fast(x).dataSync(), model(x).dataSync(), close, "a finite one");
      expect(fast.profile(x).rows).to.have.lengthOf(3);
      fast.dispose();
    });

    it("of strides, dilation and groups are done in one draw", async () => {
      for (const options of [{ stride: 2 }, { dilation: 2 }, { groups: 2 }]) {
        const weight = nn.randn(32, "groups" in options ? 16 : 32, 3, 3);
        expect(await compare((x) => F.conv2d(x, weight, options), [1, 32, 7, 7])).to.equal(1);
      }
    });
  });
}
