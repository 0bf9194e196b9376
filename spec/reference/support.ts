import { expect } from "chai";
import { NdArray } from "../../lib/reference/index.js";

/** An array as the goldens keep it: its shape, and its float64 bits in hexadecimal. */
export interface Packed {
  shape: number[];
  hex: string;
}

export function unpack({ shape, hex }: Packed): NdArray {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  return new NdArray(shape, new Float64Array(bytes.buffer));
}

/** Same shape, and the same numbers, as close as `relative` says; 0 means bit for bit. */
export function expectArray(got: NdArray, want: Packed, relative = 0): void {
  const expected = unpack(want);
  expect(got.shape).to.deep.equal(expected.shape);
  got.data.forEach((value, i) => {
    const target = expected.data[i]!;
    if (Object.is(value, target)) return;
    expect(value, `element ${i}`).to.be.closeTo(target, relative * Math.max(1, Math.abs(target)));
  });
}
