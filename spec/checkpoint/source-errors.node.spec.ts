import { expect } from "chai";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { CheckpointError, load } from "../../lib/checkpoint/index.js";
import { FileServer, type ServedFile } from "../support/file-server.js";
import { makeSafetensors, ramp } from "../support/safetensors.js";

const bytes = makeSafetensors({ a: ramp(65536, 1) });
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

const LFS =
  "version https://git-lfs.github.com/spec/v1\n" +
  "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

/** The error that a load ends in. */
async function failure(...args: Parameters<typeof load>): Promise<CheckpointError> {
  const [source, options] = args;
  const error: unknown = await load(source, { cache: false, ...options }).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(CheckpointError);
  return error as CheckpointError;
}

describe("What a source can have wrong, in a sentence each", () => {
  let server: FileServer;

  before(async () => (server = await FileServer.start()));
  afterEach(() => server.reset());
  after(() => server.stop());

  const CASES: Record<string, { file: ServedFile | null; says: RegExp; requests?: number }> = {
    "a Git LFS pointer": { file: { bytes: text(LFS) }, says: /a Git LFS pointer, not the weights/ },
    "an HTML page": {
      file: { bytes: text("<!doctype html><html>Sign in</html>") },
      says: /an HTML page/,
    },
    "an empty file": { file: { bytes: new Uint8Array() }, says: /the file is empty/ },
    "a wrong URL": {
      file: null,
      says: /there is no such file on the server \(404\): is the URL right\?/,
      requests: 1,
    },
    "a private file": {
      file: { bytes, status: 401 },
      says: /asks who you are \(401\): .* private or gated; if it takes a token, fetch it yourself/,
      requests: 1,
    },
    "a refused file": { file: { bytes, status: 403 }, says: /refuses access \(403\)/, requests: 1 },
    "too many requests": {
      file: { bytes, status: 429 },
      says: /too many requests \(429\): try again later/,
      requests: 3,
    },
    "a broken server": {
      file: { bytes, status: 502 },
      says: /the server failed \(502 Bad Gateway\): the fault is on its side/,
      requests: 3,
    },
    "any other answer": {
      file: { bytes, status: 418 },
      says: /the server answered 418 I'm a Teapot instead of the file/,
      requests: 1,
    },
    "a part of which the server does not say where it is from": {
      file: { bytes, status: 206 },
      says: /sends a part of the file, or none, where all of it is asked for/,
      requests: 2,
    },
    "a body that breaks off each time": {
      file: { bytes, ranges: false, drops: 99 },
      says: /the download broke off after 100000 of 262216 bytes/,
    },
    "a length that is announced too long": {
      file: { bytes, ranges: false, announced: 300_000 },
      says: /the download broke off after 262216 of 300000 bytes/,
    },
    "a length that is more than fits in memory": {
      file: { bytes, ranges: false, announced: 1e13 },
      says: /10000000000000 bytes in one piece are more than the memory here holds/,
    },
    "a length that is announced too short": {
      file: { bytes, ranges: false, announced: 200_000 },
      says: /the tensors take 262144 bytes, but 199928 follow the header/,
    },
  };
  for (const [name, { file, says, requests }] of Object.entries(CASES)) {
    it(name, async () => {
      const url = file ? server.serve("model", file) : `${server.origin}/nothing`;
      const error = await failure(url);
      expect(error.message).to.match(says);
      expect(error.file).to.equal(url);
      if (requests !== undefined) expect(server.requests).to.have.lengthOf(requests);
    });
  }

  it("a file that changes while it is read", async () => {
    const url = server.serve("model", {
      ...{ bytes, etag: '"a"' },
      onRequest: () => {
        if (server.requests.length > 1) server.files.get("/model")!.etag = '"b"';
      },
    });
    const { message } = await failure(url);
    expect(message).to.match(/the file changed on the server while it was read: load it again/);
    expect(server.requests[1]!.ifRange).to.equal('"a"');
  });

  it("a file that becomes shorter while it is read", async () => {
    const url = server.serve("model", {
      bytes,
      onRequest: () => {
        if (server.requests.length > 1) server.files.get("/model")!.bytes = bytes.slice(0, 1000);
      },
    });
    expect((await failure(url)).message).to.match(
      /announced 262216 bytes .* but the file has 1000/,
    );
  });

  it("a server that is not there", async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    const { port } = gone.address() as { port: number };
    await new Promise((resolve) => gone.close(resolve));
    const { message } = await failure(`http://127.0.0.1:${port}/model`);
    expect(message).to.match(/could not be fetched: cannot reach the server \(ECONNREFUSED\)/);
  });

  it("a shard that is not there", async () => {
    const index = { weight_map: { a: "a.safetensors" } };
    const url = server.serve("index.json", text(JSON.stringify(index)));
    const error = await failure(url);
    expect(error.message).to.match(/its shard 'a.safetensors' cannot be opened: .*\(404\)/);
  });

  it("a shard that is an index, which might be the one that names it", async () => {
    const index = text(JSON.stringify({ weight_map: { a: "index.json" } }));
    const error = await failure(server.serve("index.json", index));
    expect(error.message).to.match(/index.json: a shard that is an index of shards itself$/);
    // A safetensors file whose header has a length that looks like the beginning of an index.
    const padded = new Uint8Array(8 + 0x227b).fill(0x20);
    padded.set([0x7b, 0x22, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]);
    server.serve("b.safetensors", padded);
    const empty = text(JSON.stringify({ weight_map: { b: "b.safetensors" } }));
    expect((await failure(server.serve("b.json", empty))).message).to.match(/has no 'b'/);
  });

  it("files that are not there, or none", async () => {
    const path = `${tmpdir()}/sconce-nothing.pt`;
    expect((await failure(path)).message).to.equal(`${path}: there is no such file`);
    expect((await failure(tmpdir())).message).to.equal(`${tmpdir()}: is a folder, not a file`);
    expect((await failure("/dev/null")).message).to.equal(
      "/dev/null: is a pipe or device, not a file",
    );
    expect((await failure("file://host/model.pt")).message).to.match(
      /^file:\/\/host\/model.pt: is not the URL of a file: File URL host must be/,
    );
  });

  it("a pipe that nobody writes to", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sconce-"));
    const path = join(folder, "pipe");
    try {
      await promisify(execFile)("mkfifo", [path]);
      expect((await failure(path)).message).to.equal(`${path}: is a pipe or device, not a file`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("a tensor that is more than fits in memory", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sconce-"));
    const path = join(folder, "model.safetensors");
    try {
      const size = 2 ** 42;
      const header = text(`{"a":{"dtype":"U8","shape":[${size}],"data_offsets":[0,${size}]}}`);
      await writeFile(path, [Uint8Array.of(header.length, 0, 0, 0, 0, 0, 0, 0), header]);
      await truncate(path, 8 + header.length + size);
      const error = await failure(path);
      expect(error.message).to.match(
        /^\S+: 43980465\d+ bytes in one piece are more than the memory/,
      );
      expect(error.file).to.equal(path);
      expect([...(await load(path, { filter: () => false })).keys()]).to.deep.equal([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  const OTHERS: Record<string, [bytes: Uint8Array, says: string]> = {
    "gzip's": [gzipSync("x"), "compressed by gzip, not a checkpoint that is read"],
    "llama.cpp's": [
      text("GGUF\x03\0\0\0\0"),
      "a GGUF file (llama.cpp), not a checkpoint that is read",
    ],
    "Keras's": [Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10), "an HDF5 file (Keras), not a"],
    "S3's": [text("<?xml version='1.0'?><Error/>"), "an HTML page, probably an error page"],
    "other JSON": [
      text('{"error": "no", "code": 3}'),
      "not an index of shards: it has no weight_map, but 'error', 'code'",
    ],
  };
  for (const [name, [content, says]] of Object.entries(OTHERS)) {
    it(`files that are none of PyTorch's: ${name}`, async () => {
      expect((await failure(content)).message).to.contain(`<bytes>: ${says}`);
    });
  }

  it("responses that are none of a file", async () => {
    const missing = new Response("not here", { status: 404 });
    expect((await failure(missing)).message).to.match(/^<response>: there is no such file/);
    const used = new Response(bytes);
    await used.arrayBuffer();
    expect((await failure(used)).message).to.equal("<response>: its body has been read before");
    const locked = new Response(bytes);
    locked.body!.getReader();
    expect((await failure(locked)).message).to.match(/its body is being read by somebody else/);
    expect((await failure(Response.error())).message).to.match(/of a fetch in the mode no-cors/);
    const answer = (length: number): Response =>
      new Response(bytes, { headers: { "content-length": String(length) } });
    expect((await failure(answer(300_000))).message).to.match(/broke off after 262216 of 300000/);
    expect((await failure(answer(1000))).message).to.match(
      /announced 1000 bytes .* but sends more/,
    );
  });

  describe("integrity", () => {
    const hashOf = (algorithm: string): string =>
      `${algorithm}-${createHash(algorithm).update(bytes).digest("base64")}`;
    const wrong = `sha256-${createHash("sha256").update("x").digest("base64")}`;

    it("passes what is expected, from everywhere", async () => {
      const url = server.serve("model", { bytes, ranges: false });
      for (const algorithm of ["sha256", "sha384", "sha512"]) {
        await load(bytes, { integrity: hashOf(algorithm) });
      }
      await load(url, { cache: false, integrity: hashOf("sha256"), filter: () => false });
      await load(new Blob([bytes]), { integrity: `${wrong} ${hashOf("sha256")}` });
    });

    it("refuses what is not, the strongest hash deciding", async () => {
      const url = server.serve("model", bytes);
      const { message, file } = await failure(url, { integrity: wrong });
      expect(message).to.contain("is not the file that was expected: its hash is sha256-");
      expect(message).to.contain(`but integrity asks for ${wrong}`);
      expect(file).to.equal(url);
      const weak = `${hashOf("sha256")} sha512-${createHash("sha512").digest("base64")}`;
      expect((await failure(bytes, { integrity: weak })).message).to.contain("its hash is sha512-");
    });

    for (const bad of ["md5-abc", "sha256-abc", "", "sha256"]) {
      it(`refuses to take ${JSON.stringify(bad)} for a hash`, async () => {
        const error: unknown = await load(bytes, { integrity: bad }).catch((e: unknown) => e);
        expect(error).to.be.instanceOf(TypeError);
        expect((error as Error).message).to.match(/^load: integrity must be "sha256-"/);
      });
    }
  });
});
