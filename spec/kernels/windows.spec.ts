import { expect } from "chai";
import { SLACK } from "../../lib/kernels/cpu/allocator.js";
import {
  createHeap,
  depthwise,
  type DepthwiseSpec,
  type Heap,
  pool,
  type PoolSpec,
} from "../../lib/kernels/cpu/index.js";
import { convolve, outputSize } from "../support/convolve.js";
import { expectClose } from "../support/expect.js";
import { fc } from "../support/fast-check.js";
import { onEveryBuild, randomNumbers, readFrom, withBlocks } from "../support/kernels.js";

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

function checkDepthwise(
  heap: Heap,
  spec: DepthwiseSpec & { parts?: number; bias?: boolean },
): void {
  const { batch = 1, channels, multiplier = 1, size, kernel, parts = 1 } = spec;
  const x = randomNumbers(batch * channels * product(size), 1);
  const w = randomNumbers(channels * multiplier * product(kernel), 2);
  const bias = spec.bias ? randomNumbers(channels * multiplier, 3) : undefined;
  const sizes = { batch, inChannels: channels, outChannels: channels * multiplier };
  const plain = convolve({ ...spec, ...sizes, groups: channels }, x, w, bias);
  const { low = -Infinity, high = Infinity } = spec.activation ?? {};
  const want = plain.map((value) => Math.min(high, Math.max(low, value)));
  withBlocks(heap, (blocks) => {
    const prepared = depthwise(heap, spec);
    const out = blocks.out(want.length);
    const pointers = {
      x: blocks.put(x),
      weight: blocks.put(w),
      bias: bias && blocks.put(bias),
      out,
      workspace: blocks.scratch(prepared.workspaceBytes * parts),
    };
    for (let part = 0; part < parts; part += 1) prepared.run(pointers, part, parts);
    expectClose(blocks.read(out), want, { rtol: 1e-5, atol: 1e-5 });
  });
}

/** The windows of one plane by PyTorch's rules; `rule` gets the values and the number that counts. */
function poolPlane(spec: PoolSpec, x: Float32Array): { out: number[]; shape: number[] } {
  const [h, w] = spec.size as [number, number];
  const [kh, kw] = spec.kernel as [number, number];
  const [sh, sw] = spec.stride as [number, number];
  const [ph, pw] = spec.padding as [number, number];
  const [dh, dw] = (spec.dilation ?? [1, 1]) as [number, number];
  const length = (n: number, k: number, s: number, p: number, d: number): number => {
    const free = n + 2 * p - d * (k - 1) - 1;
    if (!spec.ceilMode) return Math.floor(free / s) + 1;
    const count = Math.ceil(free / s) + 1;
    return (count - 1) * s >= n + p ? count - 1 : count;
  };
  const shape = [length(h, kh, sh, ph, dh), length(w, kw, sw, pw, dw)];
  const out: number[] = [];
  for (let y = 0; y < shape[0]!; y += 1) {
    for (let z = 0; z < shape[1]!; z += 1) {
      let [sum, most, inside, counted] = [0, -Infinity, 0, 0];
      for (let i = 0; i < kh; i += 1) {
        for (let j = 0; j < kw; j += 1) {
          const [a, b] = [y * sh - ph + i * dh, z * sw - pw + j * dw];
          if (a < h + ph && b < w + pw) counted += 1;
          if (a < 0 || b < 0 || a >= h || b >= w) continue;
          inside += 1;
          sum += x[a * w + b]!;
          most = Math.max(most, x[a * w + b]!);
        }
      }
      const count = spec.divisor ?? ((spec.countIncludePad ?? true) ? counted : inside);
      out.push(spec.kind === "max" ? most : sum / count);
    }
  }
  return { out, shape };
}

function checkPool(
  heap: Heap,
  spec: PoolSpec,
  parts = 1,
  x = randomNumbers(spec.planes * product(spec.size)),
): void {
  const plane = product(spec.size);
  const want: number[] = [];
  for (let i = 0; i < spec.planes; i += 1) {
    want.push(...poolPlane(spec, x.subarray(i * plane, (i + 1) * plane)).out);
  }
  withBlocks(heap, (blocks) => {
    const prepared = pool(heap, spec);
    const out = blocks.out(want.length);
    const workspace = blocks.scratch(prepared.workspaceBytes * parts);
    const pointers = { x: blocks.put(x), out, workspace };
    for (let part = 0; part < parts; part += 1) prepared.run(pointers, part, parts);
    expectClose(blocks.read(out), want, { rtol: 1e-5, atol: 1e-6 });
  });
}

const pair = (min: number, max: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min, max }), { minLength: 2, maxLength: 2 });

onEveryBuild("windows", (heap) => {
  it("depthwise is right for any kernel, stride, dilation and border", () => {
    const cases = fc.record({
      batch: fc.integer({ min: 1, max: 2 }),
      channels: fc.integer({ min: 1, max: 3 }),
      multiplier: fc.integer({ min: 1, max: 2 }),
      size: fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 40 })),
      kernel: pair(1, 5),
      stride: pair(1, 3),
      padding: pair(0, 3),
      dilation: pair(1, 2),
      bias: fc.boolean(),
      parts: fc.integer({ min: 1, max: 2 }),
    });
    fc.assert(
      fc.property(cases, (one) => checkDepthwise(heap(), one)),
      { numRuns: 100 },
    );
  });

  it("depthwise works in one dimension, and clamps", () => {
    checkDepthwise(heap(), { channels: 3, size: [50], kernel: [9], padding: [4], bias: true });
    const activation = { low: 0, high: 1 };
    checkDepthwise(heap(), {
      channels: 2,
      size: [6, 7],
      kernel: [3, 3],
      padding: [1, 1],
      activation,
    });
  });

  it("depthwise takes large kernels", () => {
    for (const kernel of [
      [17, 17],
      [31, 31],
      [51, 5],
      [5, 51],
    ]) {
      for (const stride of [1, 2]) {
        const padding = kernel.map((k) => Math.floor(k / 2));
        const sizes = { size: [9, 22], kernel, padding, stride: [stride, stride] };
        checkDepthwise(heap(), { channels: 2, multiplier: 2, bias: true, ...sizes });
      }
    }
    const long = { channels: 2, size: [1000], kernel: [201], padding: [100] };
    for (const stride of [1, 2, 3]) checkDepthwise(heap(), { ...long, stride: [stride] });
  });

  it("depthwise and pools keep to what is there, at both ends of the memory", () => {
    for (const [width, kernel, stride, border] of [
      [1, 601, 1, 600],
      [40, 3, 1, 700],
      [200, 3, 100, 0],
      [256, 256, 256, 0],
    ] as const) {
      for (const lines of [1, 2]) {
        const own = createHeap({ build: heap().build });
        const sizes = { size: [lines, width], kernel: [lines, kernel], stride: [1, stride] };
        const spec = { ...sizes, padding: [0, border] };
        const [convolution, pooling] = [
          depthwise(own, { ...spec, channels: 1 }),
          pool(own, { ...sizes, kind: "max", planes: 1 }),
        ];
        const x = own.put(new Float32Array(lines * width).fill(1));
        const weight = own.put(new Float32Array(lines * kernel).fill(1));
        const out = own.alloc(4 * (width + 2 * border));
        const workspace = own.alloc(convolution.workspaceBytes + pooling.workspaceBytes);
        convolution.run({ x, weight, out, workspace });
        // The last block, as far behind as the memory goes that there is.
        const free = own.alloc(0);
        own.free(free);
        const bytes = Math.ceil((lines * width * 4 + SLACK) / 64) * 64;
        own.alloc(own.bytes - free - bytes - SLACK);
        const last = own.put(new Float32Array(lines * width).fill(1));
        const results = outputSize(spec)[1]!;
        const middle = Math.floor(results / 2);
        const want = readFrom(own, out, results);
        convolution.run({ x: last, weight, out, workspace });
        expect(readFrom(own, out, results)).to.deep.equal(want);
        expect(want[middle]).to.equal(lines * Math.min(kernel, width));
        if (kernel <= width) {
          pooling.run({ x: last, out, workspace });
          expect(readFrom(own, out, 1)[0]).to.equal(1);
        }
        own.dispose();
      }
    }
  });

  it("pools by PyTorch's rules", () => {
    const cases = fc
      .record({
        kind: fc.constantFrom<"max" | "avg">("max", "avg"),
        planes: fc.integer({ min: 1, max: 3 }),
        size: fc.tuple(fc.integer({ min: 4, max: 10 }), fc.integer({ min: 4, max: 25 })),
        kernel: pair(1, 4),
        stride: pair(1, 3),
        half: pair(0, 1),
        ceilMode: fc.boolean(),
        countIncludePad: fc.boolean(),
        divisor: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
        parts: fc.integer({ min: 1, max: 2 }),
      })
      .map(({ half, ...rest }) => ({
        ...rest,
        padding: rest.kernel.map((k, i) => Math.floor(k / 2) * half[i]!),
      }));
    fc.assert(
      fc.property(cases, ({ parts, ...spec }) => checkPool(heap(), spec, parts)),
      { numRuns: 100 },
    );
  });

  it("takes the maximum of NaN and infinities as PyTorch does", () => {
    const x = randomNumbers(49).fill(-Infinity, 0, 20);
    x[40] = NaN;
    const sizes = { size: [7, 7], kernel: [3, 3], stride: [1, 1], padding: [1, 1] };
    checkPool(heap(), { kind: "max", planes: 1, ...sizes }, 1, x);
    const dilated = {
      size: [9, 9],
      kernel: [2, 3],
      stride: [2, 1],
      padding: [0, 1],
      dilation: [2, 3],
    };
    checkPool(heap(), { kind: "max", planes: 2, ...dilated });
  });

  it("takes windows in three dimensions: a plane's, one plane behind the other", () => {
    const [planes, depth, size] = [2, 3, [5, 6]];
    const x = randomNumbers(planes * depth * product(size));
    const sizes = { stride: [1, 2, 1], padding: [1, 0, 1], kernel: [2, 3, 2] };
    withBlocks(heap(), (blocks) => {
      const prepared = pool(heap(), { kind: "max", planes, size: [depth, ...size], ...sizes });
      const out = blocks.out(planes * 4 * 2 * 7);
      const workspace = blocks.scratch(prepared.workspaceBytes);
      prepared.run({ x: blocks.put(x), out, workspace });
      const want: number[] = [];
      for (let i = 0; i < planes * 4 * 2 * 7; i += 1) {
        const [plane, z, y, w] = [Math.floor(i / 56), Math.floor(i / 14) % 4, Math.floor(i / 7) % 2, i % 7]; // prettier-ignore
        let most = -Infinity;
        for (let tap = 0; tap < 12; tap += 1) {
          const [d, r, c] = [z - 1 + Math.floor(tap / 6), 2 * y + (Math.floor(tap / 2) % 3), w - 1 + (tap % 2)]; // prettier-ignore
          if (d < 0 || d > 2 || c < 0 || c > 5) continue;
          most = Math.max(most, x[((plane * depth + d) * 5 + r) * 6 + c]!);
        }
        want.push(most);
      }
      expectClose(blocks.read(out), want, { rtol: 1e-5, atol: 1e-6 });
    });
  });
});
