import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { BACKENDS, onEveryBackend } from "../support/backends.js";
import { compile, Going } from "../support/going.js";
import { expectSame } from "../support/graphs.js";

type T = tf.Tensor;

onEveryBackend("Numbers that weights cannot take, compiled", (_, tolerance) => {
  it("a quotient by 0 is infinite", async () => {
    const given = nn.randn(2, 4);
    const values = given.dataSync();
    for (const zero of [0, -0]) {
      const fast = await compile((y: T) => tf.div(y, zero), given);
      expect([...fast(given).dataSync()]).to.deep.equal([...values].map((y) => y / zero));
    }
  });

  const factors: [string, (x: T) => T, ((x: T) => T)?][] = [
    ["times infinity", (x) => tf.mul(x, Infinity)],
    // GPUs divide by reciprocals: eagerly that of 1e38 is 0 there.
    ["over 1e-38", (x) => tf.mul(tf.div(x, 1e38), 1e38), (x) => x],
  ];
  for (const [what, run, same = run] of factors) {
    it(`a product ${what}`, async () => {
      nn.manualSeed(3);
      const model = new Going(run);
      model.linear.weight.assign(tf.mul(model.linear.weight, 20));
      const x = nn.randn(3, 4);
      const fast = await compile(model, x);
      expectSame(fast(x), same(model.linear(x)), tolerance, what);
    });
  }
});

/** tfjs' wasm backend has none. */
const WITH_COMPLEX = BACKENDS.filter((backend) => backend !== "wasm");

onEveryBackend(
  "Complex numbers, compiled",
  (_, tolerance) => {
    it("complex numbers run eagerly", async () => {
      const run = (x: T): T => tf.abs(tf.spectral.rfft(x));
      const x = nn.randn(2, 8);
      const fast = await compile(run, x);
      expect(fast.explain().reason).to.match(/complex/);
      expectSame(fast(x), run(x), tolerance, "rfft");
      const given = tf.complex(x, x);
      const real = await compile((y: T) => tf.real(y), given);
      expectSame(real(given), x, tolerance, "real");
    });
  },
  WITH_COMPLEX,
);

onEveryBackend("NaN that meets a fused ReLU, compiled", (_, tolerance) => {
  it("stays", async () => {
    const model = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), new nn.Linear(8, 8), new nn.ReLU6()); // prettier-ignore
    const x = tf.tensor2d([NaN, 1, 2, 3], [2, 2]);
    const fast = await compile(model, x);
    expect(Array.from(fast(x).dataSync()).slice(0, 8)).to.deep.equal(new Array(8).fill(NaN));
    expectSame(fast(x), model(x), tolerance, "ReLU");
  });
});
