import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import type { Metafile } from "esbuild";
import { readFileSync } from "node:fs";
import * as modules from "../lib/index.js";
import * as models from "../lib/models/index.js";
import { writeChunks } from "../scripts/chunks.js";
import { expectSame } from "./support/graphs.js";

const OUT = "out/chunks";

const load = <T>(name: string): Promise<T> =>
  import(new URL(`../${OUT}/${name}.js`, import.meta.url).href) as Promise<T>;

const namesOf = (from: object): [string, unknown][] =>
  Object.entries(from).map(([name, one]) => [
    name,
    typeof one === "function" && /^[A-Z]/.test(name) ? (one as { name: string }).name : typeof one,
  ]);

describe("The chunks that Node gets", () => {
  let outputs: Metafile["outputs"];
  before(async () => {
    ({ outputs } = (await writeChunks(OUT, undefined, { metafile: true })).metafile!);
  });

  it("are entries of package.json", () => {
    const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as {
      exports: Record<string, { node?: string }>;
    };
    const given = Object.values(exports).flatMap(({ node }) => node ?? []);
    expect(given).to.have.length(6);
    for (const file of given)
      expect(outputs)
        .to.have.property(file.replace("./dist/node", OUT))
        .with.property("entryPoint");
  });

  it("have what the modules have, under the same names, and share it", async () => {
    const nn = await load<typeof modules>("index");
    const ready = await load<typeof models>("models");
    expect(namesOf(nn)).to.deep.equal(namesOf(modules));
    expect(namesOf(ready)).to.deep.equal(namesOf(models));
    expect(new ready.ResNet(ready.BasicBlock, [1, 1, 1, 1])).to.be.instanceOf(nn.Module);
  });

  it("are few: with the compiler, not more than thirty", () => {
    const seen = new Set<string>();
    const read = (file: string): void => {
      if (seen.has(file) || !outputs[file]) return;
      seen.add(file);
      for (const { path, kind } of outputs[file].imports)
        if (kind === "import-statement") read(path);
    };
    read(`${OUT}/index.js`);
    const compiler = Object.keys(outputs).find(
      (name) => outputs[name]!.entryPoint === "lib/compile/cpu.ts",
    );
    read(compiler!);
    expect(seen.size).to.be.within(2, 30);
  });

  it("compile, and load programs", async () => {
    const nn = await load<typeof modules>("index");
    await nn.setBackend("cpu");
    const model = new nn.Linear(3, 2);
    const x = nn.rand(4, 3);
    const fast = await nn.compile(model, x);
    expect(nn.format(fast(x))).to.equal(nn.format(model(x)));
    expect(fast.explain().compiled).to.equal(true);
    const program = await nn.loadExported("spec/goldens/exported/mlp.pt2");
    expect(String(program)).to.match(/^ExportedProgram:/);
    fast.dispose();
    model.dispose();
    x.dispose();
    program.dispose();
  });

  it("compile the models of another copy of the library, and the other way round", async () => {
    const nn = await load<typeof modules>("index");
    // Each has its kernels then, which tfjs does not see.
    for (const copy of [modules, nn]) await copy.setBackend("cpu");
    const x = tf.randomNormal([2, 3, 8, 8]);
    for (const [ours, theirs] of [
      [modules, nn],
      [nn, modules],
    ] as const) {
      const model = new theirs.Sequential(
        new theirs.Conv2d(3, 4, 3),
        new theirs.ReLU(),
        new theirs.Flatten(),
        new theirs.Linear(144, 5),
      );
      const fast = await ours.compile(model, tf.zeros([2, 3, 8, 8]));
      expect(fast.explain().compiled, fast.explain().reason ?? "").to.equal(true);
      expectSame(fast(x), model(x), { rtol: 1e-4, atol: 1e-5 }, "of another copy");
      fast.dispose();
      model.dispose();
    }
  });
});
