import { expect } from "chai";
import { extreme, scan, topK } from "../../lib/kernels/cpu/rarely.js";
import { expectClose } from "../support/expect.js";
import { fc } from "../support/fast-check.js";
import { onEveryBuild, randomNumbers, withBlocks } from "../support/kernels.js";

onEveryBuild("rare kernels", (heap) => {
  it("choose the largest in order, whatever the order in which they come", () => {
    const kinds: ((n: number) => Float32Array)[] = [
      (n) => randomNumbers(n, n),
      (n) => randomNumbers(n, n).sort(),
      (n) => randomNumbers(n, n).sort().reverse(),
      (n) => randomNumbers(n, n).map(Math.round), // full of equal ones, 0 and -0 among them
    ];
    const cases = fc.record({
      kind: fc.constantFrom(...kinds),
      rows: fc.integer({ min: 1, max: 3 }),
      n: fc.integer({ min: 1, max: 400 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(cases, ({ kind, rows, n, share }) => {
        const k = Math.max(1, Math.floor(n * share * share));
        const x = kind(rows * n);
        withBlocks(heap(), (blocks) => {
          const pointers = { x: blocks.put(x), values: blocks.out(rows * k), indices: blocks.scratch(rows * k * 4) }; // prettier-ignore
          topK(heap(), { rows, n, k }).run(pointers);
          const first = pointers.indices >> 2;
          const want = Array.from({ length: rows }, (_, row) => {
            const values = x.subarray(row * n, (row + 1) * n);
            const order = [...values.keys()];
            return order.sort((a, b) => values[b]! - values[a]! || a - b).slice(0, k);
          });
          expect([...heap().i32.subarray(first, first + rows * k)]).to.deep.equal(want.flat());
          const chosen = want.flatMap((places, row) => places.map((at) => x[row * n + at]!));
          expect([...blocks.read(pointers.values)]).to.deep.equal(chosen);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("add up and find along any dimension, few numbers side by side or many", () => {
    for (const inner of [1, 3, 7, 8, 20]) {
      const [outer, n] = [2, 11];
      const x = randomNumbers(outer * n * inner);
      const at = (block: number, i: number, j: number): number => (block * n + i) * inner + j;
      for (const reverse of [false, true]) {
        for (const exclusive of [false, true]) {
          const want = new Float32Array(x.length);
          for (let block = 0; block < outer; block += 1) {
            for (let j = 0; j < inner; j += 1) {
              for (let i = 0; i < n; i += 1) {
                const own = Array.from({ length: n }, (_, k) => k).filter((k) =>
                  exclusive ? (reverse ? k > i : k < i) : reverse ? k >= i : k <= i,
                );
                want[at(block, i, j)] = own.reduce((sum, k) => sum + x[at(block, k, j)]!, 0);
              }
            }
          }
          withBlocks(heap(), (blocks) => {
            const pointers = { x: blocks.put(x), out: blocks.out(x.length) };
            const spec = { outer, n, inner, kind: "sum" as const, reverse, exclusive };
            scan(heap(), spec).run(pointers);
            expectClose(blocks.read(pointers.out), want, { rtol: 1e-6, atol: 1e-6 });
          });
        }
      }
      withBlocks(heap(), (blocks) => {
        const pointers = { x: blocks.put(x), out: blocks.scratch(outer * inner * 4) };
        for (const least of [false, true]) {
          extreme(heap(), { outer, n, inner, least }).run(pointers);
          const want = Array.from({ length: outer * inner }, (_, place) => {
            const [block, j] = [Math.floor(place / inner), place % inner];
            const row = Array.from({ length: n }, (_unused, i) => x[at(block, i, j)]!);
            return row.indexOf(least ? Math.min(...row) : Math.max(...row));
          });
          const first = pointers.out >> 2;
          expect([...heap().i32.subarray(first, first + want.length)]).to.deep.equal(want);
        }
      });
    }
  });
});
