import type * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as F from "../../lib/functional/index.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectClose, expectNoLeak } from "../support/expect.js";

interface Case {
  size: number;
  kernel: number;
  stride: number;
  dilation?: number;
  padding?: number;
}

/** Adds up the columns of a line, number by number. */
function addedUp(columns: Float32Array, count: number, at: Case): Float32Array {
  const { size, kernel, stride, dilation = 1, padding = 0 } = at;
  const line = new Float32Array(size);
  for (let k = 0; k < kernel; k += 1) {
    for (let window = 0; window < count; window += 1) {
      const place = window * stride + k * dilation - padding;
      if (place >= 0 && place < size) line[place]! += columns[k * count + window]!;
    }
  }
  return line;
}

const fold = ({ size, kernel, ...rest }: Case, x: tf.Tensor): tf.Tensor => {
  const across = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, [key === "padding" ? 0 : 1, value]]),
  );
  return F.fold(x, [1, size], [1, kernel], across);
};

const CASES: [string, Case][] = [
  ["as the frames of an inverse Fourier transform", { size: 36, kernel: 16, stride: 4 }],
  ["with a kernel that is no multiple of the stride", { size: 37, kernel: 11, stride: 4 }],
  ["with gaps between the windows", { size: 37, kernel: 3, stride: 5 }],
  ["with a rest behind them, and padding", { size: 40, kernel: 9, stride: 4, padding: 2 }],
  ["of numbers apart", { size: 37, kernel: 4, stride: 3, dilation: 5 }],
  ["by every number", { size: 20, kernel: 7, stride: 1, padding: 3 }],
];

onEveryBackend("Windows that are added up", (name, tolerance) => {
  for (const [what, at] of CASES) {
    it(`${what}: all that meet at a place`, async () => {
      const { size, kernel, stride, dilation = 1, padding = 0 } = at;
      const count = Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
      const x = nn.randn(1, kernel, count);
      const want = addedUp((await x.data()) as Float32Array, count, at);
      const fast = await nn.compile((y: tf.Tensor) => fold(at, y), x);
      for (const run of [(y: tf.Tensor) => fold(at, y), fast]) {
        expectNoLeak(() => {
          const y = run(x);
          expect(y.shape).to.eql([1, 1, 1, size]);
          expectClose(y.dataSync(), want, tolerance);
          y.dispose();
        });
      }
      fast.dispose();
      x.dispose();
    });
  }

  it("are as many terms as windows meet, not as a window is long", async () => {
    if (name !== "cpu") return;
    const x = nn.randn(1, 512, 9);
    const at = { size: 512 + 8 * 128, kernel: 512, stride: 128 };
    const fast = await nn.compile((y: tf.Tensor) => fold(at, y), x);
    // 1544, when each of the 512 was padded and added.
    expect(fast.explain().steps, String(fast.explain())).to.be.at.most(16);
    fast.dispose();
    x.dispose();
  });
});
