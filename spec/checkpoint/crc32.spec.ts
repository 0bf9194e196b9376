import { expect } from "chai";
import { crc32, sliceBy4 } from "../../lib/checkpoint/crc32.js";
import { foldBlocks } from "../../lib/checkpoint/crc32-fold.js";

/** By the definition, bit by bit: the sums of the first 0, 1, 2 … bytes. */
function sumsOf(bytes: Uint8Array): Uint32Array {
  const sums = new Uint32Array(bytes.length + 1);
  let c = 0xffffffff;
  bytes.forEach((byte, i) => {
    c ^= byte;
    for (let k = 0; k < 8; k += 1) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    sums[i + 1] = ~c;
  });
  return sums;
}

/** Of a linear congruence: the same each time. */
function noise(length: number): Uint8Array {
  let state = 12345;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

describe("CRC-32", () => {
  const bytes = noise(300_000);
  const sums = sumsOf(bytes);
  const ways = { crc32, sliceBy4: (data: Uint8Array, before = 0) => sliceBy4(data, before) };

  for (const [name, sum] of Object.entries(ways)) {
    describe(name, () => {
      it("gives what the standard says", () => {
        expect(sum(new TextEncoder().encode("123456789"))).to.equal(0xcbf43926);
      });

      it("sums any number of bytes, those at which its ways change among them", () => {
        const lengths = Array.from({ length: 5001 }, (_, i) => i);
        for (const near of [32_768, 65_536, 70_336, 131_072, 135_872]) {
          for (let length = near - 70; length <= near + 70; length += 1) lengths.push(length);
        }
        for (const length of [...lengths, 200_001, bytes.length]) {
          expect(sum(bytes.subarray(0, length)), `${length}`).to.equal(sums[length]);
        }
      });

      it("goes on from a sum, wherever the bytes lie", () => {
        const cuts = noise(60);
        for (let at = 0, i = 0; at < bytes.length; i += 1) {
          const end = Math.min(bytes.length, at + 97 * cuts[i % 60]! * (1 + (i % 7)) + 1);
          expect(sum(bytes.subarray(at, end), sums[at]), `${at} to ${end}`).to.equal(sums[end]);
          at = end;
        }
        for (let begin = 1; begin < 20; begin += 1) {
          const all = sum(bytes.subarray(begin), sums[begin]);
          expect(all, `from ${begin}`).to.equal(sums[bytes.length]);
        }
      });

      it("sees one wrong bit anywhere", () => {
        for (const at of [0, 3, 4, 4799, 4800, 65_535, 150_001, 299_999]) {
          const damaged = bytes.slice();
          damaged[at]! ^= 1 << (at % 8);
          expect(sum(damaged), `at ${at}`).to.not.equal(sums[bytes.length]);
        }
      });
    });
  }

  it("is folded here, as in every engine with SIMD", () => {
    const folded = foldBlocks(bytes, 0);
    expect(folded?.length).to.be.within(4800, 4863);
    expect(crc32(folded!.slice(), 0xffffffff)).to.equal(sums[bytes.length]);
  });
});
