import { expect } from "chai";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as lesson from "../../examples/lesson/lesson.js";

/** The blocks that the lesson's document prints, character for character. */
const NUMPY_BLOCK = `(2, 4)
[[ 0.70943743  2.02464985 -1.43265056 -0.98758141]
 [-1.0456442  -0.92976807 -0.06964786  0.99213495]]

(4,)
[ 1.44433871 -1.11848055  1.04408346  1.61268503]

(4, 3)
[[-0.48803966  0.68726479 -0.75323276]
 [-0.14658621 -1.5626481  -0.35448567]
 [ 0.17685921  0.33741607  0.16612063]
 [-0.08993748  0.28330807 -2.00524662]]

(3,)
[-1.10223222 -0.7383462   1.12258491]

`;

const TORCH_BLOCK = `torch.Size([4, 2])
Parameter containing:
tensor([[-0.2487, -0.1411],
        [-0.2317, -0.4321],
        [ 0.0768,  0.1541],
        [-0.5610, -0.5094]], requires_grad=True)

torch.Size([4])
Parameter containing:
tensor([0.2022, 0.0937, 0.4571, 0.3154], requires_grad=True)

torch.Size([3, 4])
Parameter containing:
tensor([[ 0.1982, -0.0740,  0.0631, -0.4177],
        [-0.0114,  0.4622, -0.1800, -0.3551],
        [-0.1526,  0.1708,  0.2700,  0.3530]], requires_grad=True)

torch.Size([3])
Parameter containing:
tensor([ 0.3663, -0.1895, -0.3060], requires_grad=True)

`;

describe("The lesson", () => {
  it("prints the numpy network's parameters as the document does", () => {
    expect(lesson.numpyParameters(lesson.numpyNetwork())).to.equal(NUMPY_BLOCK);
  });

  it("prints the PyTorch network's parameters as the document does", () => {
    const model = lesson.torchNetwork();
    expect(lesson.torchParameters(model)).to.equal(TORCH_BLOCK);
    model.dispose();
  });

  it("gives ten samples the shape (10, 3), by both networks", () => {
    const model = lesson.torchNetwork();
    expect(lesson.numpyNetwork().predict(lesson.samples()).shape).to.deep.equal([10, 3]);
    expect(lesson.crossCheck(model, lesson.samples())).to.be.at.most(1e-6);
    model.dispose();
  });

  it("shows that two linear functions are one, and plots the sigmoid", () => {
    expect(lesson.composition()).to.contain("f(g(x)) = 12x + 5");
    const points = lesson.sigmoidPoints();
    expect(points).to.have.lengthOf(100);
    expect(points[0]![0]).to.equal(-8);
    expect(points[99]).to.deep.equal([8, 1 / (1 + Math.exp(-8))]);
    expect(lesson.sigmoidPlot()).to.match(/0\.5┤.*┏┛/);
  });
});

describe("npm start", function () {
  this.timeout(180_000);

  for (const backend of ["cpu", "wasm"]) {
    it(`tells the lesson and classifies the held-out pictures on ${backend}`, async () => {
      const out = await mkdtemp(join(tmpdir(), "sconce-lesson-"));
      const args = ["--import", "tsx", "examples/lesson/main.ts"];
      const { stdout } = await promisify(execFile)(process.execPath, [
        ...args,
        ...["--backend", backend, "--out", out],
      ]);
      expect(stdout).to.contain(NUMPY_BLOCK);
      expect(stdout).to.contain(TORCH_BLOCK);
      expect(stdout).to.contain("out_numpy.shape\n(10, 3)");
      expect(stdout).to.contain("out_torch.shape\ntorch.Size([10, 3])");
      // PyTorch's own counts for these 1,000 pictures: 883 and 936.
      expect(stdout).to.match(/mlp\.safetensors[^]*88\.3 % {2}\(883 of 1000\)/);
      expect(stdout).to.match(/cnn\.safetensors[^]*93\.6 % {2}\(936 of 1000\)/);
      expect(stdout.match(/same pictures right: yes/g)).to.have.lengthOf(2);
      for (const [, difference] of stdout.matchAll(/largest logit difference: (\S+)/g)) {
        expect(Number(difference)).to.be.at.most(1e-4);
      }
      expect(stdout).to.contain("label: Ankle boot");
      expect(await readFile(join(out, "sigmoid.svg"), "utf8")).to.match(/^<svg[^]*<path/);
      await rm(out, { recursive: true });
    });
  }

  it("names the backends that there are if it is asked for another", async () => {
    const args = ["--import", "tsx", "examples/lesson/main.ts", "--backend", "bogus"];
    const error: unknown = await promisify(execFile)(process.execPath, args).catch(
      (e: unknown) => e,
    );
    expect((error as { stderr: string }).stderr).to.equal(
      "error: option '--backend <name>' argument 'bogus' is invalid. Allowed choices are cpu, wasm.\n",
    );
  });
});
