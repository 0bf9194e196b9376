import { expect } from "chai";
import { Entry } from "../../lib/checkpoint/entry.js";
import { CheckpointError, load } from "../../lib/checkpoint/index.js";
import { readJson } from "../support/files.js";
import { fixtureSource } from "./fixture-source.js";

/** Rare kinds of checkpoints, and what PyTorch and numpy say of them. */
interface Found {
  state?: Record<
    string,
    { unreadable: true } | { dtype: string; shape: number[]; values: string[] }
  >;
  refused?: string;
  key?: string;
}

const FOLDER = "goldens/checkpoint-zoo";
const manifest = await readJson<Record<string, Found>>(`${FOLDER}/manifest.json`);

const toNumber = (text: string): number =>
  text.endsWith("inf") ? Number(text.replace("inf", "Infinity")) : Number(text);

/** Complex numbers as their parts. */
function valuesOf(entry: Entry): number[] {
  if (entry.dtype === "complex32") {
    const halves = entry.data as Uint16Array;
    const bytes = new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength);
    return valuesOf(new Entry("float16", [halves.length], bytes));
  }
  return Array.from(
    entry.dtype.includes("complex") ? (entry.data as Float64Array) : entry.toFloat64(),
  );
}

describe("Rare checkpoints", () => {
  for (const [name, { state, refused, key }] of Object.entries(manifest)) {
    const file = name.replace(/#.*/, "");
    const title = key === undefined ? file : `${file}, key ${key}`;
    if (refused !== undefined) {
      it(`${title} is refused`, async () => {
        const error: unknown = await load(await fixtureSource(`${FOLDER}/${file}`), { key }).then(
          () => null,
          (reason: unknown) => reason,
        );
        expect(error).to.be.instanceOf(CheckpointError);
        expect((error as Error).message).to.match(new RegExp(refused));
      });
      continue;
    }
    it(`${title} loads`, async () => {
      const entries = await load(await fixtureSource(`${FOLDER}/${file}`), { key });
      expect([...entries.keys()]).to.have.members(Object.keys(state!));
      for (const [path, want] of Object.entries(state!)) {
        const entry = entries.get(path)!;
        if ("unreadable" in want) {
          const says = `${FOLDER}/${file}: '${path}' is `;
          expect(() => entry.toFloat32(), path).to.throw(CheckpointError, says);
          continue;
        }
        expect(entry.dtype, path).to.equal(want.dtype);
        expect(entry.shape, path).to.deep.equal(want.shape);
        expect(valuesOf(entry), path).to.deep.equal(want.values.map(toNumber));
      }
    });
  }
});
