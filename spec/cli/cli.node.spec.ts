import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import "sconce";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { load } from "../../lib/checkpoint/index.js";
import { toNpy } from "../../lib/cli/npy.js";
import { runProgram } from "../../lib/cli/program.js";
import { FileServer } from "../support/file-server.js";
import { makeSafetensors, ramp } from "../support/safetensors.js";

const GOOD = "spec/goldens/checkpoints/good";

/** What a command prints, and how it ends. */
async function sconce(...args: string[]) {
  let [out, err] = ["", ""];
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
  };
  const code = await runProgram(args, terminal);
  return { code, out, err };
}

describe("sconce", () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), "sconce-cli-"))));
  after(() => rm(folder, { recursive: true }));

  it("runs as a program, with its exit code", async () => {
    const main = ["--import", "tsx", "lib/cli/main.ts", "inspect", "nothing.pt"];
    const result = await new Promise<object>((resolve) => {
      execFile(process.execPath, main, (error, stdout, stderr) =>
        resolve({ code: error?.code, stdout, stderr }),
      );
    });
    const stderr = "sconce: nothing.pt: there is no such file\n";
    expect(result).to.deep.equal({ code: 1, stdout: "", stderr });
  });

  it("ends quietly when whoever reads has enough, and says when there is no room", async () => {
    const file = join(folder, "many.safetensors");
    const names = Array.from({ length: 3000 }, (_, i) => [`layer.${i}`, ramp(1, i)] as const);
    await writeFile(file, makeSafetensors(Object.fromEntries(names)));
    const inspect = `"${process.execPath}" --import tsx lib/cli/main.ts inspect ${file}`;
    const { stdout, stderr } = await promisify(execFile)("bash", [
      ...["-c", `${inspect} | head -1; echo "\${PIPESTATUS[0]}"; ${inspect} > /dev/full; echo $?`],
    ]);
    expect(stdout).to.match(/^\S+many.safetensors: safetensors, [^\n]+\n0\n1\n$/);
    expect(stderr).to.match(/^sconce: the output cannot be written: ENOSPC: [^\n]+\n$/);
  });

  it("runs an exported program on arrays, and shows it", async () => {
    const program = "spec/goldens/exported/mlp.pt2";
    const [x, y] = [join(folder, "x.npy"), join(folder, "y.npy")];
    await writeFile(x, toNpy(tf.ones([2, 4])));
    const ran = await sconce("run", program, "--input", x, "--output", y);
    expect(ran).to.deep.equal({ code: 0, out: `softmax: float32 [2, 3] → ${y}\n`, err: "" });
    const { shape, dtype, data } = (await load(y)).get("array")!;
    expect([shape, dtype]).to.deep.equal([[2, 3], "float32"]);
    expect((data[0] as number) + (data[1] as number) + (data[2] as number)).to.be.closeTo(1, 1e-6);
    expect((await sconce("run", program)).err).to.equal(
      "sconce: the program takes 1 input (x), but got 0\n",
    );
    // What was fixed when it was exported, here a scale of 0.5, need not be given.
    const keyed = "spec/goldens/exported/keyed.pt2";
    const mask = join(folder, "mask.npy");
    await writeFile(x, toNpy(tf.zeros([2, 5], "int32")));
    await writeFile(mask, toNpy(tf.ones([2, 5])));
    expect((await sconce("run", keyed, "--input", x, "--input", mask)).out).to.equal(
      "mul_1: float32 [2, 3]\n",
    );
    await writeFile(x, toNpy(tf.ones([3, 4])));
    expect((await sconce("run", program, "--input", x)).err).to.equal(
      "sconce: Guard failed: x.size()[0] == 2\n  in ExportedProgram\n",
    );
    const several = `${GOOD}/tied.pt`;
    expect((await sconce("run", program, "--input", several)).err).to.equal(
      `sconce: ${several}: has 2 arrays; an --input is one, as in an .npy\n`,
    );
    expect((await sconce("inspect", program)).out).to.match(/^ExportedProgram:\n/);
  });

  it("tells of an exported program as JSON", async () => {
    const program = "spec/goldens/exported/mlp.pt2";
    const { code, out } = await sconce("inspect", program, "--json");
    expect(code).to.equal(0);
    const { program: text, tensors, ...about } = JSON.parse(out) as Record<string, unknown>;
    expect(text).to.match(/^ExportedProgram:\n/);
    expect(about).to.deep.equal({
      file: program,
      format: "exported program",
      inputs: [{ name: "x", dtype: "float32", shape: [2, 4] }],
      total: { tensors: 4, elements: 67, bytes: 268 },
    });
    expect((tensors as object[])[0]).to.deep.equal({
      ...{ key: "fc1.weight", dtype: "float32", shape: [8, 4], bytes: 128 },
    });
    const keyed = await sconce("inspect", program, "--key", "fc1");
    expect(keyed).to.deep.include({ code: 2, out: "" });
    expect(keyed.err).to.contain("--key is for checkpoints, not for programs");
    expect((await sconce("convert", program, join(folder, "x.safetensors"))).err).to.contain(
      `${program}: is a program of torch.export.save: nn.loadExported loads it`,
    );
  });

  it("tells how it is used", async () => {
    const { code, out } = await sconce("--help");
    expect(code).to.equal(0);
    expect(out)
      .to.match(/^Usage: sconce/)
      .and.contain("inspect")
      .and.contain("convert");
    expect((await sconce("inspect", "--help")).out).to.contain("--json");
    expect(await sconce("--version")).to.deep.include({ code: 0, out: "0.1.0\n" });
  });

  it("says what is wrong with the arguments", async () => {
    const cases = [
      [["inspect"], "missing required argument 'file'"],
      [["nothing"], "unknown command 'nothing'"],
      [["inspect", "a", "--fast"], "unknown option '--fast'"],
      [
        ["convert", "a", "b.safetensors", "--dtype", "int8"],
        "Allowed choices are float16, bfloat16",
      ],
      [["convert", "a.pt", "b.pt"], "the output has to be a .safetensors file, got 'b.pt'"],
    ] as const;
    for (const [args, message] of cases) {
      const { code, out, err } = await sconce(...args);
      expect(code, message).to.equal(2);
      expect(out).to.equal("");
      expect(err).to.contain(message).and.contain("--help");
    }
  });

  describe("inspect", () => {
    it("prints a table", async () => {
      const { code, out } = await sconce("inspect", `${GOOD}/tied.pt`);
      expect(code).to.equal(0);
      expect(out).to.equal(
        [
          `${GOOD}/tied.pt: torch, 1.7 KB`,
          "┌─────────────┬─────────┬────────┬──────┐",
          "│ key         │ dtype   │ shape  │ size │",
          "│ emb.weight  │ float32 │ [6, 4] │ 96 B │",
          "│ head.weight │ float32 │ [6, 4] │ 96 B │",
          "└─────────────┴─────────┴────────┴──────┘",
          "2 tensors, 48 elements, 192 B\n",
        ].join("\n"),
      );
    });

    it("prints JSON", async () => {
      const { out } = await sconce("inspect", "--json", `${GOOD}/net.safetensors`);
      const told = JSON.parse(out) as { tensors: object[]; total: object; format: string };
      expect(told.format).to.equal("safetensors");
      const entries = await load(`${GOOD}/net.safetensors`);
      const tensors = [...entries].map(([key, { dtype, shape, data }]) => {
        return { key, dtype, shape, bytes: data.byteLength };
      });
      expect(told.tensors).to.deep.equal(tensors);
    });

    it("reads every format, and of a trainer's file what --key says", async () => {
      for (const name of await readdir(GOOD)) {
        expect(await sconce("inspect", `${GOOD}/${name}`), name).to.include({ code: 0, err: "" });
      }
      const trainer = `${GOOD}/trainer.pt`;
      const { out } = await sconce("inspect", trainer, "--key", "model", "--json");
      expect((JSON.parse(out) as { tensors: object[] }).tensors).to.have.lengthOf(9);
      expect((await sconce("inspect", trainer, "--key", "ema")).err).to.contain("no 'ema' in it");
    });

    it("fetches headers only", async () => {
      const server = await FileServer.start();
      try {
        const bytes = makeSafetensors({ a: ramp(500_000, 0), b: ramp(500_000, 0) });
        const url = server.serve("model", { bytes, etag: '"1"' });
        const { code, out } = await sconce("inspect", url);
        expect(code).to.equal(0);
        expect(out).to.contain("2 tensors, 1,000,000 elements, 4.0 MB");
        expect(server.sent()).to.equal(65536);
        expect((await sconce("inspect", `${url}s`)).err).to.contain("no such file on the server");
      } finally {
        await server.stop();
      }
    });

    it("refuses what is no checkpoint, and prints no control characters", async () => {
      expect(await sconce("inspect", "package.json")).to.include({ code: 1, out: "" });
      const path = join(folder, "evil.safetensors");
      await writeFile(path, makeSafetensors({ "\u001b[2Jx": ramp(1, 0) }));
      expect((await sconce("inspect", path)).out)
        .to.contain("\\u001b[2Jx")
        .and.not.contain("\u001b");
    });
  });

  describe("convert", () => {
    it("writes safetensors of the same values", async () => {
      const path = join(folder, "mixed.safetensors");
      const { code, out } = await sconce("convert", `${GOOD}/mixed.pt`, path);
      expect({ code, out }).to.deep.equal({ code: 0, out: `${path}: 12 tensors, 917 B\n` });
      const [from, to] = [await load(`${GOOD}/mixed.pt`), await load(path)];
      expect([...to.keys()]).to.have.members([...from.keys()]);
      for (const [key, { dtype, shape, data }] of from) {
        const { dtype: toDtype, shape: toShape, data: toData } = to.get(key)!;
        expect({ dtype: toDtype, shape: toShape, data: toData }).to.deep.equal({
          dtype,
          shape,
          data,
        });
      }
    });

    it("writes halves, in place of its input too", async () => {
      const path = join(folder, "tied.safetensors");
      await sconce("convert", `${GOOD}/tied.pt`, path);
      const { code } = await sconce("convert", path, path, "--dtype", "float16");
      expect(code).to.equal(0);
      const dtypes = [...(await load(path)).values()].map(({ dtype }) => dtype);
      expect(dtypes).to.deep.equal(["float16", "float16"]);
      expect((await readdir(folder)).filter((name) => name.endsWith(".part"))).to.deep.equal([]);
    });

    it("leaves what is there if it fails", async () => {
      const path = join(folder, "kept.safetensors");
      await writeFile(path, "kept");
      expect((await sconce("convert", "nothing.pt", path)).code).to.equal(1);
      expect(await readFile(path, "utf8")).to.equal("kept");
      const lost = await sconce("convert", `${GOOD}/tied.pt`, join(folder, "no/x.safetensors"));
      expect(lost.code).to.equal(1);
      expect(lost.err).to.equal(
        `sconce: ${folder}/no/x.safetensors: cannot be written: there is no folder '${folder}/no'\n`,
      );
    });
  });
});
