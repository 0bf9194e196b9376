import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { BROWSER_FLAGS, findBrowser } from "../../scripts/browser.js";
import { connect, expose } from "../../lib/worker/index.js";

const OUT = new URL("../../out/worker/", import.meta.url);

const EXPECTED = {
  y: [2, -4],
  shape: [1, 2],
  list: ["int32", 1, 0],
  tripled: [3, -6],
  failed: "RangeError: expected a matrix, got rank 1 on webgl",
  cancelled: "AbortError: signal is aborted without reason",
  already: "AbortError: signal is aborted without reason",
  unknown: "TypeError: run got an unexpected option 'sgnal'; known options: signal, transfer",
  goesOn: [2, -4],
  isLeft: true,
  disposed: "Error: connect: this model is disposed",
  after: "Error: connect: this model is disposed",
};

/** What an app's bundler makes of page and worker. */
async function bundle(platform: "node" | "browser"): Promise<void> {
  await build({
    entryPoints: ["model.worker", "pipelined.worker", "page"].map((one) => `spec/worker/${one}.ts`),
    outdir: "out/worker",
    outExtension: { ".js": `.${platform}.mjs` },
    bundle: true,
    format: "esm",
    target: "es2022",
    alias: { sconce: "./lib/index.ts", "sconce/worker": "./lib/worker/index.ts" },
    ...(platform === "node" ? { packages: "external", platform } : { external: ["node:*"] }),
    logLevel: "error",
  });
}

describe("A model in a worker", function () {
  this.timeout(120_000);
  before(() => mkdir(OUT, { recursive: true }));

  it("is called as a model is, in Node, and does not keep the process alive", async () => {
    await bundle("node");
    await writeFile(
      new URL("main.mjs", OUT),
      `import { Worker } from "node:worker_threads";
       import { connect, useModel } from "./page.node.mjs";
       const start = () => new Worker(new URL("./model.worker.node.mjs", import.meta.url));
       console.log(JSON.stringify(await useModel(start())));
       // Neither disposed nor used: the process ends all the same.
       connect(start());`,
    );
    const text = execFileSync(process.execPath, ["out/worker/main.mjs"], { encoding: "utf8", timeout: 60_000 }); // prettier-ignore
    const node = "AbortError: This operation was aborted";
    const failed = EXPECTED.failed.replace("webgl", "cpu");
    const want = { ...EXPECTED, failed, cancelled: node, already: node };
    expect(JSON.parse(text)).to.deep.equal(want);
  });

  it("takes the next call of a compiled model while the GPU computes, of any other one by one", async () => {
    await bundle("node");
    for (const [kind, most] of [
      ["compiled", 2],
      ["plain", 1],
    ] as const) {
      const worker = new Worker(new URL("pipelined.worker.node.mjs", OUT), { argv: [kind] });
      const call = connect<() => number>(worker);
      const seen = await Promise.all([call(), call(), call(), call()]);
      expect(Math.max(...seen), kind).to.equal(most);
      call.dispose();
    }
  });

  it("is called as a model is, in a page, on an OffscreenCanvas", async () => {
    await bundle("browser");
    const server = createServer((request, response) => {
      const isPage = request.url === "/";
      response.setHeader("content-type", isPage ? "text/html" : "text/javascript");
      if (isPage) response.end("<!doctype html><title>worker</title>");
      else
        readFile(new URL(`.${request.url}`, OUT)).then(
          (code) => response.end(code),
          () => response.writeHead(404).end(),
        );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const browser = await chromium.launch({
      executablePath: await findBrowser(),
      args: BROWSER_FLAGS,
    });
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      const [seen, broken, backend] = await page.evaluate<[object, string, string]>(`(async () => {
        const { useModel, connect, tf } = await import("/page.browser.mjs");
        const start = (url) => new Worker(url, { type: "module" });
        const seen = await useModel(start("/model.worker.browser.mjs"));
        const broken = await connect(start("/missing.mjs"))().catch(String);
        return [seen, broken, tf.getBackend()];
      })()`);
      expect(seen).to.deep.equal(EXPECTED);
      expect(broken).to.equal("Error: connect: the worker failed to start");
      expect(backend).to.equal("cpu");
    } finally {
      await browser.close();
      server.close();
    }
  });

  it("cannot be exposed from where there is no page to speak to", () => {
    expect(() => expose(() => () => null)).to.throw("expose: expects to be called in a worker");
  });
});
