import { expect } from "chai";
import { load } from "../../lib/checkpoint/index.js";
import { joinBytes } from "../support/bytes.js";
import { ramp } from "../support/safetensors.js";

const text = (content: string): number[] => Array.from(new TextEncoder().encode(content));
const uint32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
const int64s = (...values: number[]): number[] => [
  ...new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
];

/** Python's pickle, protocol 2. */
const pickle = (...codes: number[][]): number[] => [0x80, 2, ...codes.flat(), 0x2e];
const str = (content: string): number[] => [0x58, ...uint32(content.length), ...text(content)];
const int = (value: number): number[] => [0x4a, ...uint32(value)];
const named = (key: string, other: string, type: string): number[] =>
  pickle(str(key), str(other), text(`ctorch\n${type}\n`), [0x87]);

function tar(members: Record<string, (ArrayLike<number> | ArrayBufferView)[]>): Uint8Array {
  const blocks = Object.entries(members).flatMap(([name, parts]) => {
    const bytes = parts.map((part) =>
      ArrayBuffer.isView(part) ? new Uint8Array(part.buffer) : Uint8Array.from(part),
    );
    const size = bytes.reduce((sum, { length }) => sum + length, 0);
    const head = new Uint8Array(512);
    head.set(text(name));
    head.set(text(size.toString(8).padStart(11, "0")), 124);
    head.set(text("0"), 156);
    head.set(text("ustar"), 257);
    return [head, ...bytes, new Uint8Array((512 - (size % 512)) % 512)];
  });
  return joinBytes(...blocks, new Uint8Array(1024));
}

describe("A tar of torch 0.x", () => {
  const COUNT = 500_000;
  const tensors = ["a", "b", "c"];
  const bytes = tar({
    storages: [
      pickle(int(tensors.length)),
      ...tensors.flatMap((key, i) => [
        named(`s-${key}`, "cpu", "FloatStorage"),
        int64s(COUNT),
        ramp(COUNT, i),
      ]),
      pickle([0x5d]),
    ],
    tensors: [
      pickle(int(tensors.length)),
      ...tensors.flatMap((key) => [
        named(`t-${key}`, `s-${key}`, "FloatTensor"),
        int64s(2, 1000, 500, 500, 1, 0),
      ]),
    ],
    pickle: [pickle([0x7d, 0x28], ...tensors.map((key) => [...str(key), ...str(`t-${key}`), 0x51]), [0x75])], // prettier-ignore
  });

  /** The file, and how many bytes of it were read. */
  function watched() {
    let sum = 0;
    const read = (begin: number, end: number): Promise<Uint8Array> => {
      sum += end - begin;
      return Promise.resolve(bytes.subarray(begin, end));
    };
    return { file: { name: "old.pt", size: bytes.length, read }, sum: () => sum };
  }

  it("is read", async () => {
    const entries = await load(watched().file);
    expect([...entries.keys()]).to.deep.equal(tensors);
    for (const [i, key] of tensors.entries()) {
      const { shape, data } = entries.get(key)!;
      expect(shape).to.deep.equal([1000, 500]);
      expect(data[COUNT - 1]).to.equal(ramp(COUNT, i)[COUNT - 1]);
    }
  });

  it("is read no further than its pickles and the tensors that are wanted", async () => {
    const { file, sum } = watched();
    const entries = await load(file, { filter: (key) => key === "b" });
    expect([...entries.keys()]).to.deep.equal(["b"]);
    expect(sum()).to.be.within(4 * COUNT, 4 * COUNT + 4 * 65536 + 8192);
  });
});
