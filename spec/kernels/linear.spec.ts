import { expect } from "chai";
import {
  type Activation,
  type Heap,
  linear,
  packedLinearBytes,
  packLinear,
  stepsOf,
} from "../../lib/kernels/cpu/index.js";
import { expectClose } from "../support/expect.js";
import { fc } from "../support/fast-check.js";
import { onEveryBuild, randomNumbers, withBlocks } from "../support/kernels.js";

interface Case {
  m: number;
  n: number;
  k: number;
  layout?: "nk" | "kn";
  bias?: boolean;
  residual?: boolean;
  activation?: Activation;
  parts?: number;
}

function check(heap: Heap, { m, n, k, layout = "nk", parts = 1, ...rest }: Case): void {
  const [x, w] = [randomNumbers(m * k, 1), randomNumbers(n * k, 2)];
  const bias = rest.bias ? randomNumbers(n, 3) : undefined;
  const residual = rest.residual ? randomNumbers(m * n, 4) : undefined;
  const want = new Float64Array(m * n);
  const { low = -Infinity, high = Infinity, steps } = rest.activation ?? {};
  for (let i = 0; i < m; i += 1) {
    for (let j = 0; j < n; j += 1) {
      let sum = (bias?.[j] ?? 0) + (residual?.[i * n + j] ?? 0);
      for (let t = 0; t < k; t += 1) {
        sum += x[i * k + t]! * w[layout === "nk" ? j * k + t : t * n + j]!;
      }
      sum = Math.min(high, Math.max(low, sum));
      want[i * n + j] = steps ? sum / (1 + Math.exp(-sum)) : sum;
    }
  }
  withBlocks(heap, (blocks) => {
    const packed = blocks.scratch(packedLinearBytes(n, k));
    packLinear(heap, { weight: blocks.put(w), n, k, to: packed, layout });
    const kernel = linear(heap, { m, n, k, activation: rest.activation });
    const out = blocks.out(m * n);
    const pointers = {
      x: blocks.put(x),
      weight: packed,
      bias: bias && blocks.put(bias),
      residual: residual && blocks.put(residual),
      out,
      workspace: blocks.scratch(kernel.workspaceBytes * parts),
    };
    for (let part = 0; part < parts; part += 1) kernel.run(pointers, part, parts);
    expectClose(blocks.read(out), want, { rtol: 1e-5, atol: 2e-6 * (k + 4) });
  });
}

onEveryBuild("linear", (heap) => {
  it("is right for any sizes", () => {
    const size = fc.integer({ min: 0, max: 21 });
    const sizes = { m: size, n: size, k: fc.oneof(size, fc.constant(900)) };
    const flags = { bias: fc.boolean(), residual: fc.boolean() };
    const layout = fc.constantFrom<"nk" | "kn">("nk", "kn");
    fc.assert(
      fc.property(
        fc.record({ ...sizes, ...flags, layout, parts: fc.integer({ min: 1, max: 3 }) }),
        (one) => check(heap(), one),
      ),
      { numRuns: 60 },
    );
  });

  it("cuts long rows, many rows and long products into blocks", () => {
    check(heap(), { m: 5, n: 9, k: 2000, bias: true, residual: true, activation: { low: 0 } });
    check(heap(), { m: 261, n: 33, k: 17, bias: true, parts: 2 });
    check(heap(), { m: 2, n: 97, k: 1100, bias: true, residual: true });
  });

  it("adds the residual at last: products added to what is large would lose their digits", () => {
    const [m, n, k] = [3, 20, 2000];
    const [x, w] = [randomNumbers(m * k, 1), randomNumbers(n * k, 2)];
    for (const rows of [1, 2, 3]) {
      withBlocks(heap(), (blocks) => {
        const weight = blocks.scratch(packedLinearBytes(n, k));
        packLinear(heap(), { weight: blocks.put(w), n, k, to: weight });
        const [plain, out] = [blocks.out(rows * n), blocks.out(rows * n)];
        const kernel = linear(heap(), { m: rows, n, k });
        const common = {
          x: blocks.put(x),
          weight,
          workspace: blocks.scratch(kernel.workspaceBytes),
        };
        kernel.run({ ...common, out: plain });
        kernel.run({ ...common, residual: blocks.put(new Float32Array(rows * n).fill(3e4)), out }); // prettier-ignore
        const want = Float64Array.from(blocks.read(plain), (value) => value + 3e4);
        expectClose(blocks.read(out), want, { rtol: 1e-7, atol: 0 });
      });
    }
  });

  it("keeps the digits of long sums", () => {
    const [m, n, k] = [16, 16, 2048];
    const [x, w] = [randomNumbers(m * k, 1), randomNumbers(n * k, 2)];
    withBlocks(heap(), (blocks) => {
      const weight = blocks.scratch(packedLinearBytes(n, k));
      packLinear(heap(), { weight: blocks.put(w), n, k, to: weight });
      const kernel = linear(heap(), { m, n, k });
      const out = blocks.out(m * n);
      const workspace = blocks.scratch(kernel.workspaceBytes);
      kernel.run({ x: blocks.put(x), weight, out, workspace });
      let [error, size] = [0, 0];
      blocks.read(out).forEach((got, at) => {
        let want = 0;
        for (let t = 0; t < k; t += 1)
          want += x[Math.floor(at / n) * k + t]! * w[(at % n) * k + t]!;
        error += (got - want) ** 2;
        size += want ** 2;
      });
      expect(Math.sqrt(error / size)).to.be.below(4e-7);
    });
  });

  it("clamps and applies chains", () => {
    for (const m of [1, 2, 3, 6]) {
      check(heap(), { m, n: 11, k: 7, activation: { low: -0.5, high: 1.5 } });
      const activation = { low: -1, steps: stepsOf("silu") };
      check(heap(), { m, n: 11, k: 7, bias: true, activation });
      check(heap(), { m, n: 43, k: 7, bias: true, activation, parts: 2 });
    }
  });

  it("gives the bias where there is nothing to sum", () => {
    check(heap(), { m: 1, n: 9, k: 0, bias: true });
    check(heap(), { m: 6, n: 9, k: 0, bias: true });
  });

  it("passes NaN and infinities on, to their rows and columns alone", () => {
    for (const m of [2, 5]) {
      const [n, k] = [10, 6];
      const x = new Float32Array(m * k).fill(1);
      x[3] = NaN;
      x[k + 2] = Infinity;
      const w = new Float32Array(n * k).fill(1);
      w[9 * k + 2] = -1;
      withBlocks(heap(), (blocks) => {
        const weight = blocks.scratch(packedLinearBytes(n, k));
        packLinear(heap(), { weight: blocks.put(w), n, k, to: weight });
        const kernel = linear(heap(), { m, n, k, activation: { low: 0, high: Infinity } });
        const out = blocks.out(m * n);
        const workspace = blocks.scratch(kernel.workspaceBytes);
        kernel.run({ x: blocks.put(x), weight, out, workspace });
        const want = [...Array<number>(n).fill(NaN), ...Array<number>(9).fill(Infinity), 0];
        expectClose(blocks.read(out).subarray(0, 2 * n), want, { rtol: 0, atol: 0 });
      });
    }
  });
});
