import { expect } from "chai";
import {
  conv,
  type ConvSpec,
  type Heap,
  linear,
  type LinearSpec,
  loadNarrowing,
  packConv,
  packedConvBytes,
  packedLinearBytes,
  packLinear,
  recurrent,
  type RecurrentSpec,
  type WeightType,
  windowsOf,
  stepsOf,
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

interface Sizes extends LinearSpec {
  weightType: WeightType;
  parts?: number;
  bias?: ArrayLike<number>;
  residual?: ArrayLike<number>;
}

function product(
  heap: Heap,
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  sizes: Sizes,
): Float32Array {
  const { m, n, k, weightType, parts = 1, bias, residual } = sizes;
  return withBlocks(heap, (blocks) => {
    const weight = blocks.scratch(packedLinearBytes(n, k, weightType));
    packLinear(heap, { weight: blocks.put(w), n, k, to: weight, weightType });
    const kernel = linear(heap, sizes);
    const out = blocks.out(m * n);
    const workspace = blocks.scratch(kernel.workspaceBytes * parts);
    const pointers = {
      ...{ x: blocks.put(x), weight, out, workspace },
      bias: bias ? blocks.put(bias) : 0,
      residual: residual ? blocks.put(residual) : 0,
    };
    for (let part = 0; part < parts; part += 1) kernel.run(pointers, part, parts);
    return blocks.read(out);
  });
}

function convolved(
  heap: Heap,
  spec: ConvSpec,
  x: ArrayLike<number>,
  w: readonly number[],
  parts: number,
): Float32Array {
  return withBlocks(heap, (blocks) => {
    const weight = blocks.scratch(packedConvBytes(spec));
    packConv(heap, spec, blocks.put(w), weight);
    const kernel = conv(heap, spec);
    const { out: sizes } = windowsOf(spec);
    const out = blocks.out(spec.outChannels * sizes.reduce((a, b) => a * b, 1));
    const workspace = blocks.scratch(kernel.workspaceBytes * parts);
    const pointers = { x: blocks.put(x), weight, out, workspace };
    for (let part = 0; part < parts; part += 1) kernel.run(pointers, part, parts);
    return blocks.read(out);
  });
}

function sequence(
  heap: Heap,
  spec: RecurrentSpec,
  [ih, hh]: readonly [number[], number[]],
  gates: number,
): Float32Array {
  const { time, batch, inputSize, hiddenSize, weightType } = spec;
  return withBlocks(heap, (blocks) => {
    const [weightIh, weightHh] = [ih, hh].map((weight, i) => {
      const k = [inputSize, hiddenSize][i]!;
      const to = blocks.scratch(packedLinearBytes(gates, k, weightType));
      packLinear(heap, { weight: blocks.put(weight), n: gates, k, to, weightType });
      return to;
    });
    const kernel = recurrent(heap, spec);
    const out = blocks.out(time * batch * hiddenSize);
    const x = blocks.put(randomNumbers(time * batch * inputSize, 3).map((v) => v / 50));
    const workspace = blocks.scratch(kernel.workspaceBytes);
    kernel.run({ x, weightIh: weightIh!, weightHh: weightHh!, out, workspace });
    return blocks.read(out);
  });
}

onEveryBuild("narrow weights", (heap) => {
  before(loadNarrowing);

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

  it("give one row what they give many", () => {
    for (const weightType of ["f16", "bf16", "int8"] as const) {
      for (const [n, k, parts] of [
        [8, 1, 1],
        [16, 2, 1],
        [35, 33, 1],
        [50, 64, 3],
        [3, 129, 2],
      ] as const) {
        const [x, w] = [randomNumbers(5 * k, 1), randomNumbers(n * k, 2)];
        const more = {
          activation: { low: -1, high: 2, steps: stepsOf("sigmoid") },
          bias: randomNumbers(n, 3),
        };
        const residual = randomNumbers(5 * n, 4);
        const many = product(heap(), x, w, { m: 5, n, k, weightType, ...more, residual });
        for (const m of [1, 2]) {
          const sizes = { m, n, k, weightType, parts, ...more, residual };
          const got = product(heap(), x, w, sizes);
          expectClose(got, many.subarray(0, m * n), { rtol: 1e-5, atol: 1e-5 });
        }
      }
    }
  });

  it("pass NaN and infinities of a row on", () => {
    const w = randomNumbers(40, 2).map((v) => v || 1);
    for (const weightType of ["f16", "bf16", "int8"] as const) {
      for (const odd of [NaN, Infinity, -Infinity]) {
        const sizes = { m: 1, n: 20, k: 2, weightType };
        const got = [...product(heap(), [1, odd], w, sizes)];
        const want = [...product(heap(), [1, odd], w, { ...sizes, weightType: "f32" })];
        expect(got).to.deep.equal(want);
      }
    }
  });

  it("give finite sums of large rows", () => {
    const w = randomNumbers(9 * 20, 2);
    for (const by of [1e19, 1e22, 1e30]) {
      const x = randomNumbers(20, 1).map((v) => v * by);
      const got = product(heap(), x, w, { m: 1, n: 9, k: 20, weightType: "f16" });
      const want = product(heap(), x, w, { m: 1, n: 9, k: 20, weightType: "f32" });
      expectClose(got, want, { rtol: 0, atol: 2 ** -11 * 20 * by });
    }
  });

  it("are as exact in halves where all are small", () => {
    const w = randomNumbers(9 * 20, 2).map((v) => v * 1e-7);
    for (const m of [1, 20]) {
      const x = Float32Array.from({ length: m * 20 }, (_, i) => Number(i % 21 === 3));
      const got = product(heap(), x, w, { m, n: 9, k: 20, weightType: "f16" });
      const want = product(heap(), x, w, { m, n: 9, k: 20, weightType: "f32" });
      expectClose(got, want, { rtol: 2 ** -11, atol: 1e-12 });
    }
  });

  it("are exact in convolutions and recurrent layers where the type holds them", () => {
    // Whole numbers of 7 bits, the largest in each row: all three types hold them as they are.
    const whole = (rows: number, row: number): number[] =>
      Array.from(randomNumbers(rows * row, 2), (v, i) =>
        i % row === 0 ? 127 : Math.round(v * 60),
      );
    for (const weightType of ["f16", "bf16", "int8"] as const) {
      for (const [inChannels, outChannels, groups, kernel, parts] of [
        [3, 5, 1, 3, 1],
        [40, 9, 1, 3, 2],
        [90, 130, 1, 3, 1],
        [6, 10, 2, 1, 3],
        [4, 4, 2, 2, 1],
      ] as const) {
        const spec = {
          ...{ inChannels, outChannels, groups, weightType },
          ...{ size: [7, 6], kernel: [kernel, kernel], padding: [1, 0] },
        };
        const row = (inChannels / groups) * kernel ** 2;
        const x = randomNumbers(inChannels * 42, 1);
        const [got, want] = ([weightType, "f32"] as const).map((type) =>
          convolved(heap(), { ...spec, weightType: type }, x, whole(outChannels, row), parts),
        );
        expectClose(got!, want!, { rtol: 1e-6, atol: 1e-4 });
      }
      for (const kind of ["lstm", "gru", "tanh"] as const) {
        const spec = { kind, time: 3, batch: 2, inputSize: 5, hiddenSize: 6 };
        const gates = { lstm: 24, gru: 18, tanh: 6 }[kind];
        const weights = [whole(gates, 5), whole(gates, 6)] as const;
        const [got, want] = ([weightType, "f32"] as const).map((type) =>
          sequence(heap(), { ...spec, weightType: type }, weights, gates),
        );
        expectClose(got!, want!, { rtol: 1e-6, atol: 1e-6 });
      }
    }
  });

  it("take half and a quarter of the memory", () => {
    const whole = packedLinearBytes(512, 512);
    expect(packedLinearBytes(512, 512, "f16") / whole).to.be.within(0.5, 0.503);
    expect(packedLinearBytes(512, 512, "bf16") / whole).to.equal(0.5);
    expect(packedLinearBytes(512, 512, "int8") / whole).to.be.within(0.25, 0.253);
  });
});
