import { expect } from "chai";
import { Ahead } from "../../lib/checkpoint/source/ahead.js";
import { RangeSource } from "../../lib/checkpoint/source/ranges.js";
import { LoadTask } from "../../lib/checkpoint/task.js";
import { Turns } from "../../lib/checkpoint/turns.js";

const file = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

/** A source over `file` that tells what it was asked for. */
function makeSource({ maxGap = 0, partSize = 1000, parallel = 2, head = 0, isWhole = false } = {}) {
  const calls: [number, number][] = [];
  const active = { now: 0, peak: 0 };
  const fill = async (begin: number, target: Uint8Array): Promise<void> => {
    calls.push([begin, begin + target.length]);
    active.peak = Math.max(active.peak, ++active.now);
    await new Promise((resolve) => setTimeout(resolve, 2));
    active.now -= 1;
    if (begin === 666) throw new Error("broken");
    target.set(file.subarray(begin, begin + target.length));
  };
  const turns = new Turns(parallel);
  const reader = { name: "file", size: 1000, fill, maxGap, partSize, turns };
  const task = new LoadTask();
  const source = new RangeSource(
    {
      ...reader,
      ...(head && { head: file.subarray(0, head) }),
      ...(isWhole && { ahead: (...of) => new Ahead(...of) }),
    },
    task,
  );
  return { source, calls, active, task };
}

async function expectBytes(read: Promise<Uint8Array>, begin: number, end: number): Promise<void> {
  expect(Array.from(await read)).to.deep.equal(Array.from(file.subarray(begin, end)));
}

describe("Reads of ranges", () => {
  it("asked for together are one where they are near, whatever their order", async () => {
    const { source, calls } = makeSource({ maxGap: 10 });
    const ranges = [[50, 60], [10, 20], [30, 40], [200, 210], [15, 18]] as const; // prettier-ignore
    const reads = ranges.map(([begin, end]) => source.read(begin, end));
    for (const [i, [begin, end]] of ranges.entries()) await expectBytes(reads[i]!, begin, end);
    expect(calls).to.deep.equal([[10, 60], [200, 210]]); // prettier-ignore
  });

  it("are done in parts, no more at a time than allowed", async () => {
    const { source, calls, active } = makeSource({ partSize: 100, parallel: 3 });
    await expectBytes(source.read(0, 1000), 0, 1000);
    expect(calls).to.have.lengthOf(10);
    expect(active.peak).to.equal(3);
  });

  it("give each its bytes as soon as they are there", async () => {
    const { source, active } = makeSource({ partSize: 100, parallel: 1 });
    const reads = [source.read(0, 150), source.read(150, 1000)];
    await expectBytes(reads[0]!, 0, 150);
    expect(active.now, "parts under way").to.equal(1);
    await expectBytes(reads[1]!, 150, 1000);
  });

  it("take the beginning from what is there", async () => {
    const { source, calls } = makeSource({ head: 100 });
    await expectBytes(source.read(5, 100), 5, 100);
    expect(calls).to.deep.equal([]);
    await expectBytes(source.read(90, 120), 90, 120);
    expect(calls).to.deep.equal([[100, 120]]);
  });

  describe("after reading ahead", () => {
    const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

    it("take what has been read, or is being read, and share its buffer", async () => {
      const { source, calls } = makeSource({ partSize: 20, head: 30, isWhole: true });
      source.readAhead();
      await expectBytes(source.read(700, 710), 700, 710);
      const reads = [source.read(40, 600), source.read(600, 990)];
      await expectBytes(reads[0]!, 40, 600);
      await expectBytes(reads[1]!, 600, 990);
      const [first, second] = await Promise.all(reads);
      expect(first!.buffer).to.equal(second!.buffer);
      const begins = calls.map(([begin]) => begin).filter((begin) => begin !== 700);
      expect(begins[0]).to.equal(30);
      expect(new Set(begins).size, "none twice").to.equal(begins.length);
      await wait(5);
      expect(calls.at(-1)![1], "and then no more").to.equal(990);
    });

    it("leave it where little is wanted, and it ends", async () => {
      const { source, calls } = makeSource({ partSize: 100, isWhole: true });
      source.readAhead();
      const begun = calls.length;
      const bytes = await source.read(100, 500);
      expect(bytes.buffer.byteLength).to.be.below(500);
      await wait(20);
      expect(calls.length, "four parts are wanted").to.equal(begun + 4);
    });

    it("go on with it while headers are asked for", async () => {
      const { source, calls } = makeSource({ partSize: 100, isWhole: true });
      source.readAhead();
      await expectBytes(source.read(910, 990), 910, 990);
      await wait(40);
      expect(calls.length, "ten parts, and the header").to.equal(11);
    });

    it("do not where not all of it was asked for, or it is short", async () => {
      for (const options of [{ partSize: 100 }, { partSize: 500, isWhole: true }]) {
        const { source, calls } = makeSource(options);
        source.readAhead();
        await wait(5);
        expect(calls).to.deep.equal([]);
      }
    });

    it("end with the load", async () => {
      const { source, calls, task } = makeSource({ partSize: 100, isWhole: true });
      const begun = await task.run(() => {
        source.readAhead();
        return Promise.resolve(calls.length);
      });
      await wait(20);
      expect(calls.length).to.equal(begun);
    });

    it("fail with what broke", async () => {
      const { source } = makeSource({ partSize: 333, isWhole: true });
      source.readAhead();
      await wait(20);
      const error: unknown = await source.read(0, 1000).catch((reason: unknown) => reason);
      expect(String(error)).to.equal("Error: broken");
    });
  });

  it("align what is aligned in the file, or from where the format says", async () => {
    const { source } = makeSource();
    expect((await source.read(24, 40)).byteOffset % 8).to.equal(0);
    expect((await source.read(27, 40)).byteOffset % 8).to.equal(3);
    source.alignAt(27);
    expect((await source.read(27 + 16, 60)).byteOffset % 8).to.equal(0);
  });

  it("fail with what broke, those of another run not", async () => {
    const { source } = makeSource();
    const [good, bad] = [source.read(0, 10), source.read(666, 670)];
    await expectBytes(good, 0, 10);
    expect(await bad.catch((error: unknown) => String(error))).to.equal("Error: broken");
  });

  it("outside the file are refused", async () => {
    const { source } = makeSource();
    const message = await source.read(990, 1001).catch((error: unknown) => String(error));
    expect(message).to.equal("CheckpointError: file: cannot read bytes 990 to 1001 of 1000");
  });

  it("that are large lie aligned each for itself", async () => {
    const size = 5 * 2 ** 20;
    const calls: number[] = [];
    const fill = (begin: number, target: Uint8Array): Promise<void> => {
      calls.push(begin);
      target.fill(1);
      return Promise.resolve();
    };
    const reader = { name: "file", size, fill, maxGap: 64, partSize: size, turns: new Turns(1) };
    const source = new RangeSource(reader, new LoadTask());
    const begins = [30, 2 ** 20 + 101, 3 * 2 ** 20 + 6];
    for (const begin of begins) source.alignAt(begin + 7);
    const ends = [...begins.slice(1), size - 10];
    const ranges = begins.map((begin, i) => source.read(begin, ends[i]!));
    const small = source.read(size - 10, size);
    for (const bytes of await Promise.all(ranges)) {
      expect((bytes.byteOffset + 7) % 8).to.equal(0);
      expect(bytes.every((byte) => byte === 1)).to.equal(true);
    }
    expect((await small).length).to.equal(10);
    expect(calls, "the small one is read with its neighbour").to.deep.equal(begins);
  });
});
