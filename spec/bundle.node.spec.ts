import { expect } from "chai";
import { build, type BuildOptions } from "esbuild";

const options = (contents: string): BuildOptions => ({
  stdin: { contents, resolveDir: ".", loader: "ts" },
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  // Not those of Node: a page has none.
  external: ["@tensorflow/*"],
  alias: { sconce: "./lib/index.ts" },
  logLevel: "error",
});

/** What an app's bundler makes of the library. */
async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({ ...options(contents), write: false });
  return outputFiles[0]!.text;
}

/** Runs an app's bundle; it lies in the project, where it finds its packages. */
async function run<T>(contents: string, splitting = false): Promise<T> {
  const outdir = `out/bundle/${splitting ? "split" : "whole"}`;
  await build({ ...options(contents), splitting, outdir, outExtension: { ".js": ".mjs" } });
  const file = new URL(`../${outdir}/stdin.mjs?${Math.random()}`, import.meta.url);
  return ((await import(file.href)) as { default: T }).default;
}

describe("In an app's bundle", () => {
  it("layers that are not used are left out, and the default backend stays", async () => {
    const one = await bundle(`import { Linear } from "sconce"; console.log(Linear);`);
    const all = await bundle(`import * as nn from "sconce"; console.log(nn);`);
    expect(one).to.contain("@tensorflow/tfjs-backend-cpu").and.not.contain("ConvTranspose2d");
    expect(all).to.contain("ConvTranspose2d");
    expect(one.length).to.be.below(all.length / 2);
  });

  it("a model prints as PyTorch prints it, though classes were renamed", async () => {
    const app = `
      import { Sequential, Conv2d, ReLU } from "sconce";
      export default String(new Sequential(new Sequential(new Conv2d(1, 2, 3)), new ReLU()));
    `;
    expect(await run<string>(app)).to.equal(
      "Sequential(\n  (0): Sequential(\n" +
        "    (0): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))\n  )\n  (1): ReLU()\n)",
    );
  });

  for (const splitting of [false, true]) {
    it(`what is loaded on demand works ${splitting ? "in chunks" : "in one file"}`, async () => {
      const app = `
        import * as tf from "@tensorflow/tfjs-core";
        import * as nn from "sconce";
        await nn.setBackend("cpu");
        const model = new nn.Linear(3, 2);
        model.loadStateDict(await nn.load(await nn.save(model.stateDict())));
        const x = nn.rand(4, 3);
        const fast = await nn.compile(model, x);
        const difference = tf.max(tf.abs(tf.sub(model(x), fast(x)))).dataSync()[0];
        const file = "spec/goldens/exported/mlp.pt2";
        export default [difference < 1e-6, fast.explain().compiled, String(await nn.loadExported(file))];
      `;
      const [isClose, isCompiled, program] = await run<[boolean, boolean, string]>(app, splitting);
      expect([isClose, isCompiled]).to.deep.equal([true, true]);
      expect(program).to.match(/^ExportedProgram:/);
    });
  }
});
