import { expect } from "chai";
import { type ConvSpec, type DepthwiseSpec, expand, packConv, packedConvBytes } from "../../lib/kernels/cpu/index.js"; // prettier-ignore
import { convolve } from "../support/convolve.js";
import { expectClose } from "../support/expect.js";
import { onEveryBuild, randomNumbers, withBlocks } from "../support/kernels.js";

const RELU6 = { low: 0, high: 6 };
const clamp = (values: ArrayLike<number>): Float32Array =>
  Float32Array.from(values, (value) => Math.min(6, Math.max(0, value)));

const specs = (channels: number, size: number[]): [ConvSpec, DepthwiseSpec] => [
  { inChannels: 5, outChannels: channels, size, kernel: [1, 1], activation: RELU6 },
  { channels, size, kernel: [3, 3], padding: [1, 1] },
];

onEveryBuild("A 1 × 1 convolution with a depthwise one", (heap) => {
  for (const [what, more, parts] of [
    ["in one part", {}, 1],
    ["in parts that end within a stretch", { stride: [2, 2] }, 2],
    ["in three parts, two pictures at once", { batch: 2, stride: [2, 1] }, 3],
    ["with taller windows", { batch: 2, kernel: [5, 3] }, 1],
  ] as [string, Partial<DepthwiseSpec>, number][]) {
    it(`is right ${what}`, () => {
      const channels = 41;
      const size = [60, 64];
      const [first, plain] = specs(channels, size);
      const second: DepthwiseSpec = { ...plain, ...more, activation: RELU6 };
      const { batch = 1, kernel } = second;
      const x = randomNumbers(batch * 5 * 60 * 64, 1);
      const [w, deep] = [randomNumbers(5 * channels, 2), randomNumbers(channels * kernel[0]! * kernel[1]!, 3)]; // prettier-ignore
      const [bias, deepBias] = [randomNumbers(channels, 4), randomNumbers(channels, 5)];
      const between = clamp(convolve({ ...first, batch, groups: 1 }, x, w, bias));
      const sizes = { ...second, batch, inChannels: channels, outChannels: channels };
      const want = clamp(convolve({ ...sizes, groups: channels }, between, deep, deepBias));
      withBlocks(heap(), (blocks) => {
        const prepared = expand(heap(), { ...first, batch }, second)!;
        const weight = blocks.scratch(packedConvBytes(first));
        packConv(heap(), first, blocks.put(w), weight);
        const out = blocks.out(want.length);
        const pointers = {
          x: blocks.put(x),
          firstWeight: weight,
          firstBias: blocks.put(bias),
          weight: blocks.put(deep),
          bias: blocks.put(deepBias),
          out,
          workspace: blocks.scratch(prepared.workspaceBytes * parts),
        };
        for (let part = 0; part < parts; part += 1) prepared.run(pointers, part, parts);
        expectClose(blocks.read(out), want, { rtol: 1e-5, atol: 1e-4 });
      });
    });
  }

  it("is left to two kernels where that is as fast", () => {
    expect(expand(heap(), ...specs(8, [60, 64])), "little between them").to.equal(null);
    const [first, second] = specs(64, [60, 64]);
    expect(expand(heap(), { ...first, inChannels: 64 }, second), "many channels").to.equal(null);
    expect(expand(heap(), { ...first, kernel: [3, 3] }, second), "3 × 3").to.equal(null);
    expect(expand(heap(), { ...first, inChannels: 4, groups: 2 }, second), "groups").to.equal(null);
    expect(expand(heap(), first, { ...second, multiplier: 2 }), "more results").to.equal(null);
    expect(expand(heap(), { ...first, weightType: "f16" }, second), "half floats").to.equal(null);
    expect(expand(heap(), ...specs(64, [61, 63])), "odd rows").to.equal(null);
  });
});
