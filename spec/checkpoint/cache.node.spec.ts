import { expect } from "chai";
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { cache, load, type LoadOptions, type LoadProgress } from "../../lib/checkpoint/index.js";
import { cacheFolder } from "../../lib/checkpoint/cache/folder.js";
import { FileServer } from "../support/file-server.js";
import { makeSafetensors, ramp } from "../support/safetensors.js";

/** First value of the tensor `a`: which edition of the file this is. */
const first = async (url: string, options?: LoadOptions): Promise<number> =>
  (await load(url, options)).get("a")!.toFloat32()[0]!;

describe("The cache of downloads in Node", () => {
  const edition = (n: number) => makeSafetensors({ a: ramp(100_000, n), b: ramp(10, n) });
  const { XDG_CACHE_HOME } = process.env;
  let server: FileServer;
  let home: string;

  before(async () => (server = await FileServer.start()));
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "sconce-cache-"));
    process.env.XDG_CACHE_HOME = home;
  });
  afterEach(async () => {
    server.reset();
    await chmod(home, 0o700);
    await rm(home, { recursive: true });
  });
  after(async () => {
    if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
    await server.stop();
  });

  const files = (): Promise<string[]> => readdir(join(home, "sconce")).catch(() => []);

  it("is a folder where the system keeps such things", () => {
    expect(cacheFolder()).to.equal(join(home, "sconce"));
    process.env.XDG_CACHE_HOME = "relative";
    expect(cacheFolder())
      .to.match(/^\/.*sconce/)
      .and.not.contain("relative");
  });

  it("gives a file that has not changed without fetching it, whole or in part", async () => {
    const url = server.serve("model", { bytes: edition(1), etag: '"1"' });
    expect(await first(url)).to.equal(1);
    const sent = server.sent();
    expect(sent).to.equal(edition(1).length);
    expect(await first(url)).to.equal(1);
    expect([...(await load(url, { filter: (key) => key === "b" })).keys()]).to.deep.equal(["b"]);
    expect(server.sent() - sent, "only the beginning, to know the edition").to.equal(2 * 65536);
  });

  it("keeps shards too, whose sizes are known before the first report", async () => {
    const names = Array.from({ length: 9 }, (_, i) => `model-${i}.safetensors`);
    for (const [i, name] of names.entries()) {
      const bytes = makeSafetensors({ [`a${i}`]: ramp(100_000, i) });
      server.serve(name, { bytes, etag: `"${i}"`, delay: 20 });
    }
    const weights = Object.fromEntries(names.map((name, i) => [`a${i}`, name]));
    const index = Buffer.from(JSON.stringify({ weight_map: weights }));
    const url = server.serve("index.json", { bytes: index, etag: '"x"' });
    const totals: unknown[] = [];
    const onProgress = ({ total }: LoadProgress): unknown => totals.push(total);
    const entries = await load(url, { onProgress });
    expect([...entries.keys()]).to.deep.equal(Object.keys(weights));
    expect(entries.get("a8")!.toFloat32()[0]).to.equal(8);
    expect(totals.length).to.be.above(1);
    expect(new Set(totals).size, String(totals)).to.equal(1);
    expect(server.peak).to.equal(6);
    expect(await cache.list()).to.have.lengthOf(10);
    const requests = server.requests.length;
    await load(url);
    expect(server.requests.length - requests, "one each, for the edition").to.equal(10);
  });

  it("clears away what was left of writes that were broken off", async () => {
    const url = server.serve("model", { bytes: edition(1), etag: '"1"' });
    await load(url);
    const whole = await files();
    const name = whole.find((found) => found.endsWith(".bin"))!;
    const [old, young] = [`${name}.12-1000000000000-1.part`, `${name}.12-${Date.now()}-1.part`];
    for (const part of [old, young, "notes.txt"]) await writeFile(join(home, "sconce", part), "x");
    await load(url, { cache: "reload" });
    expect(await files()).to.have.members([...whole, young, "notes.txt"]);
    expect(await cache.delete()).to.equal(1);
    expect(await files()).to.deep.equal(["notes.txt"]);
    expect(String(await cache.delete("model").catch((e: unknown) => e))).to.equal(
      "CheckpointError: model: is not a URL",
    );
  });

  it("fetches a file that has changed, and forgets the old", async () => {
    const url = server.serve("model", { bytes: edition(1), etag: '"1"' });
    await load(url);
    server.serve("model", { bytes: edition(2), etag: '"2"' });
    expect(await first(url)).to.equal(2);
    expect(await files()).to.have.lengthOf(2);
  });

  it("keeps what has no ETag by its date, and nothing that has neither", async () => {
    const lastModified = "Tue, 01 Apr 2025 10:00:00 GMT";
    await load(server.serve("dated", { bytes: edition(1), lastModified }));
    await load(server.serve("bare", edition(1)));
    expect((await cache.list()).map(({ url }) => url)).to.deep.equal([`${server.origin}/dated`]);
  });

  it("keeps one stream as well, and no part", async () => {
    await load(server.serve("model", { bytes: edition(1), etag: '"1"' }), { filter: () => false });
    expect(await cache.list()).to.deep.equal([]);
    await load(
      server.serve("model", { bytes: edition(1), etag: '"1"', ranges: false, gzip: true }),
    );
    expect(await cache.list()).to.have.lengthOf(1);
  });

  it("is left alone by cache: false, and filled anew by 'reload'", async () => {
    const url = server.serve("model", { bytes: edition(1), etag: '"1"' });
    await load(url, { cache: false });
    expect(await files()).to.deep.equal([]);
    await load(url);
    server.serve("model", { bytes: edition(2), etag: '"1"' });
    expect(await first(url)).to.equal(1);
    expect(await first(url, { cache: false })).to.equal(2);
    expect(await first(url, { cache: "reload" })).to.equal(2);
    expect(await first(url)).to.equal(2);
  });

  it("serves when the server cannot be reached", async () => {
    const other = await FileServer.start();
    const url = other.serve("model", { bytes: edition(3), etag: '"1"' });
    await load(url);
    await other.stop();
    expect(await first(url)).to.equal(3);
    const error: unknown = await load(url, { cache: false }).catch((e: unknown) => e);
    expect(String(error)).to.contain("cannot reach the server");
  });

  it("fetches again what was damaged on the disk", async () => {
    const url = server.serve("model", { bytes: edition(1), etag: '"1"' });
    for (const damaged of [edition(2), new Uint8Array(3)]) {
      await load(url);
      const name = (await files()).find((file) => file.endsWith(".bin"))!;
      await writeFile(join(home, "sconce", name), damaged);
      expect(await first(url)).to.equal(1);
    }
    const record = (await files()).find((file) => file.endsWith(".json"))!;
    await writeFile(join(home, "sconce", record), "{");
    expect(await first(url)).to.equal(1);
  });

  it("keeps nothing that is no checkpoint or has another hash", async () => {
    const page = new TextEncoder().encode("<html>".padEnd(1000));
    const url = server.serve("model", { bytes: page, etag: '"1"' });
    await load(url).catch(() => null);
    server.serve("model", { bytes: edition(1), etag: '"1"' });
    await load(url, { integrity: `sha256-${"A".repeat(43)}` }).catch(() => null);
    expect(await cache.list()).to.deep.equal([]);
  });

  it("lists, measures and deletes its files", async () => {
    const urls = ["one", "two", "three"].map((name) =>
      server.serve(name, { bytes: edition(1), etag: `"${name}"` }),
    );
    for (const url of urls) await load(url);
    const list = await cache.list();
    expect(list.map(({ url }) => url)).to.have.members(urls);
    const { size, etag, savedAt } = list.find(({ url }) => url === urls[0])!;
    expect({ size, etag }).to.deep.equal({ size: edition(1).length, etag: '"one"' });
    expect(Date.now() - savedAt.getTime()).to.be.within(0, 60_000);
    expect(await cache.size()).to.equal(3 * edition(1).length);
    expect(await cache.delete(urls[1])).to.equal(1);
    expect(await cache.delete(urls[1])).to.equal(0);
    expect(await cache.list()).to.have.lengthOf(2);
    expect(await cache.delete()).to.equal(2);
    expect(await files()).to.deep.equal([]);
    expect(await cache.size()).to.equal(0);
  });

  it("that cannot be written is done without", async () => {
    const url = server.serve("model", { bytes: edition(1), etag: '"1"' });
    process.env.XDG_CACHE_HOME = join(home, "file");
    await writeFile(join(home, "file"), "no folder");
    expect(await first(url)).to.equal(1);
    expect(await cache.list()).to.deep.equal([]);
  });

  it("stays whole when processes fill it at the same time", async () => {
    const editions = [1, 2, 3, 4].map((n) => ({ bytes: edition(n), etag: `"${n}"` }));
    const url = server.serve("model", editions[0]!);
    const script = `
      import { load } from "./lib/checkpoint/index.ts";
      for (let i = 0; i < 6; i += 1) {
        const entries = await load(${JSON.stringify(url)}, { cache: i % 2 ? "reload" : true }).catch(
          (error) => { if (!/changed on the server/.test(error.message)) throw error; });
        if (!entries) continue;
        const [a, b] = ["a", "b"].map((key) => entries.get(key).toFloat32()[0]);
        if (a !== b) throw new Error(a + " and " + b);
      }`;
    const timer = setInterval(() => {
      server.serve("model", editions[Math.floor(Math.random() * 4)]!);
    }, 5);
    try {
      const args = ["--import", "tsx", "--input-type=module", "--eval", script];
      const runs = [1, 2].map(() => promisify(execFile)(process.execPath, args));
      for (const { stderr } of await Promise.all(runs)) expect(stderr).to.equal("");
    } finally {
      clearInterval(timer);
    }
    server.serve("model", editions[0]!);
    expect(await first(url)).to.equal(1);
    expect((await files()).filter((name) => name.endsWith(".part"))).to.deep.equal([]);
  });
});
