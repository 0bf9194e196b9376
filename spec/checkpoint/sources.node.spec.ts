import { expect } from "chai";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type NoParamCallback, openAsBlob } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type CheckpointInput,
  type Entry,
  load,
  type LoadOptions,
} from "../../lib/checkpoint/index.js";
import { FileServer, type ServedFile } from "../support/file-server.js";
import { makeSafetensors, ramp } from "../support/safetensors.js";

/** `count` tensors of a quarter of a MB. */
const tensorsOf = (count: number): Record<string, Float32Array> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`layer.${i}`, ramp(65536, i)]));

function expectAll(entries: Map<string, Entry>, tensors: Record<string, Float32Array>): void {
  expect([...entries.keys()]).to.have.members(Object.keys(tensors));
  for (const [key, values] of Object.entries(tensors)) {
    expect(Buffer.compare(bytesOf(entries.get(key)!.data), bytesOf(values)), key).to.equal(0);
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const uncached = (source: CheckpointInput, options: LoadOptions = {}): ReturnType<typeof load> =>
  load(source, { cache: false, ...options });

describe("Sources of checkpoints in Node", () => {
  const tensors = tensorsOf(4);
  const bytes = makeSafetensors(tensors);
  let folder: string;
  let path: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sconce-"));
    path = join(folder, "model.safetensors");
    await writeFile(path, bytes);
  });
  after(() => rm(folder, { recursive: true }));

  const INPUTS: Record<string, () => CheckpointInput | Promise<CheckpointInput>> = {
    "a path": () => path,
    "a file: URL": () => pathToFileURL(path),
    "a file: URL as text": () => pathToFileURL(path).href,
    bytes: () => bytes,
    "an ArrayBuffer": () => bytes.slice().buffer,
    "a Blob": () => new Blob([bytes]),
    "a Blob of a file": () => openAsBlob(path),
    "a File": () => new File([bytes], "model.safetensors"),
    "a Response": () => new Response(bytes),
    "a data: URL": () => `data:;base64,${Buffer.from(bytes).toString("base64")}`,
    "a blob: URL": () => URL.createObjectURL(new Blob([bytes])),
  };
  for (const [name, make] of Object.entries(INPUTS)) {
    it(`loads ${name}, whole and filtered`, async () => {
      expectAll(await load(await make()), tensors);
      const some = await load(await make(), { filter: (key) => key.endsWith("2") });
      expectAll(some, { "layer.2": tensors["layer.2"]! });
    });
  }

  it("aligns what an old file does not", async () => {
    const odd = makeSafetensors(tensors, { length: 1001 });
    await writeFile(join(folder, "odd.safetensors"), odd);
    const entries = await load(join(folder, "odd.safetensors"));
    expectAll(entries, tensors);
    const buffers = new Set([...entries.values()].map(({ data }) => data.buffer));
    expect(buffers.size, "one buffer for all, so none was copied").to.equal(1);
  });

  it("tells safetensors by the header, whatever its length looks like", async () => {
    // 128 is how a pickle begins, 80 and 147 are the first bytes of ZIP and of numpy.
    for (const length of [80, 128, 147]) {
      const file = makeSafetensors({ a: ramp(10, 1) }, { length });
      expectAll(await load(file), { a: ramp(10, 1) });
    }
  });

  it("closes a file that was still being opened when the load was given up", async () => {
    const fs = process.getBuiltinModule("node:fs");
    const { open, close } = fs;
    const controller = new AbortController();
    const closed: number[] = [];
    const opened = new Promise<number>((resolve) => {
      fs.open = ((path: string, flags: number, done: (...results: unknown[]) => void) => {
        controller.abort();
        open(path, flags, (error, file) => {
          resolve(file);
          done(error, file);
        });
      }) as typeof open;
    });
    fs.close = ((file: number, done: NoParamCallback) => {
      closed.push(file);
      close(file, done);
    }) as typeof close;
    try {
      const reason: unknown = await load(path, { signal: controller.signal }).catch(
        (e: unknown) => e,
      );
      expect((reason as Error).name).to.equal("AbortError");
      const file = await opened;
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(closed).to.deep.equal([file]);
    } finally {
      Object.assign(fs, { open, close });
    }
  });

  it("loads a small file whose size is known before its bytes", async () => {
    const small = join(folder, "small.safetensors");
    await writeFile(small, makeSafetensors({ a: ramp(10, 1) }));
    const fs = process.getBuiltinModule("node:fs");
    const { read } = fs;
    fs.read = ((...args: Parameters<typeof read>) => {
      setTimeout(() => read(...args), 20);
    }) as typeof read;
    try {
      expectAll(await load(small), { a: ramp(10, 1) });
    } finally {
      Object.assign(fs, { read });
    }
  });

  it("loads shards beside their index", async () => {
    const first = makeSafetensors({ a: ramp(10, 1) });
    const second = makeSafetensors({ b: ramp(10, 2) });
    await writeFile(join(folder, "model-1.safetensors"), first);
    await writeFile(join(folder, "model-2.safetensors"), second);
    const weights = { a: "model-1.safetensors", b: "model-2.safetensors" };
    const index = join(folder, "model.safetensors.index.json");
    await writeFile(index, JSON.stringify({ metadata: {}, weight_map: weights }));
    expectAll(await load(index), { a: ramp(10, 1), b: ramp(10, 2) });
  });
});

describe("Checkpoints from a web server", () => {
  let server: FileServer;

  before(async () => (server = await FileServer.start()));
  afterEach(() => server.reset());
  after(() => server.stop());

  it("are fetched in parts, in parallel", async () => {
    const tensors = { big: ramp(5e6, 1) };
    const url = server.serve("model", { bytes: makeSafetensors(tensors), delay: 5 });
    expectAll(await uncached(url), tensors);
    expect(server.peak).to.equal(3);
  });

  it("are asked only for the header and the tensors that pass the filter", async () => {
    const tensors = tensorsOf(40);
    const bytes = makeSafetensors(tensors);
    const url = server.serve("model", bytes);
    const entries = await uncached(url, { filter: (key) => /\.(5|30)$/.test(key) });
    expectAll(entries, { "layer.5": tensors["layer.5"]!, "layer.30": tensors["layer.30"]! });
    expect(server.requests.map(({ range }) => range))
      .to.have.lengthOf(3)
      .and.not.include(undefined);
    expect(server.sent()).to.equal(65536 + 2 * 4 * 65536);
  });

  it("are asked for neighbours in one request", async () => {
    const tensors = tensorsOf(40);
    const url = server.serve("model", makeSafetensors(tensors));
    await uncached(url, { filter: (key) => /\.1\d$/.test(key) });
    expect(server.requests).to.have.lengthOf(2);
  });

  it("are read in one piece if all of them is wanted, however long the header", async () => {
    const tensors = tensorsOf(4);
    const url = server.serve("model", makeSafetensors(tensors, { length: 100_000 }));
    expectAll(await uncached(url), tensors);
    expect(server.requests).to.have.lengthOf(2);
  });

  it("are resumed where the connection dropped, if they are still the same", async () => {
    const tensors = { big: ramp(1e6, 1) };
    const url = server.serve("model", { bytes: makeSafetensors(tensors), etag: '"a"', drops: 4 });
    expectAll(await uncached(url), tensors);
    expect(server.requests).to.have.lengthOf(6);
    const begins = server.requests.map(({ range }) => Number(/\d+/.exec(range!)![0]));
    expect(begins[0]).to.equal(0);
    for (let i = 2; i < 6; i += 1) expect(begins[i]! - begins[i - 1]!).to.equal(100_000);
    expect(server.requests.slice(1).every(({ ifRange }) => ifRange === '"a"')).to.be.true;
  });

  it("are told by their date where the ETag is weak", async () => {
    const lastModified = "Tue, 01 Apr 2025 10:00:00 GMT";
    const bytes = makeSafetensors(tensorsOf(2));
    const url = server.serve("model", { bytes, etag: 'W/"a"', lastModified });
    await uncached(url);
    expect(server.requests[1]!.ifRange).to.equal(lastModified);
  });

  it("come as one stream where ranges are ignored", async () => {
    const tensors = tensorsOf(4);
    const url = server.serve("model", { bytes: makeSafetensors(tensors), ranges: false });
    expectAll(await uncached(url), tensors);
    expect(server.requests).to.have.lengthOf(1);
  });

  it("come as one stream that is resumed by skipping", async () => {
    const tensors = tensorsOf(4);
    const file = { bytes: makeSafetensors(tensors), ranges: false, drops: 1, dropAfter: 500_000 };
    const url = server.serve("model", file);
    expectAll(await uncached(url), tensors);
    expect(server.requests).to.have.lengthOf(2);
  });

  it("come without a length", async () => {
    const tensors = tensorsOf(4);
    const bytes = makeSafetensors(tensors);
    const url = server.serve("model", { bytes, ranges: false, chunked: true });
    expectAll(await uncached(url), tensors);
  });

  for (const ranges of [false, true]) {
    it(`come compressed, ${ranges ? "even in ranges" : "in one stream"}`, async () => {
      const tensors = tensorsOf(4);
      const url = server.serve("model", { bytes: makeSafetensors(tensors), ranges, gzip: true });
      expectAll(await uncached(url), tensors);
    });
  }

  it("may be smaller than a header's read", async () => {
    const tensors = { a: ramp(3, 1) };
    const url = server.serve("model", makeSafetensors(tensors));
    expectAll(await uncached(url), tensors);
    expect(server.requests).to.have.lengthOf(1);
  });

  it("may be smaller than a range that the server refuses", async () => {
    const tensors = { a: ramp(3, 1) };
    const file: ServedFile = { bytes: makeSafetensors(tensors) };
    file.onRequest = ({ range }) => (file.status = range ? 416 : 200);
    expectAll(await uncached(server.serve("model", file)), tensors);
    expect(server.requests).to.have.lengthOf(2);
  });

  it("are shards beside their index, with its query", async () => {
    server.serve("v1/a b.safetensors", makeSafetensors({ a: ramp(10, 1) }));
    server.files.set("/v1/a%20b.safetensors", server.files.get("/v1/a b.safetensors")!);
    const index = { weight_map: { a: "a b.safetensors" } };
    const url = server.serve("v1/index.json", Buffer.from(JSON.stringify(index)));
    expectAll(await uncached(`${url}?token=1`), { a: ramp(10, 1) });
  });

  it("are fetched again after answers that may pass", async () => {
    const tensors = { a: ramp(3, 1) };
    const url = server.serve("model", {
      ...{ bytes: makeSafetensors(tensors), status: 503 },
      onRequest: () => {
        if (server.requests.length > 1) server.files.get("/model")!.status = 200;
      },
    });
    expectAll(await uncached(url), tensors);
    expect(server.requests).to.have.lengthOf(2);
  });
});
