import { expect } from "chai";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Cloudflare's Workers compile no WebAssembly once they have started, though it is there. */
const APP = `
  import * as nn from "./lib/index.ts";
  import "./lib/cpu.ts";
  await nn.setBackend("cpu");
  WebAssembly.Module = class {
    constructor() {
      throw new WebAssembly.CompileError("Wasm code generation disallowed by embedder");
    }
  };
  const model = new nn.Sequential(
    new nn.Conv2d(3, 16, 3), new nn.ReLU(), new nn.Flatten(), new nn.Linear(576, 3),
  );
  model.loadStateDict(await nn.load(await nn.save(model.stateDict())));
  const x = nn.randn(2, 3, 8, 8);
  const want = model(x).dataSync();
  const fast = await nn.compile(model, x, { threads: 2 });
  for (let i = 0; i < 20; i += 1) {
    const worst = Math.max(...fast(x).dataSync().map((y, k) => Math.abs(y - want[k])));
    if (!(worst < 1e-5)) throw new Error(String(worst));
  }
  console.log(want.length, fast.explain().compiled);
`;

/** The same, after a model has run while they started. */
const WARM = `
  import * as tf from "@tensorflow/tfjs-core";
  import * as nn from "./lib/index.ts";
  import "./lib/cpu.ts";
  await nn.setBackend("cpu");
  const x = new nn.Linear(8, 300)(nn.randn(40, 8));
  WebAssembly.Module = class {
    constructor() {
      throw new WebAssembly.CompileError("Wasm code generation disallowed by embedder");
    }
  };
  const runs = [() => tf.erf(x), () => nn.functional.gelu(x), () => new nn.LSTM(300, 4)(x)[0]];
  const sums = runs.map((run) => Number.isFinite(tf.sum(run()).dataSync()[0]));
  console.log(String(sums));
`;

async function output(app: string): Promise<string> {
  const args = ["--import", "tsx", "--input-type=module", "-e", app];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  return stdout.trim();
}

describe("Where WebAssembly may no more be compiled", () => {
  it("models run, also compiled, by JavaScript", async () => {
    expect(await output(APP)).to.equal("6 true");
  });

  it("they go on by JavaScript, too, if they ran before", async () => {
    expect(await output(WARM)).to.equal("true,true,true");
  });
});
