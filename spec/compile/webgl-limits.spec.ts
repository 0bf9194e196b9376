import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { createWebglEngine } from "../../lib/compile/webgl/engine.js";
import * as nn from "../../lib/index.js";
import type { Limits } from "../../lib/kernels/webgl/device.js";
import { inBrowser } from "../support/files.js";
import { expectSame } from "../support/graphs.js";

// There is WebGL in browsers only.
if (inBrowser) {
  /** What a compiled model says of itself, and whether it gives what the model gives. */
  async function onDevice(
    limits: Partial<Limits>,
    model: nn.Module,
    x: tf.Tensor,
    close: { rtol: number; atol: number },
  ): Promise<string> {
    const engine = createWebglEngine(model);
    const before = { ...engine.memory.device.limits };
    Object.assign(engine.memory.device.limits, limits);
    try {
      const fast = await nn.compile(model, x);
      expectSame(fast(x), model(x), close, "at once");
      expectSame(await fast.run(x), model(x), close, "later");
      const said = String(fast.explain());
      fast.dispose();
      return said;
    } finally {
      Object.assign(engine.memory.device.limits, before);
      engine.dispose();
    }
  }

  describe("compile on a webgl that can do less", () => {
    before(() => nn.setBackend("webgl"));
    const net = (): nn.Module =>
      new nn.Sequential(new nn.Conv2d(3, 8, 3), new nn.BatchNorm2d(8), new nn.SiLU(), new nn.MaxPool2d(2)); // prettier-ignore

    it("draws to 16-bit floats where there are no others", async () => {
      const x = nn.randn(1, 3, 10, 12);
      const said = await onDevice({ precision: "float16" }, net(), x, { rtol: 1e-2, atol: 1e-2 });
      expect(said).to.equal("2 kernel calls, 0 of them tfjs ops");
    });

    it("keeps no integers in 16-bit floats", async () => {
      const x = tf.tensor2d([[4999, 2049, 7]], [1, 3], "int32");
      const close = { rtol: 1e-3, atol: 1e-4 };
      const said = await onDevice({ precision: "float16" }, new nn.Embedding(5000, 4), x, close);
      expect(said).to.match(/^runs eagerly: this GPU draws to 16-bit floats only/);
    });

    it("runs eagerly what its textures are too small for: a tensor, or a weight", async () => {
      const close = { rtol: 1e-3, atol: 1e-4 };
      const small = { maxTextureSize: 64 };
      const tensor = await onDevice(small, net(), nn.randn(1, 3, 200, 200), close);
      expect(tensor).to.match(/^runs eagerly: a tensor of the model needs a texture of/);
      const weight = await onDevice(small, new nn.Linear(256, 256), nn.randn(1, 256), close);
      expect(weight).to.equal(tensor.replace(/of \d+ × \d+ texels/, "of 128 × 128 texels"));
      expect(await onDevice(small, net(), nn.randn(1, 3, 9, 9), close)).to.match(/^2 kernel calls/);
    });
  });
}
