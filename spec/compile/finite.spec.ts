import { expect } from "chai";
import { areFinite, areFiniteBits, areModest } from "../../lib/compile/passes/finite.js";

describe("Whether numbers are finite", () => {
  const LARGEST = 3.4028234663852886e38;
  const fine = [0, -0, 1, -1, LARGEST, -LARGEST, 1e-45, -1e-45, 1.1754943508222875e-38];

  it("is so of zeros, the largest and the smallest", () => {
    expect(areFinite(new Float32Array(fine))).to.equal(true);
    expect(areFinite(new Float32Array(0))).to.equal(true);
  });

  for (const odd of [NaN, Infinity, -Infinity]) {
    it(`is not with ${odd} anywhere`, () => {
      for (let length = 1; length <= 9; length += 1) {
        for (let at = 0; at < length; at += 1) {
          const values = new Float32Array(fine.slice(0, length));
          values[at] = odd;
          expect(areFinite(values), `at ${at} of ${length}`).to.equal(false);
          expect(areFinite([...values]), `at ${at} of ${length} in a list`).to.equal(false);
        }
      }
    });
  }

  it("is not with a NaN whose bits are all set, nor with one whose sign is", () => {
    for (const bits of [-1, 0x7fffffff, 0x7f800001, 0xff800001 | 0]) {
      expect(areFiniteBits(Int32Array.of(0, bits, 0))).to.equal(false);
    }
  });

  it("looks at no more than it is asked", () => {
    const bits = new Int32Array(new Float32Array([NaN, 1, 2, 3, 4, 5, NaN]).buffer);
    expect(areFiniteBits(bits, 1, 6)).to.equal(true);
    expect(areFiniteBits(bits, 0, 6)).to.equal(false);
    expect(areFiniteBits(bits, 1, 7)).to.equal(false);
  });

  it("tells whether products are", () => {
    const below = Math.fround(2 ** 63 * (1 - 2 ** -24));
    expect(areModest(new Float32Array([...fine.slice(0, 4), below, -below, 1e-45]))).to.equal(true);
    expect(Number.isFinite(Math.fround(below * below))).to.equal(true);
    for (const odd of [2 ** 63, -(2 ** 63), LARGEST, NaN, Infinity, -Infinity]) {
      expect(areModest(new Float32Array([1, 2, 3, 4, odd])), String(odd)).to.equal(false);
    }
    expect(areModest([1])).to.equal(false); // not in float32
  });

  it("looks at a view where it is", () => {
    const { buffer } = new Float32Array([NaN, 1, NaN]);
    expect(areFinite(new Float32Array(buffer, 4, 1))).to.equal(true);
  });
});
