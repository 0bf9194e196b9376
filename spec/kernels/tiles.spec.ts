import { expect } from "chai";
import { type Matrix, pairs, TILES } from "../../lib/kernels/cpu/tiles.js";

const times = (matrix: Matrix, x: readonly number[]): number[] =>
  matrix.map((row) => row.reduce((sum, factor, i) => sum + factor * x[i]!, 0));

const inPairs = (x: readonly number[]): number[] =>
  pairs(
    x,
    (a, b) => a + b,
    (a, b) => a - b,
  );

describe("The matrices of Winograd's tiles", () => {
  for (const [name, { into, weights, outOf }] of Object.entries(TILES)) {
    it(`convolve in one dimension: ${name}`, () => {
      const d = into.map((_, i) => Math.sin(i + 1));
      const g = [0.3, -1.7, 0.9];
      const values = inPairs(times(into, d));
      const kernel = inPairs(times(weights, g));
      const results = times(outOf, inPairs(values.map((value, i) => value * kernel[i]!)));
      results.forEach((result, i) =>
        expect(result).to.be.closeTo(g[0]! * d[i]! + g[1]! * d[i + 1]! + g[2]! * d[i + 2]!, 1e-12),
      );
    });
  }
});
