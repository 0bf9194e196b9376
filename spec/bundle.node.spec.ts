import { expect } from "chai";
import { build } from "esbuild";
import { mkdir, writeFile } from "node:fs/promises";

/** What an app's bundler makes of the library. */
async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ".", loader: "ts" },
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2022",
    packages: "external",
    alias: { sconce: "./lib/index.ts" },
    logLevel: "error",
  });
  return outputFiles[0]!.text;
}

/** Runs a bundle; it lies in the project, where it finds its packages. */
async function run<T>(code: string): Promise<T> {
  const file = new URL("../out/bundle/app.mjs", import.meta.url);
  await mkdir(new URL(".", file), { recursive: true });
  await writeFile(file, code);
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
    const code = await bundle(`
      import { Sequential, Conv2d, ReLU } from "sconce";
      export default String(new Sequential(new Sequential(new Conv2d(1, 2, 3)), new ReLU()));
    `);
    expect(await run<string>(code)).to.equal(
      "Sequential(\n  (0): Sequential(\n" +
        "    (0): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))\n  )\n  (1): ReLU()\n)",
    );
  });
});
