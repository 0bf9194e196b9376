import { expect } from "chai";
import { build } from "esbuild";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import type * as Checkpoint from "../../lib/checkpoint/index.js";
import { BROWSER_FLAGS, findBrowser } from "../../scripts/browser.js";
import { FileServer, type ServedFile } from "../support/file-server.js";
import { makeSafetensors, ramp } from "../support/safetensors.js";

/** What the pages import. */
declare const checkpoint: typeof Checkpoint;

/** What a load in a page came to: the first value of the tensor `a`, or the error's text. */
function first(page: Page, url: string, options: Checkpoint.LoadOptions = {}) {
  return page.evaluate(
    async ([from, how]) => {
      try {
        const entries = await checkpoint.load(from, how);
        const [a, b] = ["a", "b"].map((key) => entries.get(key)!.toFloat32()[0]!);
        return a === b ? a! : `a begins with ${a}, b with ${b}`;
      } catch (error) {
        return String(error);
      }
    },
    [url, options] as const,
  );
}

const CHANGED = /the file changed on the server/;

/** The sources and the cache in a real browser that has a disk, against servers of two origins. */
describe("Checkpoints in a page", function () {
  this.timeout(120_000);

  const edition = (n: number) => makeSafetensors({ a: ramp(200_000, n), b: ramp(10, n) });
  let home: FileServer;
  let other: FileServer;
  let context: BrowserContext;
  let page: Page;
  let profile: string;

  before(async () => {
    const { outputFiles } = await build({
      ...{ entryPoints: ["lib/checkpoint/index.ts"], bundle: true, write: false, format: "esm" },
      ...{ target: "es2022", logLevel: "error" },
    });
    [home, other] = [await FileServer.start(), await FileServer.start()];
    profile = await mkdtemp(join(tmpdir(), "sconce-profile-"));
    const executablePath = await findBrowser();
    context = await chromium.launchPersistentContext(profile, {
      executablePath,
      // The pages are made up, so that no server vouches for being as local as the files'.
      args: [...BROWSER_FLAGS, "--disable-features=LocalNetworkAccessChecks"],
    });
    const script = outputFiles[0]!.contents;
    await context.route("**/page.html", (route) =>
      route.fulfill({ contentType: "text/html", body: "<!doctype html><title>page</title>" }),
    );
    await context.route("**/checkpoint.js", (route) =>
      route.fulfill({ contentType: "text/javascript", body: Buffer.from(script) }),
    );
    page = await openPage();
  });

  afterEach(async () => {
    await page.evaluate(() => checkpoint.cache.delete());
    home.reset();
    other.reset();
  });

  after(async () => {
    await context?.close();
    await Promise.all([home.stop(), other.stop()]);
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });

  async function openPage(): Promise<Page> {
    const opened = await context.newPage();
    await opened.goto(`${home.origin}/page.html`);
    await opened.evaluate(`import("/checkpoint.js").then((m) => { globalThis.checkpoint = m; })`);
    return opened;
  }

  const list = () => page.evaluate(() => checkpoint.cache.list());

  it("are fetched by ranges from its own server, by relative URLs too", async () => {
    home.serve("model", { bytes: edition(1), etag: '"1"', drops: 1 });
    expect(await first(page, "model", { cache: false })).to.equal(1);
    expect(home.requests.map(({ range }) => range))
      .to.have.lengthOf(3)
      .and.not.include(undefined);
    expect(home.requests[1]!.ifRange).to.equal('"1"');
  });

  const ALLOWED = { "access-control-allow-origin": "*" };
  const CROSS: Record<string, { headers: Record<string, string>; ranged: boolean }> = {
    "whole from another that hides its headers": { headers: ALLOWED, ranged: false },
    "by ranges from another that shows them": {
      headers: { ...ALLOWED, "access-control-expose-headers": "content-range, etag" },
      ranged: true,
    },
  };
  for (const [name, { headers, ranged }] of Object.entries(CROSS)) {
    it(`are fetched ${name}`, async () => {
      const url = other.serve("model", { bytes: edition(1), etag: '"1"', headers });
      expect(await first(page, url, { cache: false })).to.equal(1);
      expect(other.requests.some(({ range }) => range === undefined)).to.equal(!ranged);
    });
  }

  it("are fetched compressed from another that hides that they are", async () => {
    const file: ServedFile = { bytes: edition(1), ranges: false, gzip: true, headers: ALLOWED };
    expect(await first(page, other.serve("model", file), { cache: false })).to.equal(1);
  });

  it("are refused with a word on CORS where the server does not allow the page", async () => {
    const url = other.serve("model", edition(1));
    expect(await first(page, url)).to.equal(
      `CheckpointError: ${url}: could not be fetched: there is no connection to the server, or it ` +
        `does not allow pages of ${home.origin} to read its files (CORS: it must send ` +
        "Access-Control-Allow-Origin)",
    );
  });

  it("are none of file: URLs", async () => {
    expect(await first(page, "file:///model.pt")).to.equal(
      'CheckpointError: file:///model.pt: pages read no file: URLs; let the user choose the file (<input type="file">)',
    );
  });

  it("end within 100 ms when they are given up, with the reason", async () => {
    const url = home.serve("model", { bytes: edition(1), delay: 5000 });
    const ended = await page.evaluate(async (from) => {
      const controller = new AbortController();
      const work = checkpoint.load(from, { signal: controller.signal }).catch((e: unknown) => e);
      await new Promise((resolve) => setTimeout(resolve, 100));
      const began = performance.now();
      controller.abort();
      return { name: ((await work) as Error).name, took: performance.now() - began };
    }, url);
    expect(ended.name).to.equal("AbortError");
    expect(ended.took).to.be.below(100);
  });

  describe("and its cache", () => {
    it("keep what was fetched until it changes, and serve it without a connection", async () => {
      const url = home.serve("model", { bytes: edition(1), etag: '"1"' });
      expect(await first(page, url)).to.equal(1);
      const sent = home.sent();
      expect(await first(page, url)).to.equal(1);
      expect(home.sent() - sent).to.equal(65536);
      await context.setOffline(true);
      expect(await first(page, url)).to.equal(1);
      expect(await first(page, url, { cache: false })).to.contain("there is no connection");
      await context.setOffline(false);
      home.serve("model", { bytes: edition(2), etag: '"2"' });
      expect(await first(page, url)).to.equal(2);
    });

    it("list, measure and delete", async () => {
      const urls = ["one", "two"].map((name) =>
        home.serve(name, { bytes: edition(1), etag: `"${name}"` }),
      );
      for (const url of urls) await first(page, url);
      expect((await list()).map(({ url }) => url)).to.have.members(urls);
      expect(await page.evaluate(() => checkpoint.cache.size())).to.equal(2 * edition(1).length);
      expect(await page.evaluate(() => checkpoint.cache.delete("one"))).to.equal(1);
      expect((await list()).map(({ url }) => url)).to.deep.equal([urls[1]]);
    });

    it("do without where there is no room", async () => {
      const url = home.serve("model", { bytes: edition(1), etag: '"1"' });
      const devtools = await context.newCDPSession(page);
      const { origin } = home;
      await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 100_000 });
      expect(await first(page, url)).to.equal(1);
      expect(await list()).to.deep.equal([]);
      await devtools.send("Storage.overrideQuotaForOrigin", { origin });
      expect(await first(page, url)).to.equal(1);
      expect(await list()).to.have.lengthOf(1);
    });

    it("stay whole when two tabs fill it at the same time", async () => {
      const tabs = [page, await openPage()];
      const editions = [1, 2, 3].map((n) => ({ bytes: edition(n), etag: `"${n}"` }));
      const url = home.serve("model", editions[0]!);
      const timer = setInterval(() => {
        home.serve("model", editions[Math.floor(Math.random() * 3)]!);
      }, 7);
      const results: (string | number)[] = [];
      const load = async (tab: Page): Promise<void> => {
        for (let i = 0; i < 8; i += 1) {
          results.push(await first(tab, url, { cache: i % 2 ? "reload" : true }));
        }
      };
      try {
        await Promise.all(tabs.map(load));
      } finally {
        clearInterval(timer);
      }
      await tabs[1]!.close();
      const bad = results.filter((result) => typeof result === "string" && !CHANGED.test(result));
      expect(bad).to.deep.equal([]);
      expect(results.some((result) => typeof result === "number")).to.be.true;
      home.serve("model", editions[0]!);
      expect(await first(page, url)).to.equal(1);
      expect(await list()).to.have.lengthOf(1);
    });
  });
});
