import { expect } from "chai";
import { type ByteSource, CheckpointError, inspect, load } from "../../lib/checkpoint/index.js";
import { fixtureSource } from "./fixture-source.js";

const GOOD = "goldens/checkpoints/good";
/** One state_dict in every format, and what stands before its keys. */
const NETS: Record<string, string> = {
  "net.safetensors": "",
  "net.pt": "",
  "net-legacy.pt": "",
  "script.pt": "",
  "sharded.safetensors.index.json": "",
  "trainer.pt": "model.",
};

const keysOf = async (...args: Parameters<typeof load>): Promise<string[]> =>
  [...(await load(...args)).keys()].sort();

async function failure(...args: Parameters<typeof load>): Promise<CheckpointError> {
  const error: unknown = await load(...args).catch((reason: unknown) => reason);
  expect(error).to.be.instanceOf(CheckpointError);
  return error as CheckpointError;
}

describe("The option key", () => {
  for (const [name, path] of Object.entries(NETS)) {
    const open = (): Promise<ByteSource> => fixtureSource(`${GOOD}/${name}`);

    it(`picks one tensor of ${name} by its name`, async () => {
      const key = `${path}fc.weight`;
      const entries = await load(await open(), { key });
      expect([...entries.keys()]).to.deep.equal([key]);
      const all = await load(await open());
      expect(entries.get(key)!.data).to.deep.equal(all.get("fc.weight")!.data);
    });

    it(`picks those of ${name} below a prefix, without it`, async () => {
      const key = `${path}conv`;
      expect(await keysOf(await open(), { key })).to.deep.equal(["bias", "weight"]);
      const filter = (found: string): boolean => found === "bias";
      expect(await keysOf(await open(), { key, filter })).to.deep.equal(["bias"]);
      const { tensors } = await inspect(await open(), { key });
      expect([...tensors.keys()]).to.have.members(["bias", "weight"]);
    });

    it(`tells what is in ${name} if nothing has that name`, async () => {
      for (const key of ["typo", "con", "conv.", "conv.weight.x", "", "__proto__", "constructor"]) {
        const { message, file, key: of } = await failure(await open(), { key });
        expect(message).to.contain(`${name}: there is no '${key}' in it; it has '`);
        expect({ file, of }).to.deep.equal({ file: `${GOOD}/${name}`, of: key });
      }
    });
  }

  it("picks an array of numpy's", async () => {
    const npz = `${GOOD}/arrays.npz`;
    const [key] = await keysOf(await fixtureSource(npz));
    expect(await keysOf(await fixtureSource(npz), { key })).to.deep.equal([key]);
    expect((await failure(await fixtureSource(npz), { key: "typo" })).message).to.contain(
      `no 'typo' in it; it has '`,
    );
    const npy = `${GOOD}/f4.npy`;
    expect(await keysOf(await fixtureSource(npy), { key: "array" })).to.deep.equal(["array"]);
    expect((await failure(await fixtureSource(npy), { key: "x" })).message).to.equal(
      `${npy}: there is no 'x' in it; it has 'array'`,
    );
  });
});

describe("Shards", () => {
  it("are opened only where a tensor of theirs is wanted", async () => {
    const source = await fixtureSource(`${GOOD}/sharded.safetensors.index.json`);
    const opened: string[] = [];
    const watched: ByteSource = {
      ...source,
      sibling: (name) => {
        opened.push(name);
        return source.sibling!(name);
      },
    };
    await load(watched, { filter: (key) => key === "fc.bias" });
    expect(opened).to.have.lengthOf(1);
    await load(watched, { filter: () => false });
    expect(opened).to.have.lengthOf(1);
  });
});
