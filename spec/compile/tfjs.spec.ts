import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { optimise, DECOMPOSED } from "../../lib/compile/passes/index.js";
import { createTfjsEngine } from "../../lib/compile/tfjs/engine.js";
import { SHAPES_ONLY } from "../../lib/compile/shapes.js";
import { record } from "../../lib/compile/trace.js";
import { nodesIn } from "../../lib/graph/index.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectNoLeak } from "../support/expect.js";
import { inNode } from "../support/files.js";
import { expectSame } from "../support/graphs.js";
import { Block, SMALL_MODELS } from "../support/small-models.js";

onEveryBackend("the optimised graph in tfjs' fused ops", (_backend, tolerance) => {
  for (const [name, make, shape] of SMALL_MODELS) {
    it(`${name}: what the model gives, and no tensor left`, () => {
      nn.manualSeed(3);
      const model = make();
      const x = nn.randn(shape);
      const { graph, dispose } = record(model, [x], DECOMPOSED, SHAPES_ONLY);
      dispose();
      const engine = createTfjsEngine(model);
      const plan = engine.plan(optimise(graph));
      const run = (): tf.Tensor[] => {
        const read = plan.execute([x]);
        return nodesIn(plan.graph.output!.args).map(read);
      };
      const want = model(x) as unknown;
      expectSame(run(), want, tolerance, name);
      expectNoLeak(() => tf.dispose(run()));
      expect(plan.profile([x]).times).to.have.lengthOf(plan.describe().length);
      tf.dispose(want as tf.TensorContainer);
      engine.dispose();
      model.dispose();
      x.dispose();
    });
  }

  it("folds BatchNorm and activations away", () => {
    const model = new Block();
    const { graph, dispose } = record(model, [tf.zeros([1, 3, 8, 8])], DECOMPOSED, SHAPES_ONLY);
    dispose();
    const plan = createTfjsEngine(model).plan(optimise(graph));
    const ops = plan.describe().map(({ node }) => node.target);
    expect(ops.filter((op) => op === "batch_norm" || op === "relu")).to.deep.equal([]);
  });
});

if (inNode) {
  describe("compile on wasm", () => {
    before(() => nn.setBackend("wasm"));
    it("runs by the kernels of cpu, and sees new values of parameters", async () => {
      const model = new nn.Sequential(new nn.Linear(5, 9), new nn.ReLU(), new nn.Linear(9, 3));
      const fast = await nn.compile(model, tf.zeros([1, 5]));
      const x = nn.randn(4, 5);
      expectSame(fast(x), model(x), { rtol: 1e-4, atol: 1e-5 }, "before");
      expect(fast.profile(x).rows.map(({ kernel }) => kernel)).to.deep.equal(["linear", "linear"]);
      expect(fast.explain().weightBytes).to.be.at.least(4 * 72);
      model.loadStateDict(
        new Map([...model.stateDict()].map(([key, { shape }]) => [key, nn.randn(shape)])),
      );
      expectSame(fast(x), model(x), { rtol: 1e-4, atol: 1e-5 }, "after");
      expectSame(await fast.run(x), model(x), { rtol: 1e-4, atol: 1e-5 }, "later");
      expectNoLeak(() => fast(x).dispose());
      fast.dispose();
    });

    it("has the precisions of cpu", async () => {
      const model = new nn.Linear(64, 64);
      const fast = await nn.compile(model, tf.zeros([1, 64]), { precision: "int8" });
      const x = nn.randn(2, 64);
      expectSame(fast(x), model(x), { rtol: 0, atol: 0.05 }, "int8");
      expect(fast.explain().weightBytes).to.be.below(64 * 64 * 2);
      fast.dispose();
    });
  });
}
