import {
  convTranspose,
  type ConvTransposeSpec,
  type Heap,
  packConvTranspose,
  packedConvTransposeBytes,
} from "../../lib/kernels/cpu/index.js";
import { expectClose } from "../support/expect.js";
import { fc } from "../support/fast-check.js";
import { onEveryBuild, randomNumbers, withBlocks } from "../support/kernels.js";

interface Case extends ConvTransposeSpec {
  bias?: boolean;
  parts?: number;
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** The index of each place along three dimensions. */
const unravel = (flat: number, [, h, w]: readonly number[]): number[] => [
  Math.floor(flat / (h! * w!)),
  Math.floor(flat / w!) % h!,
  flat % w!,
];

const triple = (sizes: readonly number[] | undefined, rank: number, missing: number): number[] => [
  ...Array<number>(3 - rank).fill(missing),
  ...(sizes ?? Array<number>(rank).fill(missing)),
];

/** By the definition: each input is added, times the kernel, to the places around it. */
function transpose(one: Case, x: Float32Array, w: Float32Array, bias?: Float32Array): Float64Array {
  const { batch = 1, inChannels, outChannels, groups = 1 } = one;
  const rank = one.size.length;
  const [size, kernel, stride, dilation] = [
    triple(one.size, rank, 1),
    triple(one.kernel, rank, 1),
    triple(one.stride, rank, 1),
    triple(one.dilation, rank, 1),
  ];
  const [padding, extra] = [triple(one.padding, rank, 0), triple(one.outputPadding, rank, 0)];
  const shape = size.map(
    (n, i) =>
      (n - 1) * stride[i]! - 2 * padding[i]! + dilation[i]! * (kernel[i]! - 1) + extra[i]! + 1,
  );
  const [plane, pixels, taps] = [product(shape), product(size), product(kernel)];
  const [perIn, perOut] = [inChannels / groups, outChannels / groups];
  const out = new Float64Array(batch * outChannels * plane);
  out.forEach((_, i) => (out[i] = bias?.[Math.floor(i / plane) % outChannels] ?? 0));
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    for (let tap = 0; tap < taps; tap += 1) {
      const [from, offset] = [unravel(pixel, size), unravel(tap, kernel)];
      const place = from.map((i, d) => i * stride[d]! + offset[d]! * dilation[d]! - padding[d]!);
      if (place.some((i, d) => i < 0 || i >= shape[d]!)) continue;
      const at = (place[0]! * shape[1]! + place[1]!) * shape[2]! + place[2]!;
      for (let n = 0; n < batch; n += 1) {
        for (let c = 0; c < inChannels; c += 1) {
          const value = x[(n * inChannels + c) * pixels + pixel]!;
          const first = Math.floor(c / perIn) * perOut;
          for (let o = 0; o < perOut; o += 1) {
            const to = (n * outChannels + first + o) * plane + at;
            out[to] = out[to]! + value * w[(c * perOut + o) * taps + tap]!;
          }
        }
      }
    }
  }
  return out;
}

function check(heap: Heap, { parts = 1, ...one }: Case): void {
  const { batch = 1, inChannels, outChannels, groups = 1, size, kernel } = one;
  const x = randomNumbers(batch * inChannels * product(size), 1);
  const w = randomNumbers(inChannels * (outChannels / groups) * product(kernel), 2);
  const bias = one.bias ? randomNumbers(outChannels, 3) : undefined;
  const want = transpose(one, x, w, bias);
  withBlocks(heap, (blocks) => {
    const weight = blocks.scratch(packedConvTransposeBytes(one));
    packConvTranspose(heap, one, blocks.put(w), weight);
    const prepared = convTranspose(heap, one);
    const out = blocks.out(want.length);
    const workspace = blocks.scratch(prepared.workspaceBytes * parts);
    const pointers = { x: blocks.put(x), weight, bias: bias && blocks.put(bias), out, workspace };
    for (let part = 0; part < parts; part += 1) prepared.run(pointers, part, parts);
    expectClose(blocks.read(out), want, { rtol: 1e-5, atol: 1e-4 + 4e-7 * inChannels });
  });
}

const numbers = (min: number, max: number, rank: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min, max }), { minLength: rank, maxLength: rank });

onEveryBuild("convTranspose", (heap) => {
  it("is right for any sizes, groups, strides, dilations and borders", () => {
    const cases = fc.integer({ min: 1, max: 3 }).chain((rank) =>
      fc
        .record({
          batch: fc.integer({ min: 1, max: 2 }),
          groups: fc.integer({ min: 1, max: 2 }),
          perIn: fc.integer({ min: 1, max: 4 }),
          perOut: fc.integer({ min: 1, max: 6 }),
          size: numbers(1, rank === 3 ? 4 : 7, rank),
          kernel: numbers(2, 4, rank),
          stride: numbers(1, 3, rank),
          padding: numbers(0, 1, rank),
          outputPadding: numbers(1, 2, rank),
          dilation: numbers(1, 2, rank),
          bias: fc.boolean(),
          parts: fc.integer({ min: 1, max: 3 }),
        })
        .map(({ perIn, perOut, ...rest }) => ({
          ...rest,
          inChannels: rest.groups * perIn,
          outChannels: rest.groups * perOut,
        })),
    );
    fc.assert(
      fc.property(cases, (one) => check(heap(), one)),
      { numRuns: 80 },
    );
  });

  it("cuts many channels and pixels into blocks", () => {
    const kernel = { kernel: [4, 4], stride: [2, 2], padding: [1, 1], bias: true };
    check(heap(), { inChannels: 800, outChannels: 3, size: [4, 6], ...kernel });
    check(heap(), { inChannels: 40, outChannels: 21, size: [34, 34], ...kernel, parts: 2 });
  });
});
