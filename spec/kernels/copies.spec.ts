import { expect } from "chai";
import { copy, gather, permutation, reduce, type Reduction } from "../../lib/kernels/cpu/index.js";
import { expectClose } from "../support/expect.js";
import { fc } from "../support/fast-check.js";
import { onEveryBuild, randomNumbers, readFrom, withBlocks } from "../support/kernels.js";

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** By the definition of strides. */
function strided(x: Float32Array, shape: readonly number[], strides: readonly number[]): number[] {
  return Array.from({ length: product(shape) }, (_, flat) => {
    let [rest, at] = [flat, 0];
    for (let dim = shape.length - 1; dim >= 0; dim -= 1) {
      at += (rest % shape[dim]!) * strides[dim]!;
      rest = Math.floor(rest / shape[dim]!);
    }
    return x[at]!;
  });
}

const RULES: Record<Reduction | "mean", (values: number[]) => number> = {
  sum: (values) => values.reduce((a, b) => a + b, 0),
  mean: (values) => values.reduce((a, b) => a + b, 0) / values.length,
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
};

onEveryBuild("copies", (heap) => {
  // First: engines hand on any bits once they have optimised.
  it("carries every bit: integers may be no floats", () => {
    const bits = Int32Array.from({ length: 40 }, (_, i) => 0x7f800001 + i - (i % 2 ? 2 ** 31 : 0));
    withBlocks(heap(), (blocks) => {
      for (const [rows, columns] of [
        [8, 5],
        [20, 2],
        [1, 40],
      ]) {
        const x = blocks.put(new Float32Array(40));
        const out = blocks.out(40);
        heap().i32.set(bits, x >>> 2);
        copy(heap(), permutation([rows!, columns!], [1, 0])).run({ x, out });
        const want = Array.from(
          bits,
          (_, i) => bits[(i % rows!) * columns! + Math.floor(i / rows!)],
        );
        expect([...heap().i32.slice(out >>> 2, (out >>> 2) + 40)]).to.deep.equal(want);
      }
    });
  });

  it("permutes any shape into any order, in parts", () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
    const cases = shapes.chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.shuffledSubarray(
          shape.map((_, dim) => dim),
          { minLength: shape.length },
        ),
        fc.integer({ min: 1, max: 3 }),
      ),
    );
    fc.assert(
      fc.property(cases, ([shape, order, parts]) => {
        const x = randomNumbers(product(shape));
        const spec = permutation(shape, order);
        const want = strided(x, spec.shape, spec.strides);
        withBlocks(heap(), (blocks) => {
          const kernel = copy(heap(), spec);
          const pointers = { x: blocks.put(x), out: blocks.out(x.length) };
          for (let part = 0; part < parts; part += 1) kernel.run(pointers, part, parts);
          expect([...blocks.read(pointers.out)]).to.deep.equal(want);
        });
      }),
      { numRuns: 100 },
    );
  });

  it("slices, steps and repeats", () => {
    for (const [shape, strides] of [
      [
        [3, 5],
        [0, 1],
      ],
      [
        [3, 5],
        [1, 0],
      ],
      [
        [5, 7],
        [2, 11],
      ],
      [
        [2, 4, 6],
        [1, 40, 3],
      ],
    ] as [number[], number[]][]) {
      const x = randomNumbers(200);
      withBlocks(heap(), (blocks) => {
        const pointers = { x: blocks.put(x), out: blocks.out(product(shape)) };
        copy(heap(), { shape, strides }).run(pointers);
        expect([...blocks.read(pointers.out)]).to.deep.equal(strided(x, shape, strides));
      });
    }
  });

  it("writes to a part of something larger, in any order of dimensions", () => {
    const dims = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
    const cases = dims.chain((shape) => {
      const order = fc.shuffledSubarray([...shape.keys()], { minLength: shape.length });
      return fc.tuple(fc.constant(shape), order, order, fc.integer({ min: 1, max: 3 }));
    });
    /** Strides of dimensions that lie in that order, each with room for one place more. */
    const spread = (shape: readonly number[], order: readonly number[]): number[] => {
      let step = 1;
      const strides = shape.map(() => 0);
      for (const dim of order) {
        strides[dim] = step;
        step *= shape[dim]! + 1;
      }
      return strides;
    };
    fc.assert(
      fc.property(cases, ([shape, from, to, parts]) => {
        const length = product(shape.map((size) => size + 1));
        const x = randomNumbers(length);
        const [strides, outStrides] = [spread(shape, from), spread(shape, to)];
        withBlocks(heap(), (blocks) => {
          const pointers = { x: blocks.put(x), out: blocks.put(new Float32Array(length).fill(9)) };
          const kernel = copy(heap(), { shape, strides, outStrides });
          for (let part = 0; part < parts; part += 1) kernel.run(pointers, part, parts);
          const out = readFrom(heap(), pointers.out, length);
          expect(strided(out, shape, outStrides)).to.deep.equal(strided(x, shape, strides));
          expect(out.filter((value) => value === 9)).to.have.length(length - product(shape));
        });
      }),
      { numRuns: 100 },
    );
  });

  it("moves integers bit by bit, whatever floats they would be", () => {
    const x = Int32Array.of(-1, 0x7f800001, -0x7ffffff, 0x7fc00000, -2147483648, 7);
    withBlocks(heap(), (blocks) => {
      const [from, out, indices] = [blocks.scratch(24), blocks.scratch(24), blocks.scratch(24)];
      heap().i32.set(x, from >> 2);
      copy(heap(), { shape: [6], strides: [1] }).run({ x: from, out });
      const read = (): Int32Array => heap().i32.slice(out >> 2, (out >> 2) + 6);
      expect(read()).to.deep.equal(x);
      heap().i32.set([5, 4, 3, 2, 1, 0], indices >> 2);
      gather(heap(), { count: 6, rows: 6, n: 1 }).run({ table: from, indices, out });
      expect(read()).to.deep.equal(x.toReversed());
    });
  });

  it("gathers from several tables, by one list of places or several, from wherever they are", () => {
    const x = randomNumbers(4 * 3 * 20);
    for (const n of [2, 20]) {
      const table = x.subarray(0, 4 * 3 * n);
      const row = (i: number, place: number): Float32Array =>
        table.subarray((3 * i + place) * n, (3 * i + place + 1) * n);
      for (const list of [Int32Array.of(2, 0), Int32Array.of(2, 0, 1, 1)]) {
        const lists = list.length / 2;
        const want = [0, 1, 2, 3].flatMap((i) => {
          const first = lists === 1 || i < 2 ? 0 : 2;
          return [...row(i, list[first]!), ...row(i, list[first + 1]!)];
        });
        withBlocks(heap(), (blocks) => {
          const out = blocks.out(want.length);
          const kernel = gather(heap(), { tables: 4, lists, count: 2, rows: 3, n });
          for (const where of [table, blocks.put(table)]) {
            for (const part of [0, 1, 2]) kernel.run({ table: where, indices: list, out }, part, 3);
            expect([...blocks.read(out)]).to.deep.equal(want);
          }
        });
      }
    }
  });

  it("gathers rows by whole numbers, and refuses others", () => {
    withBlocks(heap(), (blocks) => {
      const table = blocks.put([1, 2, 3, 4, 5, 6]);
      const indices = blocks.scratch(12);
      heap().i32.set([2, 0, 2], indices >> 2);
      const out = blocks.out(6);
      const kernel = gather(heap(), { count: 3, rows: 3, n: 2 });
      kernel.run({ table, indices, out });
      expect([...blocks.read(out)]).to.deep.equal([5, 6, 1, 2, 5, 6]);
      heap().i32.set([1, 1, 0], indices >> 2);
      for (const part of [0, 1]) kernel.run({ table, indices, out }, part, 2);
      expect([...blocks.read(out)]).to.deep.equal([3, 4, 3, 4, 1, 2]);
      heap().i32.set([3], indices >> 2);
      expect(() => kernel.run({ table, indices, out })).to.throw(
        "index 3 is out of range for 3 rows",
      );
    });
  });

  it("adds rows up by whole numbers", () => {
    withBlocks(heap(), (blocks) => {
      const [indices, out] = [blocks.scratch(12), blocks.out(8)];
      const sum = gather(heap(), { count: 3, rows: 4, n: 2, isSum: true });
      heap().i32.set([2, 0, 2], indices >> 2);
      for (const table of [blocks.put([1, 2, 3, 4, 5, 6]), Float32Array.of(1, 2, 3, 4, 5, 6)]) {
        sum.run({ table, indices, out });
        expect([...blocks.read(out)]).to.deep.equal([3, 4, 0, 0, 6, 8, 0, 0]);
      }
      heap().i32.set([-1], indices >> 2);
      expect(() => sum.run({ table: Float32Array.of(1), indices, out })).to.throw(RangeError);
    });
  });

  it("reduces rows and columns of any sizes", () => {
    const cases = fc.record({
      reduction: fc.constantFrom(...(Object.keys(RULES) as (Reduction | "mean")[])),
      outer: fc.integer({ min: 1, max: 4 }),
      n: fc.integer({ min: 1, max: 20 }),
      inner: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 20 })),
      parts: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(cases, ({ parts, ...spec }) => {
        const { reduction, outer, n, inner } = spec;
        const x = randomNumbers(outer * n * inner);
        const want = Array.from({ length: outer * inner }, (_, i) => {
          const start = Math.floor(i / inner) * n * inner + (i % inner);
          return RULES[reduction](Array.from({ length: n }, (_unused, k) => x[start + k * inner]!));
        });
        withBlocks(heap(), (blocks) => {
          const kernel = reduce(heap(), spec);
          const pointers = { x: blocks.put(x), out: blocks.out(want.length) };
          for (let part = 0; part < parts; part += 1) kernel.run(pointers, part, parts);
          expectClose(blocks.read(pointers.out), want, { rtol: 1e-5, atol: 1e-5 });
        });
      }),
      { numRuns: 100 },
    );
  });

  it("keeps the digits of long sums", () => {
    const n = 300_001;
    withBlocks(heap(), (blocks) => {
      const pointers = { x: blocks.put(new Float32Array(n).fill(0.1)), out: blocks.out(1) };
      reduce(heap(), { reduction: "sum", outer: 1, n, inner: 1 }).run(pointers);
      const want = [n * Math.fround(0.1)];
      expectClose(blocks.read(pointers.out), want, { rtol: 5e-6, atol: 0 });
    });
  });

  it("passes NaN and infinities through reductions", () => {
    const x = [1, NaN, 3, 4, 5, -Infinity, Infinity, 8, 9, 10];
    const run = (reduction: Reduction, inner: number): number[] =>
      withBlocks(heap(), (blocks) => {
        const out = blocks.out(2);
        const shape = inner === 1 ? { outer: 2, n: 5 } : { outer: 1, n: 5 };
        reduce(heap(), { reduction, ...shape, inner }).run({ x: blocks.put(x), out });
        return [...blocks.read(out)];
      });
    expect(run("max", 1)).to.deep.equal([NaN, Infinity]);
    expect(run("min", 1)).to.deep.equal([NaN, -Infinity]);
    expect(run("sum", 1)).to.deep.equal([NaN, NaN]);
    expect(run("max", 2)).to.deep.equal([Infinity, NaN]);
  });
});
