import { expect } from "chai";
import {
  type Heap,
  linear,
  packedLinearBytes,
  packLinear,
  type WeightType,
} from "../../lib/kernels/cpu/index.js";
import { expectClose } from "../support/expect.js";
import { onEveryBuild, randomNumbers, withBlocks } from "../support/kernels.js";

/** The weight as a kernel sees it: multiplied by the identity. */
function kept(
  heap: Heap,
  w: ArrayLike<number>,
  n: number,
  k: number,
  weightType: WeightType,
): number[] {
  const identity = Array.from({ length: k * k }, (_, i) => Number(i % (k + 1) === 0));
  return [...product(heap, identity, w, { m: k, n, k, weightType })];
}

interface Sizes {
  m: number;
  n: number;
  k: number;
  weightType: WeightType;
  parts?: number;
}

function product(
  heap: Heap,
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  sizes: Sizes,
): Float32Array {
  const { m, n, k, weightType, parts = 1 } = sizes;
  return withBlocks(heap, (blocks) => {
    const weight = blocks.scratch(packedLinearBytes(n, k, weightType));
    packLinear(heap, { weight: blocks.put(w), n, k, to: weight, weightType });
    const kernel = linear(heap, sizes);
    const out = blocks.out(m * n);
    const workspace = blocks.scratch(kernel.workspaceBytes * parts);
    const pointers = { x: blocks.put(x), weight, out, workspace };
    for (let part = 0; part < parts; part += 1) kernel.run(pointers, part, parts);
    return blocks.read(out);
  });
}

onEveryBuild("narrow weights", (heap) => {
  it("are the nearest of their type", () => {
    const f16 = [1, -2, 0.1, 65504, 1e6, 6e-5, 5e-8, -1e-9, 3.0001, 1 / 3];
    const halves = [
      1, -2, 0.0999755859375, 65504, 65504, 6.002187728881836e-5, 5.9604644775390625e-8, 0, 3,
      0.333251953125,
    ]; // prettier-ignore
    expect(kept(heap(), f16, 10, 1, "f16").map((v) => v + 0)).to.deep.equal(halves);
    const brains = [1, -2, 0.10009765625, 3.0, 1e30].map(Math.fround);
    const rounded = kept(heap(), [1, -2, 0.1, 3.0001, 1e30], 5, 1, "bf16");
    expect(rounded.slice(0, 4)).to.deep.equal(brains.slice(0, 4));
    expectClose([rounded[4]!], [1e30], { rtol: 4e-3, atol: 0 });
    const eighths = kept(heap(), [127, 1, -64.4, 0, 0, 0], 2, 3, "int8");
    expectClose(eighths, [127, 0, 1, 0, -64, 0], { rtol: 1e-6, atol: 0 });
  });

  for (const [weightType, rtol] of [
    ["f16", 2 ** -11],
    ["bf16", 2 ** -8],
    ["int8", 0],
  ] as const) {
    it(`${weightType} multiplies any sizes`, () => {
      for (const [m, n, k, parts] of [
        [1, 9, 7, 1],
        [2, 20, 33, 2],
        [6, 13, 5, 1],
        [40, 30, 900, 3],
        [1, 100, 2100, 2],
      ] as const) {
        const [x, w] = [randomNumbers(m * k, 1), randomNumbers(n * k, 2)];
        const got = product(heap(), x, w, { m, n, k, weightType, parts });
        const want = product(heap(), x, w, { m, n, k, weightType: "f32" });
        // Errors of k weights add up as √k of them.
        const error = (rtol || 2 / 254) * 2 * 2 * Math.sqrt(k);
        expectClose(got, want, { rtol: 0, atol: error });
      }
    });
  }

  it("take half and a quarter of the memory", () => {
    const whole = packedLinearBytes(512, 512);
    expect(packedLinearBytes(512, 512, "f16") / whole).to.equal(0.5);
    expect(packedLinearBytes(512, 512, "bf16") / whole).to.equal(0.5);
    expect(packedLinearBytes(512, 512, "int8") / whole).to.be.within(0.25, 0.253);
  });
});
