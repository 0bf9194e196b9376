import { expect } from "chai";
import * as nn from "sconce";
import { type ByteSource, CheckpointError, type LoadProgress } from "../../lib/checkpoint/index.js";
import { makeSafetensors, ramp } from "../support/safetensors.js";

const bytes = makeSafetensors({ a: ramp(3, 1) });
const tensor = { shape: [], dtype: "float32", data: () => Promise.resolve(new Float32Array(1)) };

/** What a call with an argument of the wrong kind is told. */
async function failure(call: () => unknown): Promise<string> {
  try {
    await call();
    return "nothing";
  } catch (error) {
    return String(error);
  }
}

async function sha256(content: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", content as Uint8Array<ArrayBuffer>);
  return btoa(String.fromCharCode(...new Uint8Array(hash)));
}

const load = (source: unknown, options?: unknown): Promise<unknown> =>
  nn.load(source as never, options as never);
const save = (state: unknown, options?: unknown): Promise<unknown> =>
  nn.save(state as never, options as never);

const SOURCES = "expected a path, URL, File, Blob, Response or bytes, got";
const STATE = "expected a state_dict, as model.stateDict() and load give it, got";
const KNOWN = "{ filter, key, cache, integrity, onProgress, signal }";

const CASES: Record<string, [call: () => unknown, says: string]> = {
  "no source": [() => load(undefined), `load: ${SOURCES} undefined`],
  null: [() => load(null), `load: ${SOURCES} null`],
  "an array": [() => load([1]), `load: ${SOURCES} an array of 1`],
  "a number": [() => load(3), `load: ${SOURCES} number 3`],
  "an empty path": [() => load(""), `load: ${SOURCES} an empty string`],
  "what was not awaited": [
    () => load(Promise.resolve(bytes)),
    `load: ${SOURCES} a Promise (is an await missing?)`,
  ],
  "a stream": [
    () => load(new Blob([bytes]).stream()),
    `load: ${SOURCES} an object of ReadableStream class; a stream is taken as new Response(stream)`,
  ],
  "a source without a size": [
    () => load({ name: "mine", read: () => bytes }),
    `load: ${SOURCES} an object of Object class`,
  ],
  "no source of a program": [
    () => nn.loadExported(undefined as never),
    `loadExported: ${SOURCES} undefined`,
  ],
  "no source to inspect": [() => nn.inspect(null as never), `inspect: ${SOURCES} null`],
  "options that are none": [
    () => load(bytes, null),
    `load: options must be an object ${KNOWN}, got null`,
  ],
  "an unknown option": [
    () => load(bytes, { keys: "a" }),
    "load got an unexpected option 'keys'; known options: filter, key, cache, integrity, onProgress, signal",
  ],
  "progress of inspect": [
    () => nn.inspect(bytes, { onProgress: () => undefined } as never),
    "inspect got an unexpected option 'onProgress'; known options: key, signal, cache, integrity",
  ],
  "a text as filter": [
    () => load(bytes, { filter: "fc" }),
    'load: filter must be a function of the key, such as (key) => /^encoder\\./.test(key), got string "fc"',
  ],
  "a pattern as filter": [
    () => load(bytes, { filter: /^fc/ }),
    "load: filter must be a function of the key, such as (key) => /^fc/.test(key), got an object of RegExp class",
  ],
  "a filter that answers later": [
    () => load(bytes, { filter: () => Promise.resolve(false) }),
    "load: filter must tell at once whether it takes a key, got a Promise",
  ],
  "a pattern as key": [
    () => load(bytes, { key: /a/ }),
    "load: key must be a string, got an object of RegExp class",
  ],
  "a controller as signal": [
    () => load(bytes, { signal: new AbortController() }),
    "load: signal must be an AbortSignal (pass controller.signal), got an object of AbortController class",
  ],
  "a number as signal": [
    () => load(bytes, { signal: 3 }),
    "load: signal must be an AbortSignal, got number 3",
  ],
  "a number as listener": [
    () => load(bytes, { onProgress: 3 }),
    "load: onProgress must be a function, got number 3",
  ],
  "a number as hash": [
    () => load(bytes, { integrity: 3 }),
    'load: integrity must be "sha256-" and the hash in base64, got number 3',
  ],
  "a word for the cache": [
    () => nn.inspect(bytes, { cache: "no" } as never),
    'inspect: cache must be true, false or "reload", got string "no"',
  ],
  "a number for a program's cache": [
    () => nn.loadExported(bytes, { cache: 1 } as never),
    'loadExported: cache must be true, false or "reload", got number 1',
  ],
  "a state_dict that is null": [() => save(null), `save: ${STATE} null`],
  "a state_dict that was not awaited": [
    () => save(Promise.resolve({})),
    `save: ${STATE} a Promise (is an await missing?)`,
  ],
  "a list of tensors": [() => save([]), `save: ${STATE} an array of 0`],
  "an object of a class": [() => save(new Date()), `save: ${STATE} an object of Date class`],
  "a module": [
    () => {
      const model = new nn.Linear(1, 1);
      return save(model).finally(() => model.dispose());
    },
    `save: ${STATE} a module: save(model.stateDict())`,
  ],
  "options of an entry": [
    async () => (await nn.load(bytes)).get("a")!.toInt32({ clip: true } as never),
    "toInt32 got an unexpected option 'clip'; known options: clamp",
  ],
  "a key that is a number": [
    () => save(new Map([[1, tensor]])),
    `save: ${STATE} one with the key number 1`,
  ],
  "the key that the format keeps": [
    () => save({ __metadata__: tensor }),
    `save: ${STATE} one with the key '__metadata__', which the format keeps for the option metadata`,
  ],
  "save's options that are none": [
    () => save({}, null),
    "save: options must be an object { dtype, metadata }, got null",
  ],
  "metadata that are a text": [
    () => save({}, { metadata: "x" }),
    'save: metadata must be texts by their names, such as { format: "pt" }, got string "x"',
  ],
  "a model that comes later": [
    () => nn.meta(() => Promise.resolve(1)),
    "meta: its function must return the model at once, got a Promise",
  ],
};

describe("Arguments of the wrong kind", () => {
  for (const [name, [call, says]] of Object.entries(CASES)) {
    it(`are refused: ${name}`, async () => {
      expect(await failure(call)).to.equal(`TypeError: ${says}`);
    });
  }

  it("are not those of another realm or a polyfill", async () => {
    const foreign = {
      aborted: false,
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
      throwIfAborted: () => undefined,
    };
    const entries = await load(bytes, { signal: foreign });
    expect([...(entries as Map<string, unknown>).keys()]).to.deep.equal(["a"]);
  });

  const LOCATIONS: Record<string, string> = {
    "s3://bucket/model.pt": "s3: URLs are not read; https: ones are",
    "http://": "is not a URL",
    "blob:nothing": "is not a URL that can be read any more",
  };
  for (const [location, says] of Object.entries(LOCATIONS)) {
    it(`are no locations such as ${location}`, async () => {
      expect(await failure(() => load(location))).to.equal(`CheckpointError: ${location}: ${says}`);
    });
  }
});

describe("Metadata", () => {
  it("may lie in memory that workers share", async () => {
    // Pages without isolation have no other way to such memory.
    const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const shared = new Uint8Array(buffer, 0, bytes.length);
    shared.set(bytes);
    const integrity = "sha256-" + (await sha256(bytes));
    const entry = (await nn.load(shared, { integrity })).get("a")!;
    shared.fill(0);
    expect(entry.data).to.deep.equal(ramp(3, 1));
  });

  it("may be the map that inspect gives", async () => {
    const first = await nn.save({}, { metadata: { format: "pt", 'a"b': "ä" } });
    const { metadata } = await nn.inspect(first);
    expect(await nn.save({}, { metadata })).to.deep.equal(first);
    expect([...metadata]).to.have.deep.members([["format", "pt"], ['a"b', "ä"]]); // prettier-ignore
  });
});

describe("A source of one's own", () => {
  const sourceOf = (read: ByteSource["read"]): ByteSource => ({
    name: "mine",
    size: bytes.length,
    read,
  });

  it("is read, with its progress", async () => {
    const reports: LoadProgress[] = [];
    const source = sourceOf((begin, end) => Promise.resolve(bytes.subarray(begin, end)));
    await nn.load(source, { onProgress: (progress) => reports.push(progress) });
    const { loaded, total, file, key } = reports.at(-1)!;
    expect(loaded).to.equal(total).and.to.be.at.least(bytes.length);
    expect({ file, key }).to.deep.equal({ file: "mine", key: "a" });
  });

  it("fails with the name of the file, whatever it throws", async () => {
    const reason = new Error("the disk is on fire");
    const error: unknown = await load(sourceOf(() => Promise.reject(reason))).catch(
      (e: unknown) => e,
    );
    expect(error).to.be.instanceOf(CheckpointError);
    const { message, file, cause } = error as CheckpointError;
    expect(message).to.equal("mine: cannot be read: Error: the disk is on fire");
    expect({ file, cause }).to.deep.equal({ file: "mine", cause: reason });
  });

  it("has to give the bytes that it is asked for", async () => {
    const short = sourceOf((begin) => Promise.resolve(bytes.subarray(begin, begin + 7)));
    expect(await failure(() => load(short))).to.equal(
      `CheckpointError: mine: its read(0, ${bytes.length}) gave no Uint8Array of ${bytes.length} bytes`,
    );
  });
});
