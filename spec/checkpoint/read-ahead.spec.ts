import { expect } from "chai";
import { bytesSource, type ByteSource } from "../../lib/checkpoint/byte-source.js";
import { openCheckpoint } from "../../lib/checkpoint/formats.js";
import { RangeSource } from "../../lib/checkpoint/source/ranges.js";
import { LoadTask } from "../../lib/checkpoint/task.js";
import { Turns } from "../../lib/checkpoint/turns.js";
import { ZipArchive } from "../../lib/checkpoint/zip.js";
import { openExported } from "../../lib/exported/archive/open.js";
import { readFixture } from "../support/files.js";
import { makeZip, readZip } from "../support/zip.js";

/** Whether a file is read ahead by who opens it. */
async function isReadAhead(
  bytes: Uint8Array,
  open: (file: ByteSource) => Promise<unknown>,
): Promise<boolean> {
  let asked = false;
  await open({ ...bytesSource(bytes), readAhead: () => void (asked = true) });
  return asked;
}

const CASES: Record<string, [fixture: string, open: (file: ByteSource) => Promise<unknown>]> = {
  "a file of torch.save": ["checkpoints/good/net.pt", (file) => openCheckpoint(file)],
  "an exported program": ["exported/mlp.pt2", (file) => openExported(file, undefined)],
};

describe("Reading ahead", () => {
  for (const [what, [fixture, open]] of Object.entries(CASES)) {
    it(`is asked for by ${what} that is mostly tensors, and not by one that is mostly not`, async () => {
      const members = await readZip(await readFixture(`goldens/${fixture}`));
      const names = [...members.keys()];
      const root = names[0]!.slice(0, names[0]!.indexOf("/") + 1);
      const sizes = [...members].map(([name, { length }]) =>
        name.startsWith(`${root}data/`) ? length : 0,
      );
      const size = sizes.reduce((sum, one) => sum + one, 0);
      const withMore = (folder: string, length: number): Uint8Array =>
        makeZip(new Map([...members, [`${root}${folder}/more`, new Uint8Array(length)]]));
      expect(await isReadAhead(withMore("data", 100_000), open)).to.equal(true);
      expect(await isReadAhead(withMore("extra", 100_000 + 2 * size), open)).to.equal(false);
    });
  }
});

describe("Members of archives", () => {
  const PIECE = 4 * 2 ** 20;

  it("are not copied where their last piece came with the directory", async () => {
    const name = "archive/data/0";
    const file = makeZip(new Map([[name, new Uint8Array(PIECE + 1000).fill(7)]]));
    const fill = (begin: number, target: Uint8Array): Promise<void> => {
      target.set(file.subarray(begin, begin + target.length));
      return Promise.resolve();
    };
    const limits = { maxGap: 0, partSize: PIECE, turns: new Turns(3) };
    const source = new RangeSource(
      { name: "a.zip", size: file.length, fill, ...limits },
      new LoadTask(),
    );
    const archive = await ZipArchive.open(source);
    const bytes = await archive.read(archive.members.get(name)!);
    expect(bytes.length).to.equal(PIECE + 1000);
    expect(bytes[PIECE + 999]).to.equal(7);
    expect(bytes.buffer.byteLength, "its header lies before it").to.be.above(bytes.length);
  });
});
