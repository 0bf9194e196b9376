import { expect } from "chai";
import {
  type Activation,
  conv,
  type ConvAlgorithm,
  fastestConv,
  type Heap,
  packConv,
  packedConvBytes,
  stepsOf,
} from "../../lib/kernels/cpu/index.js";
import { expectClose } from "../support/expect.js";
import { fc } from "../support/fast-check.js";
import { onEveryBuild, randomNumbers, withBlocks } from "../support/kernels.js";
import { convolve, type ConvCase } from "../support/convolve.js";

interface Case extends ConvCase {
  bias?: boolean;
  residual?: boolean;
  activation?: Activation;
  algorithm?: ConvAlgorithm;
  parts?: number;
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

function check(heap: Heap, { parts = 1, ...one }: Case): void {
  const { batch, inChannels, outChannels, groups, size, kernel } = one;
  const x = randomNumbers(batch * inChannels * product(size), 1);
  const w = randomNumbers(outChannels * (inChannels / groups) * product(kernel), 2);
  const bias = one.bias ? randomNumbers(outChannels, 3) : undefined;
  const plain = convolve(one, x, w, bias);
  const residual = one.residual ? randomNumbers(plain.length, 4) : undefined;
  const { low = -Infinity, high = Infinity, steps } = one.activation ?? {};
  const want = plain.map((value, i) => {
    const sum = Math.min(high, Math.max(low, value + (residual?.[i] ?? 0)));
    return steps ? sum / (1 + Math.exp(-sum)) : sum;
  });
  // Winograd's error goes with the size of the results.
  const atol = one.algorithm ? 5e-5 * Math.sqrt(9 * inChannels) : 1e-4;
  withBlocks(heap, (blocks) => {
    const weight = blocks.scratch(packedConvBytes(one));
    packConv(heap, one, blocks.put(w), weight);
    const prepared = conv(heap, one);
    const out = blocks.out(want.length);
    const pointers = {
      x: blocks.put(x),
      weight,
      bias: bias && blocks.put(bias),
      residual: residual && blocks.put(residual),
      out,
      workspace: blocks.scratch(prepared.workspaceBytes * parts),
    };
    for (let part = 0; part < parts; part += 1) prepared.run(pointers, part, parts);
    expectClose(blocks.read(out), want, { rtol: 1e-5, atol });
  });
}

const numbers = (min: number, max: number, rank: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min, max }), { minLength: rank, maxLength: rank });

const cases = fc.integer({ min: 1, max: 3 }).chain((rank) =>
  fc
    .record({
      batch: fc.integer({ min: 1, max: 2 }),
      groups: fc.constantFrom(1, 1, 2, 3),
      perGroup: fc.integer({ min: 1, max: 5 }),
      outPerGroup: fc.integer({ min: 1, max: 6 }),
      size: numbers(1, rank === 1 ? 40 : rank === 2 ? 13 : 6, rank),
      kernel: numbers(1, 4, rank),
      stride: numbers(1, 3, rank),
      padding: numbers(0, 2, rank),
      paddingAfter: fc.option(numbers(0, 2, rank), { nil: undefined }),
      dilation: numbers(1, 2, rank),
      bias: fc.boolean(),
      residual: fc.boolean(),
      parts: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ perGroup, outPerGroup, ...rest }) => ({
      ...rest,
      inChannels: rest.groups * perGroup,
      outChannels: rest.groups * outPerGroup,
    })),
);

const IMAGE = { batch: 1, groups: 1, bias: true };

onEveryBuild("conv", (heap) => {
  it("is right for any sizes, groups, strides, dilations and borders", () => {
    fc.assert(
      fc.property(cases, (one) => check(heap(), one)),
      { numRuns: 120 },
    );
  });

  it("cuts many channels and many pixels into blocks", () => {
    const sizes = { inChannels: 150, outChannels: 9, size: [9, 9], kernel: [3, 3] };
    check(heap(), { ...IMAGE, ...sizes, padding: [1, 1], residual: true, activation: { low: 0 } });
    const large = { inChannels: 3, outChannels: 5, size: [70, 61], kernel: [7, 7], stride: [2, 2] };
    check(heap(), { ...IMAGE, ...large, padding: [3, 3], parts: 2 });
  });

  it("computes few pixels for any number of channels", () => {
    for (const width of [1, 2, 3, 4, 5, 9, 12]) {
      for (const outChannels of [1, 4, 7, 9, 23, 24, 53]) {
        const sizes = { inChannels: 11, outChannels, size: [width], kernel: [1] };
        check(heap(), { ...IMAGE, ...sizes, residual: true, activation: { low: -1, high: 2 } });
        check(heap(), { ...IMAGE, ...sizes, bias: false, kernel: [3], padding: [1], parts: 2 });
      }
    }
  });

  it("reads 1 × 1 convolutions where they lie", () => {
    const sizes = { inChannels: 21, outChannels: 13, size: [7, 9], kernel: [1, 1] };
    check(heap(), { ...IMAGE, ...sizes, activation: { low: 0, high: 6 } });
    check(heap(), {
      ...IMAGE,
      ...sizes,
      stride: [2, 2],
      activation: { steps: stepsOf("silu") },
    });
  });

  it("computes 3 × 3 convolutions by Winograd's algorithm", () => {
    const winograd = fc.record({
      algorithm: fc.constantFrom<ConvAlgorithm[]>("winograd2", "winograd4"),
      batch: fc.integer({ min: 1, max: 2 }),
      groups: fc.constant(1),
      inChannels: fc.integer({ min: 1, max: 5 }),
      outChannels: fc.integer({ min: 1, max: 9 }),
      size: fc.tuple(fc.integer({ min: 3, max: 20 }), fc.integer({ min: 3, max: 40 })),
      kernel: fc.constant([3, 3]),
      padding: numbers(0, 2, 2),
      paddingAfter: fc.option(numbers(0, 2, 2), { nil: undefined }),
      bias: fc.boolean(),
      residual: fc.boolean(),
      parts: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(winograd, (one) => check(heap(), one)),
      { numRuns: 60 },
    );
    for (const algorithm of ["winograd2", "winograd4"] as const) {
      const large = { ...IMAGE, inChannels: 150, outChannels: 10, size: [40, 10], kernel: [3, 3] };
      check(heap(), { ...large, padding: [1, 1], algorithm, activation: { low: 0 } });
      const activation = { steps: stepsOf("silu") };
      for (const parts of [1, 2]) {
        check(heap(), { ...large, inChannels: 3, size: [50, 22], algorithm, activation, parts });
      }
    }
  });

  it("loses few digits to Winograd's tiles", () => {
    const sizes = { ...IMAGE, inChannels: 64, outChannels: 8, size: [18, 18], kernel: [3, 3] };
    const x = randomNumbers(64 * 18 * 18, 1);
    const w = randomNumbers(8 * 64 * 9, 2);
    const want = convolve(sizes, x, w);
    const norm = (values: readonly number[]): number => Math.hypot(...values);
    const errorOf = (algorithm: ConvAlgorithm): number =>
      withBlocks(heap(), (blocks) => {
        const spec = { ...sizes, algorithm };
        const weight = blocks.scratch(packedConvBytes(spec));
        packConv(heap(), spec, blocks.put(w), weight);
        const { workspaceBytes, run } = conv(heap(), spec);
        const out = blocks.out(want.length);
        run({ x: blocks.put(x), weight, out, workspace: blocks.scratch(workspaceBytes) });
        const got = blocks.read(out);
        return norm(Array.from(want, (value, i) => got[i]! - value)) / norm(Array.from(want));
      });
    const [two, four] = [errorOf("winograd2"), errorOf("winograd4")];
    expect(two).to.be.below(4e-7);
    expect(four).to.be.below(1e-6); // twice that with the points 0, ±1, ±2 and ∞
  });

  it("chooses an algorithm by the sizes, and refuses one that does not fit", () => {
    const chosen = (inChannels: number, outChannels: number, side: number, stride = 1): string => {
      const sizes = { kernel: [3, 3], padding: [1, 1], stride: [stride, stride] };
      return fastestConv({ ...sizes, inChannels, outChannels, size: [side, side] });
    };
    expect(chosen(64, 64, 56)).to.equal("winograd4");
    expect(chosen(128, 128, 28)).to.equal("winograd4");
    expect(chosen(256, 256, 14)).to.equal("winograd2"); // its weight would outweigh the images
    expect(chosen(512, 512, 7)).to.equal("winograd2");
    expect(chosen(512, 512, 2)).to.equal("direct");
    expect(chosen(128, 128, 28, 2)).to.equal("direct");
    expect(chosen(3, 16, 64)).to.equal("direct");
    const many = { inChannels: 128, outChannels: 128, kernel: [3, 3] };
    expect(fastestConv({ ...many, size: [64, 64], stride: [2, 2] })).to.equal("direct");
  });
});
