import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { mock } from "node:test";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { BROWSER_FLAGS, findBrowser } from "../../scripts/browser.js";
import * as nn from "../../lib/index.js";
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
    entryPoints: ["model.worker", "pipelined.worker", "lost.worker", "page"].map(
      (one) => `spec/worker/${one}.ts`,
    ),
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

const MEDIA: Record<string, string> = { html: "text/html", js: "text/javascript", mjs: "text/javascript" }; // prettier-ignore

/** Evaluates a text in a page of a folder, in a Chromium of its own. */
async function inPage<T>(folder: URL, text: string, hasWebGL = true): Promise<T> {
  const server = createServer(({ url }, response) => {
    const name = url === "/" ? "index.html" : url!.slice(1);
    readFile(new URL(name, folder)).then(
      (data) => {
        response.setHeader("content-type", MEDIA[name.split(".").at(-1)!] ?? "");
        response.end(data);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({
    executablePath: await findBrowser(),
    args: hasWebGL ? BROWSER_FLAGS : NO_WEBGL,
    ignoreDefaultArgs: hasWebGL ? [] : ["--enable-unsafe-swiftshader"],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return await page.evaluate<T>(text);
  } finally {
    await browser.close();
    server.close();
  }
}

const NO_WEBGL = ["--no-sandbox", "--no-zygote", "--disable-gpu", "--disable-software-rasterizer"];

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
      ["module", 1],
      ["plain", 1],
    ] as const) {
      const worker = new Worker(new URL("pipelined.worker.node.mjs", OUT), { argv: [kind] });
      const call = connect<() => number>(worker);
      const seen = await Promise.all([call(), call(), call(), call()]);
      expect(Math.max(...seen), kind).to.equal(most);
      call.dispose();
    }
  });

  it("says that a worker cannot read a tensor, as one without a backend, and goes on", async () => {
    await bundle("node");
    await nn.setBackend("cpu");
    const worker = new Worker(new URL("pipelined.worker.node.mjs", OUT), { argv: ["plain"] });
    const call = connect<(x?: tf.Tensor) => number>(worker);
    const error: unknown = await call(tf.tensor([1])).catch(String);
    expect(error).to.equal("Error: No backend found in registry.");
    expect(await call()).to.equal(1);
    call.dispose();
  });

  it("is called as a model is, in a page, on an OffscreenCanvas", async () => {
    await bundle("browser");
    await writeFile(new URL("index.html", OUT), "<!doctype html><title>worker</title>");
    const [seen, broken, backend] = await inPage<[object, string, string]>(
      OUT,
      `(async () => {
        const { useModel, connect, tf } = await import("/page.browser.mjs");
        const start = (url) => new Worker(url, { type: "module" });
        const seen = await useModel(start("/model.worker.browser.mjs"));
        const broken = await connect(start("/missing.mjs"))().catch(String);
        return [seen, broken, tf.getBackend()];
      })()`,
    );
    expect(seen).to.deep.equal(EXPECTED);
    expect(broken).to.equal("Error: connect: the worker failed to start");
    expect(backend).to.equal("cpu");
  });

  it("goes on after its GPU was taken away ten times, with calls under way, and with pictures", async () => {
    await bundle("browser");
    await writeFile(new URL("index.html", OUT), "<!doctype html><title>worker</title>");
    const [contexts, before, rounds] = await inPage<[number, number[], unknown[][]]>(
      OUT,
      `(async () => {
        const { connect, tf } = await import("/page.browser.mjs");
        const call = connect(new Worker("/lost.worker.browser.mjs", { type: "module" }));
        const x = tf.ones([1, 3, 4, 4]);
        const canvas = new OffscreenCanvas(8, 8);
        const context = canvas.getContext("2d");
        context.fillStyle = "white";
        context.fillRect(0, 0, 8, 8);
        const numbers = (y) => Array.from(y.dataSync());
        const run = (what, on) => call(what, on).then(numbers, ({ name }) => name);
        const picture = async () => run("picture", await createImageBitmap(canvas));
        const before = await run("run", x);
        const rounds = [];
        for (let i = 0; i < 10; i += 1) {
          const under = i % 2 ? run("run", x) : picture();
          const lost = call("lose");
          const round = [await under, (await lost, await run("run", x)), await picture()];
          await call("restore");
          rounds.push([...round, await run("run", x), await picture()]);
        }
        return [await call("contexts"), before, rounds];
      })()`,
    );
    expect(contexts).to.equal(1);
    expect(before).to.deep.equal(new Array<number>(48).fill(3));
    for (const [under, ...others] of rounds) {
      const lost = "WebGLContextLostError";
      expect([JSON.stringify(before), JSON.stringify(lost)]).to.include(JSON.stringify(under));
      expect(others).to.deep.equal([lost, lost, before, before]);
    }
    expect(rounds).to.have.lengthOf(10);
  });

  describe("as Vite builds it for production", () => {
    const app = "spec/worker/app";
    before(() => {
      // In a process of its own, as a user does: tsx would load a second copy of the bundler.
      const vite = "node_modules/vite/bin/vite.js";
      execFileSync(process.execPath, [vite, "build", app, "--logLevel", "error"]);
    });

    for (const [where, hasWebGL, backend] of [
      ["on an OffscreenCanvas", true, "webgl"],
      ["on the CPU where there is no WebGL", false, "cpu"],
    ] as const) {
      it(`is called as a model is, ${where}`, async () => {
        const folder = new URL("../../out/worker-app/", import.meta.url);
        const seen = await inPage<object>(folder, "globalThis.seen", hasWebGL);
        const failed = EXPECTED.failed.replace("webgl", backend);
        expect(seen).to.deep.equal({ ...EXPECTED, failed });
      });
    }
  });

  it("says so when a worker does not come to expose it", async () => {
    const warnings: unknown[] = [];
    const { warn } = console;
    console.warn = (text) => warnings.push(text);
    mock.timers.enable({ apis: ["setTimeout"] });
    const idle = new Worker("setInterval(() => {}, 1000)", { eval: true });
    const model = connect(idle);
    try {
      const call = model().catch(String);
      mock.timers.tick(9_999);
      expect(warnings).to.deep.equal([]);
      mock.timers.tick(1);
      expect(warnings).to.have.lengthOf(1);
      expect(warnings[0]).to.match(/^connect: the worker has not called expose for 10 seconds/);
      model.dispose();
      expect(await call).to.equal("Error: connect: this model is disposed");
      // Nor is anything said of one that listens, or has ended.
      mock.timers.tick(20_000);
      expect(warnings).to.have.lengthOf(1);
    } finally {
      mock.timers.reset();
      console.warn = warn;
    }
  });

  it("cannot be exposed from where there is no page to speak to", () => {
    expect(() => expose(() => () => null)).to.throw("expose: expects to be called in a worker");
  });
});
