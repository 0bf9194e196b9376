import { expect } from "chai";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** What a program prints that imports these first, and then this library. */
async function output(imports: readonly string[], program: string): Promise<string> {
  const lines = [...imports, "../lib/index.js"].map(
    (path) => `await import(${JSON.stringify(new URL(path, import.meta.url).href)});`,
  );
  const source = `const tf = await import("@tensorflow/tfjs-core"); ${lines.join(" ")} ${program}`;
  const args = ["--import", "tsx", "--input-type=module", "-e", source];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  return stdout.trim();
}

const CPU = "../node_modules/@tensorflow/tfjs-backend-cpu/dist/index.js";
const LINEAR = `
  const { functional: F } = await import("${new URL("../lib/index.js", import.meta.url).href}");
  const { kernelNames } = await tf.profile(() => F.linear(tf.ones([2, 3]), tf.ones([4, 3])));
  console.log(tf.getBackend(), kernelNames.filter((name) => name !== "Fill").length);`;

describe("The backend of those who choose none", () => {
  it("runs our kernels, also where the program has imported tfjs' cpu backend before", async () => {
    expect(await output([], LINEAR)).to.equal("cpu 0");
    expect(await output([CPU], LINEAR)).to.equal("cpu 0");
  }).timeout(60_000);
});
