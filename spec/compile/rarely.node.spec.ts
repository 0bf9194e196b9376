import { expect } from "chai";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** In a process in which nothing has loaded the kernels that few models need. */
async function output(app: string): Promise<string> {
  const head = `
    import * as tf from "@tensorflow/tfjs-core";
    import * as nn from "./lib/index.ts";
    await nn.setBackend("cpu");
  `;
  const args = ["--import", "tsx", "--input-type=module", "-e", head + app];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  return stdout.trim();
}

describe("Kernels that few models need", () => {
  it("are loaded for a step of a recurrent layer, which could do without", async () => {
    const app = `
      const fast = await nn.compile(new nn.LSTMCell(3, 4), nn.randn(2, 3));
      const { steps, fallbacks } = fast.explain();
      console.log(steps, fallbacks.length);
    `;
    expect(await output(app)).to.equal("1 0");
  });

  it("come to a plan that was made without them, whose answers stay the model's", async () => {
    const app = `
      const run = (x) => (x.shape[0] === 2 ? x : tf.cumsum(x, 1));
      const fast = await nn.compile(run, tf.ones([2, 3]));
      const [x, y] = [tf.ones([1, 3]), tf.ones([3, 3])];
      const call = (z) => [fast.explain().fallbacks.length, String(fast(z).dataSync())].join(" ");
      fast(x);
      const before = call(x);
      fast(y);
      (await nn.compile((z) => tf.argMax(z, 1), x)).dispose();
      fast(x);
      console.log([before, call(x), fast.explain().compiled].join("; "));
    `;
    expect(await output(app)).to.equal("1 1,2,3; 0 1,2,3; true");
  });

  it("are waited for before an op is made of what has kernels, which takes longer", async () => {
    const app = `
      const cell = new nn.GRUCell(3, 3);
      const run = (x) => (x.shape[0] === 2 ? x : cell(x));
      const fast = await nn.compile(run, tf.ones([2, 3]));
      const x = tf.ones([4, 3]);
      const worst = () => tf.max(tf.abs(tf.sub(fast(x), run(x)))).dataSync()[0] < 1e-6;
      const told = [worst(), fast.explain().fallbacks.map(({ op }) => op)];
      (await nn.compile((y) => tf.argMax(y, 1), x)).dispose();
      console.log(...told, worst(), fast.explain().steps);
    `;
    expect(await output(app)).to.equal("true [ 'gru_cell' ] true 1");
  });
});
