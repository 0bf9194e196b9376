import { expect } from "chai";
import {
  attention,
  type AttentionSpec,
  type Heap,
  matmul,
  type MatmulSpec,
} from "../../lib/kernels/cpu/index.js";
import { expectClose } from "../support/expect.js";
import { fc } from "../support/fast-check.js";
import { onEveryBuild, randomNumbers, withBlocks } from "../support/kernels.js";

type Sizes = Omit<AttentionSpec, "q" | "k" | "v" | "out" | "mask">;

interface Case extends Sizes {
  mask?: "none" | "rows" | "heads";
  parts?: number;
}

function attend(one: Case, qkv: Float32Array[], mask: Float32Array | undefined): number[] {
  const { batch, heads, keyHeads = heads, queries, keys, headSize, valueSize = headSize } = one;
  const scale = one.scale ?? 1 / Math.sqrt(headSize);
  const [q, k, v] = qkv as [Float32Array, Float32Array, Float32Array];
  const out: number[] = [];
  for (let n = 0; n < batch; n += 1) {
    for (let i = 0; i < queries; i += 1) {
      for (let h = 0; h < heads; h += 1) {
        const kh = Math.floor((h * keyHeads) / heads);
        const scores = Array.from({ length: keys }, (_, j) => {
          if (one.causal && j > i) return -Infinity;
          let sum = 0;
          for (let d = 0; d < headSize; d += 1) {
            sum +=
              q[((n * queries + i) * heads + h) * headSize + d]! *
              k[((n * keys + j) * keyHeads + kh) * headSize + d]!;
          }
          const added = one.mask === "heads" ? mask![(h * queries + i) * keys + j]! : mask?.[j];
          return one.replaces && added ? added : sum * scale + (added ?? 0);
        });
        const most = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - most));
        const total = weights.reduce((a, b) => a + b, 0);
        for (let d = 0; d < valueSize; d += 1) {
          let sum = 0;
          weights.forEach((weight, j) => {
            sum += (weight / total) * v[((n * keys + j) * keyHeads + kh) * valueSize + d]!;
          });
          out.push(most === -Infinity && !one.isPlain ? 0 : sum);
        }
      }
    }
  }
  return out;
}

function check(heap: Heap, one: Case, maskOf?: (length: number) => Float32Array): void {
  const { batch, heads, keyHeads = heads, queries, keys, headSize, valueSize = headSize } = one;
  const { parts = 1, mask: kind = "none" } = one;
  const qkv = [
    randomNumbers(batch * queries * heads * headSize, 1),
    randomNumbers(batch * keys * keyHeads * headSize, 2),
    randomNumbers(batch * keys * keyHeads * valueSize, 3),
  ];
  const random = (length: number): Float32Array =>
    randomNumbers(length, 4).map((value) => (value < -1.5 ? -Infinity : value > 1 ? 0 : value));
  const length = kind === "heads" ? heads * queries * keys : keys;
  const mask = kind === "none" ? undefined : (maskOf ?? random)(length);
  const strides = (rows: number, count: number, size: number) => ({
    batch: rows * count * size,
    head: size,
    row: count * size,
  });
  const spec: AttentionSpec = {
    ...one,
    q: strides(queries, heads, headSize),
    k: strides(keys, keyHeads, headSize),
    v: strides(keys, keyHeads, valueSize),
    out: strides(queries, heads, valueSize),
    mask:
      kind === "none"
        ? undefined
        : kind === "rows"
          ? { batch: 0, head: 0, row: 0 }
          : { batch: 0, head: queries * keys, row: keys },
  };
  const want = attend(one, qkv, mask);
  withBlocks(heap, (blocks) => {
    const kernel = attention(heap, spec);
    const out = blocks.out(want.length);
    const pointers = {
      q: blocks.put(qkv[0]!),
      k: blocks.put(qkv[1]!),
      v: blocks.put(qkv[2]!),
      mask: mask && blocks.put(mask),
      out,
      workspace: blocks.scratch(kernel.workspaceBytes * parts),
    };
    for (let part = 0; part < parts; part += 1) kernel.run(pointers, part, parts);
    expectClose(blocks.read(out), want, { rtol: 1e-4, atol: 1e-5 });
  });
}

const sizes = fc
  .record({
    batch: fc.integer({ min: 1, max: 2 }),
    keyHeads: fc.integer({ min: 1, max: 2 }),
    share: fc.integer({ min: 1, max: 2 }),
    queries: fc.integer({ min: 1, max: 11 }),
    keys: fc.integer({ min: 1, max: 19 }),
    headSize: fc.integer({ min: 1, max: 9 }),
    valueSize: fc.integer({ min: 1, max: 9 }),
    causal: fc.boolean(),
    mask: fc.constantFrom<"none" | "rows" | "heads">("none", "rows", "heads"),
    parts: fc.integer({ min: 1, max: 3 }),
    isPlain: fc.boolean(),
    replaces: fc.boolean(),
  })
  .map(({ share, ...rest }) => ({ ...rest, heads: rest.keyHeads * share }));

onEveryBuild("attention", (heap) => {
  it("is right for any sizes and masks", () => {
    fc.assert(
      fc.property(sizes, (one) => check(heap(), one)),
      { numRuns: 80 },
    );
  });

  it("is right for few queries of many keys", () => {
    const few = fc.record({
      queries: fc.integer({ min: 1, max: 5 }),
      keys: fc.integer({ min: 20, max: 150 }),
    });
    fc.assert(
      fc.property(sizes, few, (one, { queries, keys }) => check(heap(), { ...one, queries, keys })),
      { numRuns: 40 },
    );
  });

  it("takes long sequences in blocks of queries", () => {
    const long = { batch: 1, heads: 1, queries: 70, keys: 1500, headSize: 4 };
    check(heap(), long);
    check(heap(), { ...long, keys: 70, causal: true, scale: 0.5 });
    const kernel = attention(heap(), {
      ...{ ...long, queries: 8192, keys: 8192 },
      ...{ q: NONE, k: NONE, v: NONE, out: NONE },
    });
    expect(kernel.workspaceBytes).to.be.below(2 * 1024 * 1024);
  });

  it("compares large scores as they are rounded", () => {
    const large = { batch: 1, heads: 1, queries: 4, keys: 5, headSize: 4, mask: "none" as const };
    check(heap(), { ...large, scale: 3.3e9 });
  });

  it("gives NaN or 0 to queries that see nothing", () => {
    const one = { batch: 1, heads: 1, queries: 3, keys: 5, headSize: 4, mask: "rows" as const };
    const none = (length: number): Float32Array => new Float32Array(length).fill(-Infinity);
    check(heap(), { ...one, isPlain: true }, none);
    check(heap(), { ...one, isPlain: false }, none);
    check(heap(), { ...one, queries: 5, isPlain: true }, none);
    check(heap(), { ...one, queries: 5, isPlain: false }, none);
  });

  it("weighs alike what a mask of the lowest float hides", () => {
    const one = { batch: 1, heads: 1, keys: 5, headSize: 4, mask: "rows" as const };
    const lowest = (length: number): Float32Array => new Float32Array(length).fill(-3.4028235e38);
    for (const isPlain of [true, false]) {
      for (const queries of [2, 6]) check(heap(), { ...one, queries, isPlain }, lowest);
    }
  });
});

const NONE = { batch: 0, head: 0, row: 4 };

function checkMatmul(heap: Heap, spec: MatmulSpec & { parts: number; broadcast: boolean }): void {
  const { m, n, k, aLayout, bLayout, parts, broadcast } = spec;
  const batch = spec.batch!;
  const count = batch.reduce((x, y) => x * y, 1);
  const bCount = broadcast ? 1 : count;
  const [a, b] = [randomNumbers(count * m * k, 1), randomNumbers(bCount * n * k, 2)];
  const want: number[] = [];
  for (let index = 0; index < count; index += 1) {
    for (let i = 0; i < m; i += 1) {
      for (let j = 0; j < n; j += 1) {
        let sum = 0;
        for (let t = 0; t < k; t += 1) {
          const left = a[index * m * k + (aLayout === "km" ? t * m + i : i * k + t)]!;
          const at = bLayout === "nk" ? j * k + t : t * n + j;
          sum += left * b[(broadcast ? 0 : index * n * k) + at]!;
        }
        want.push(sum);
      }
    }
  }
  const steps = (size: number): number[] =>
    batch.map((_, dim) => size * batch.slice(dim + 1).reduce((x, y) => x * y, 1));
  withBlocks(heap, (blocks) => {
    const bBatch = broadcast ? batch.map(() => 0) : steps(n * k);
    const kernel = matmul(heap, { ...spec, aBatch: steps(m * k), bBatch });
    const out = blocks.out(want.length);
    const workspace = blocks.scratch(kernel.workspaceBytes * parts);
    const pointers = { a: blocks.put(a), b: blocks.put(b), out, workspace };
    for (let part = 0; part < parts; part += 1) kernel.run(pointers, part, parts);
    expectClose(blocks.read(out), want, { rtol: 1e-5, atol: 1e-4 });
  });
}

onEveryBuild("matmul", (heap) => {
  it("is right for any sizes, layouts and batches", () => {
    const cases = fc.record({
      batch: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
      m: fc.integer({ min: 1, max: 10 }),
      n: fc.integer({ min: 1, max: 18 }),
      k: fc.integer({ min: 0, max: 12 }),
      aLayout: fc.constantFrom<"mk" | "km">("mk", "km"),
      bLayout: fc.constantFrom<"nk" | "kn">("nk", "kn"),
      broadcast: fc.boolean(),
      parts: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(cases, (one) => checkMatmul(heap(), one)),
      { numRuns: 80 },
    );
  });
});
