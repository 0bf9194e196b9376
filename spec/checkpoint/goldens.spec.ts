import { expect } from "chai";
import { CheckpointError, type Entry, load } from "../../lib/checkpoint/index.js";
import { readJson } from "../support/files.js";
import { fixtureSource } from "./fixture-source.js";

/** Files that real PyTorch, safetensors and numpy wrote, and files that must be refused. */
interface Manifest {
  good: Record<
    string,
    {
      state?: Record<string, { dtype: string; shape: number[]; head?: number[]; sum?: number }>;
      array?: { dtype: string; shape: number[]; values: number[] };
    }
  >;
  bad: Record<string, string>;
}

const manifest = await readJson<Manifest>("goldens/checkpoints/manifest.json");

const FOLDER = "goldens/checkpoints";

function expectEntry(
  entry: Entry | undefined,
  { dtype, shape, head, sum }: { dtype: string; shape: number[]; head?: number[]; sum?: number },
  key: string,
): void {
  expect(entry, key).to.exist;
  expect(entry!.dtype, `${key}: dtype`).to.equal(dtype);
  expect(entry!.shape, `${key}: shape`).to.deep.equal(shape);
  const values = entry!.toFloat64();
  if (head) expect(Array.from(values.subarray(0, 8)), key).to.deep.equal(head);
  if (sum === undefined) return;
  const total = values.reduce((a, b) => a + b, 0);
  expect(Math.abs(total - sum), `${key}: sum`).to.be.at.most(1e-9 * Math.max(1, Math.abs(sum)));
}

describe("Checkpoints that real libraries wrote", () => {
  for (const [name, { state, array }] of Object.entries(manifest.good)) {
    it(name, async () => {
      const entries = await load(await fixtureSource(`${FOLDER}/good/${name}`));
      if (array) {
        const { values, ...rest } = array;
        expect([...entries.keys()]).to.deep.equal(["array"]);
        // numpy calls a big-endian array by its byte order; what is read is in the machine's.
        const dtype = rest.dtype === ">f8" ? "float64" : rest.dtype;
        expectEntry(entries.get("array"), { ...rest, dtype, head: values.slice(0, 8) }, "array");
      }
      if (!state) return;
      expect([...entries.keys()]).to.have.members(Object.keys(state));
      for (const [key, want] of Object.entries(state)) expectEntry(entries.get(key), want, key);
    });
  }
});

describe("Files that are refused", () => {
  for (const [name, why] of Object.entries(manifest.bad)) {
    it(`${name}: ${why}`, async () => {
      const file = await fixtureSource(`${FOLDER}/bad/${name}`);
      const began = performance.now();
      const error: unknown = await load(file).then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(CheckpointError);
      expect((error as CheckpointError).file).to.equal(file.name);
      expect((error as CheckpointError).message).to.match(/^goldens\S+: .{10}/);
      expect(performance.now() - began, "milliseconds").to.be.below(1000);
    });
  }
});
