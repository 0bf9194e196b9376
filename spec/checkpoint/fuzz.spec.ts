import { expect } from "chai";
import { type ByteSource, CheckpointError, type Entry, load } from "../../lib/checkpoint/index.js";
import { joinBytes } from "../support/bytes.js";
import { fc, SEED } from "../support/fast-check.js";
import { inBrowser, readFixture, readJson } from "../support/files.js";

/**
 * Every good fixture, flipped, cut and spliced: whatever comes of it is a result or a
 * CheckpointError, soon, and no larger than the file explains.
 */
const RUNS = inBrowser ? 1500 : 20_000;
/** Runs between two turns of others. */
const BATCH = 100;

const FOLDER = "goldens/checkpoints/good";
const { good } = await readJson<{ good: object }>("goldens/checkpoints/manifest.json");
const names = Object.keys(good);
const originals = new Map<string, Uint8Array>();
for (const name of names) originals.set(name, await readFixture(`${FOLDER}/${name}`));
for (const name of ["torch-0.1.pt", "quantized.pt", "views-legacy.pt", "big-endian.pt"]) {
  originals.set(name, await readFixture(`goldens/checkpoint-zoo/${name}`));
}
for (const part of ["00001", "00002"]) {
  const name = `sharded-${part}-of-00002.safetensors`;
  originals.set(name, await readFixture(`${FOLDER}/${name}`));
}

/** Without their checksums, archives are looked into however they were changed. */
function withoutChecksums(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let at = 0; at + 46 <= copy.length; at += 1) {
    if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 16, 0, true);
  }
  return copy;
}

interface Fixture {
  name: string;
  bytes: Uint8Array;
}

const fixtures: Fixture[] = [...originals].flatMap(([name, bytes]) => {
  const isArchive = bytes[0] === 0x50 && bytes[1] === 0x4b;
  const open = { name: `${name} (no checksums)`, bytes: withoutChecksums(bytes) };
  return isArchive ? [{ name, bytes }, open, open] : [{ name, bytes }];
});

/** What is done to the bytes; places are fractions of the length, so that they shrink well. */
type Change =
  | { kind: "flip"; at: number; bit: number }
  | { kind: "set"; at: number; values: readonly number[] }
  | { kind: "cut"; at: number }
  | { kind: "drop"; at: number; count: number }
  | { kind: "splice" | "replace"; at: number; from: number; begin: number; count: number };

// Evenly: fast-check's own numbers are mostly very small ones, which are all the file's beginning.
const place = fc.noBias(fc.nat(999_999)).map((millionths) => millionths / 1e6);
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("flip" as const), at: place, bit: fc.nat(7) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("set" as const),
      at: place,
      values: fc.oneof(
        fc.array(fc.nat(255), { minLength: 1, maxLength: 9 }),
        fc.constantFrom([0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0x80], [0, 0, 0, 0, 0, 0, 0, 0x7f]),
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("splice" as const, "replace" as const, "replace" as const),
      at: place,
      from: fc.nat(fixtures.length - 1),
      begin: place,
      count: fc.integer({ min: 1, max: 200 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("drop" as const),
      at: place,
      count: fc.integer({ min: 1, max: 64 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), at: place }) },
);

/** Mostly none: with one, most files are refused for not having it. */
const wantedKey = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom("fc", "conv.weight", "model", "array", "__proto__") },
);

function apply(bytes: Uint8Array, change: Change): Uint8Array {
  const at = Math.floor(change.at * bytes.length);
  const before = bytes.subarray(0, at);
  switch (change.kind) {
    case "cut":
      return before;
    case "drop":
      return joinBytes(before, bytes.subarray(at + change.count));
    case "flip":
      return joinBytes(before, [(bytes[at] ?? 0) ^ (1 << change.bit)], bytes.subarray(at + 1));
    case "set":
      return joinBytes(before, change.values, bytes.subarray(at + change.values.length));
    default: {
      const other = fixtures[change.from]!.bytes;
      const begin = Math.floor(change.begin * other.length);
      const part = other.subarray(begin, begin + change.count);
      const rest = change.kind === "splice" ? at : at + part.length;
      return joinBytes(before, part, bytes.subarray(rest));
    }
  }
}

/** In memory, with the true shards beside it. */
function sourceOf(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    read: (begin, end) => Promise.resolve(bytes.subarray(begin, end)),
    sibling: (other) => {
      const there = originals.get(other);
      if (there) return Promise.resolve(sourceOf(other, there));
      return Promise.reject(new CheckpointError("is not there", { file: other }));
    },
  };
}

/** Loads it and uses all that is in it; gives the bytes that it came to. */
async function use(name: string, bytes: Uint8Array, key: string | undefined): Promise<number> {
  let entries: Map<string, Entry>;
  try {
    entries = await load(sourceOf(name, bytes), { key });
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    expect(error.file, "file").to.be.a("string");
    return 0;
  }
  let size = 0;
  for (const entry of entries.values()) {
    try {
      size += entry.toFloat32().byteLength;
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
    }
  }
  return size;
}

async function check(index: number, changes: Change[], key: string | undefined): Promise<void> {
  const { name, bytes: original } = fixtures[index]!;
  const bytes = changes.reduce(apply, original);
  let slow = 0;
  // A machine that is busy elsewhere is slow once, not twice.
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const began = performance.now();
    const size = await use(name, bytes, key);
    expect(size, "bytes").to.be.below(2 ** 28 + 64 * bytes.length);
    if (performance.now() - began < 1000) return;
    slow += 1;
  }
  expect(slow, "times that it took over a second").to.be.below(2);
}

describe(`${RUNS} changed files, from the seed ${SEED}`, () => {
  const batches = 20;
  for (let batch = 0; batch < batches; batch += 1) {
    it(`are results or CheckpointErrors: batch ${batch + 1} of ${batches}`, async () => {
      let runs = 0;
      const property = fc.asyncProperty(
        fc.nat(fixtures.length - 1),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        wantedKey,
        async (index, changes, key) => {
          runs += 1;
          if (runs % BATCH === 0) await new Promise((resolve) => setTimeout(resolve));
          await check(index, changes, key);
        },
      );
      await fc.assert(property, { numRuns: RUNS / batches, seed: SEED + batch });
      expect(runs).to.equal(RUNS / batches);
    });
  }
});
