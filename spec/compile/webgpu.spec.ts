/**
 * In a page of its own: SwiftShader, once a page has used WebGPU, gives zeros for its WebGL.
 */
import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { TOLERANCE } from "../support/backends.js";
import { expectClose } from "../support/expect.js";
import { inBrowser } from "../support/files.js";
import { SMALL_MODELS } from "../support/small-models.js";

const listed = (result: unknown): tf.Tensor[] => [result].flat(3) as tf.Tensor[];

if (inBrowser) {
  describe("compile on webgpu", () => {
    before(async function () {
      // SwiftShader has it; a browser of somebody else's may not.
      if ((await navigator.gpu?.requestAdapter()) == null) return this.skip();
      await nn.setBackend("webgpu");
    });

    for (const [name, make, shape] of SMALL_MODELS) {
      it(`${name}: what the model gives on cpu`, async () => {
        nn.manualSeed(3);
        await nn.setBackend("cpu");
        const model = make();
        const x = nn.randn(shape);
        const wanted = listed(model(x));
        const want = wanted.map((one) => one.dataSync());
        tf.dispose(wanted);
        await nn.setBackend("webgpu");
        const fast = await nn.compile(model, x);
        for (const turn of ["first", "second"]) {
          const got = listed(fast(x));
          for (const [i, one] of got.entries()) {
            expectClose(await one.data(), want[i]!, TOLERANCE.webgpu, `${name}, ${i}, ${turn}`);
          }
          tf.dispose(got);
        }
        expect(fast.explain().compiled).to.equal(true);
        fast.dispose();
        model.dispose();
        x.dispose();
      });
    }
  });
}
