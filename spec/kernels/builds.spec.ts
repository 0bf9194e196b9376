import { expect } from "chai";
import {
  bestBuild,
  type Build,
  createHeap,
  linear,
  loadFallback,
  packedLinearBytes,
  packLinear,
} from "../../lib/kernels/cpu/index.js";
import { inBrowser, inSafari } from "../support/files.js";
import { expectClose } from "../support/expect.js";
import { BUILDS, randomNumbers, withBlocks } from "../support/kernels.js";

/** A product whose sums are long enough to be rounded differently. */
function product(build: Build): Float32Array {
  const [m, n, k] = [5, 17, 700];
  const heap = createHeap({ build });
  const result = withBlocks(heap, (blocks) => {
    const weight = blocks.scratch(packedLinearBytes(n, k));
    packLinear(heap, { weight: blocks.put(randomNumbers(n * k, 2)), n, k, to: weight });
    const kernel = linear(heap, { m, n, k });
    const out = blocks.out(m * n);
    const workspace = blocks.scratch(kernel.workspaceBytes);
    kernel.run({ x: blocks.put(randomNumbers(m * k, 1)), weight, out, workspace });
    return blocks.read(out);
  });
  heap.dispose();
  return result;
}

describe("The builds of the kernels", () => {
  before(loadFallback);

  it("all run in Chromium and Firefox; in Node, the fused one is behind a flag before version 22", () => {
    expect(BUILDS).to.include.members(["simd", "js"]);
    if (inBrowser && !inSafari) expect(bestBuild()).to.equal("fma");
  });

  it("compile a function when it is first called", () => {
    const heap = createHeap({ build: BUILDS[0]! });
    const [n, k] = [16, 8];
    withBlocks(heap, (blocks) => {
      const weight = blocks.scratch(packedLinearBytes(n, k));
      packLinear(heap, { weight: blocks.put(randomNumbers(n * k, 2)), n, k, to: weight });
      const kernel = linear(heap, { m: 1, n, k });
      expect(heap.modules.length, "what packs").to.equal(1);
      const [x, out] = [blocks.put(randomNumbers(k, 1)), blocks.out(n)];
      kernel.run({ x, weight, out, workspace: blocks.scratch(kernel.workspaceBytes) });
      expect(heap.modules.length, "and a product of one row").to.equal(2);
    });
    heap.dispose();
  });

  it("agree to the last digits, in which a fused product differs", () => {
    const [first, ...others] = BUILDS.map((build) => ({ build, values: product(build) }));
    for (const { build, values } of others) {
      expectClose(values, first!.values, { rtol: 1e-5, atol: 1e-4 });
      // Otherwise it would be no fused product at all.
      if (first!.build === "fma" && build === "simd") {
        expect(Array.from(values)).not.to.deep.equal(Array.from(first!.values));
      }
    }
  });
});
