import { expect } from "chai";
import { groupNorm, type Heap, layerNorm, softmax } from "../../lib/kernels/cpu/index.js";
import { expectClose } from "../support/expect.js";
import { fc } from "../support/fast-check.js";
import { onEveryBuild, randomNumbers, withBlocks } from "../support/kernels.js";

interface NormCase {
  kind: "layer" | "rms";
  rows: number;
  n: number;
  affine: "none" | "weight" | "both";
  offset: number;
  parts: number;
}

function normalise(row: readonly number[], eps: number, centred: boolean): number[] {
  const mean = centred ? row.reduce((a, b) => a + b, 0) / row.length : 0;
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
  return row.map((value) => (value - mean) / Math.sqrt(variance + eps));
}

function checkLayerNorm(heap: Heap, { kind, rows, n, affine, offset, parts }: NormCase): void {
  const eps = 1e-5;
  const x = randomNumbers(rows * n, 1).map((v) => v + offset);
  const [weight, bias] = [randomNumbers(n, 2), randomNumbers(n, 3)];
  const want: number[] = [];
  for (let i = 0; i < rows; i += 1) {
    const row = [...x.subarray(i * n, (i + 1) * n)];
    normalise(row, eps, kind === "layer").forEach((value, k) => {
      const scaled = affine === "none" ? value : value * weight[k]!;
      want.push(affine === "both" ? scaled + bias[k]! : scaled);
    });
  }
  withBlocks(heap, (blocks) => {
    const out = blocks.out(rows * n);
    const kernel = layerNorm(heap, { kind, rows, n, eps });
    const pointers = {
      x: blocks.put(x),
      weight: affine === "none" ? undefined : blocks.put(weight),
      bias: affine === "both" ? blocks.put(bias) : undefined,
      out,
    };
    for (let part = 0; part < parts; part += 1) kernel.run(pointers, part, parts);
    expectClose(blocks.read(out), want, { rtol: 1e-4, atol: 1e-5 });
  });
}

function softmaxOf(
  heap: Heap,
  x: ArrayLike<number>,
  n: number,
  options: { log?: boolean; parts?: number } = {},
): Float32Array {
  const { parts = 1, ...rest } = options;
  return withBlocks(heap, (blocks) => {
    const out = blocks.out(x.length);
    const kernel = softmax(heap, { rows: x.length / n, n, ...rest });
    const pointers = { x: blocks.put(x), out };
    for (let part = 0; part < parts; part += 1) kernel.run(pointers, part, parts);
    return blocks.read(out);
  });
}

onEveryBuild("rows", (heap) => {
  it("layerNorm and rmsNorm are right for any sizes", () => {
    const cases = fc.record({
      kind: fc.constantFrom<"layer" | "rms">("layer", "rms"),
      rows: fc.integer({ min: 1, max: 5 }),
      n: fc.integer({ min: 1, max: 40 }),
      affine: fc.constantFrom<NormCase["affine"]>("none", "weight", "both"),
      offset: fc.constantFrom(0, 5),
      parts: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(cases, (one) => checkLayerNorm(heap(), one)),
      { numRuns: 80 },
    );
  });

  it("layerNorm keeps its digits where the mean is large", () => {
    checkLayerNorm(heap(), { kind: "layer", rows: 2, n: 301, affine: "both", offset: 64, parts: 1 }); // prettier-ignore
  });

  it("groupNorm is right for any groups", () => {
    const cases = fc.record({
      batch: fc.integer({ min: 1, max: 3 }),
      groups: fc.integer({ min: 1, max: 4 }),
      perGroup: fc.integer({ min: 1, max: 3 }),
      n: fc.integer({ min: 1, max: 30 }),
      affine: fc.boolean(),
      parts: fc.integer({ min: 1, max: 2 }),
    });
    fc.assert(
      fc.property(cases, ({ batch, groups, perGroup, n, affine, parts }) => {
        const channels = groups * perGroup;
        const x = randomNumbers(batch * channels * n, 1);
        const [weight, bias] = [randomNumbers(channels, 2), randomNumbers(channels, 3)];
        const want: number[] = [];
        for (let i = 0; i < batch * groups; i += 1) {
          const group = [...x.subarray(i * perGroup * n, (i + 1) * perGroup * n)];
          normalise(group, 1e-5, true).forEach((value, k) => {
            const channel = (i % groups) * perGroup + Math.floor(k / n);
            want.push(affine ? value * weight[channel]! + bias[channel]! : value);
          });
        }
        withBlocks(heap(), (blocks) => {
          const kernel = groupNorm(heap(), { batch, channels, groups, n, eps: 1e-5 });
          const out = blocks.out(want.length);
          const pointers = {
            x: blocks.put(x),
            weight: affine ? blocks.put(weight) : undefined,
            bias: affine ? blocks.put(bias) : undefined,
            out,
            workspace: blocks.scratch(kernel.workspaceBytes * parts),
          };
          for (let part = 0; part < parts; part += 1) kernel.run(pointers, part, parts);
          expectClose(blocks.read(out), want, { rtol: 1e-4, atol: 1e-4 });
        });
      }),
      { numRuns: 60 },
    );
  });

  it("softmax and log-softmax are right for any sizes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 3 }),
        (rows, n, parts) => {
          const x = randomNumbers(rows * n).map((v) => v * 10);
          const soft: number[] = [];
          for (let i = 0; i < rows; i += 1) {
            const row = [...x.subarray(i * n, (i + 1) * n)];
            const total = row.reduce((sum, v) => sum + Math.exp(v - 40), 0);
            soft.push(...row.map((v) => Math.exp(v - 40) / total));
          }
          const close = { rtol: 1e-5, atol: 1e-6 };
          expectClose(softmaxOf(heap(), x, n, { parts }), soft, close);
          const log = softmaxOf(heap(), x, n, { log: true, parts });
          expectClose(log, soft.map(Math.log), { rtol: 1e-5, atol: 1e-5 });
        },
      ),
      { numRuns: 60 },
    );
  });

  it("softmax masks, overflows and fails as PyTorch's", () => {
    const soft = (...x: number[]) => [...softmaxOf(heap(), x, x.length)];
    expect(soft(0, -Infinity, 0, -Infinity, -Infinity)).to.deep.equal([0.5, 0, 0.5, 0, 0]);
    expect(soft(1e30, 1e30, -1e30)).to.deep.equal([0.5, 0.5, 0]);
    expect(soft(-200, 0)).to.deep.equal([0, 1]);
    expect(soft(-Infinity, -Infinity)).to.deep.equal([NaN, NaN]);
    expect(soft(1, NaN, 2, 3, 4)).to.deep.equal([NaN, NaN, NaN, NaN, NaN]);
    expect(soft(1, Infinity, 0)).to.deep.equal([NaN, NaN, NaN]);
    const log = [...softmaxOf(heap(), [0, -Infinity, 0], 3, { log: true })];
    expectClose(log, [-Math.LN2, -Infinity, -Math.LN2], { rtol: 1e-6, atol: 0 });
  });
});
