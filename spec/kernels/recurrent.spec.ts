import { expect } from "chai";
import {
  type Heap,
  packedLinearBytes,
  packLinear,
  recurrent,
  type RecurrentSpec,
} from "../../lib/kernels/cpu/index.js";
import { expectClose } from "../support/expect.js";
import { fc } from "../support/fast-check.js";
import { type Blocks, onEveryBuild, randomNumbers, withBlocks } from "../support/kernels.js";

interface Case extends RecurrentSpec {
  bias: boolean;
  states: boolean;
  wide: boolean;
  parts?: number;
}

const GATES = { lstm: 4, gru: 3, tanh: 1, relu: 1 };
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** One layer by PyTorch's formulas; the output as `[time][batch][hidden]`. */
function run(one: Case, data: Record<string, Float32Array | undefined>) {
  const { kind, time, batch, inputSize, hiddenSize: n } = one;
  const zeros = () => Array.from({ length: batch }, () => new Array<number>(n).fill(0));
  const stateOf = (from: Float32Array | undefined): number[][] =>
    from ? zeros().map((_, b) => [...from.subarray(b * n, (b + 1) * n)]) : zeros();
  const h = stateOf(data.h0);
  const c = stateOf(data.c0);
  const out: number[][][] = [];
  for (let i = 0; i < time; i += 1) {
    const t = one.reverse ? time - 1 - i : i;
    out[t] = [];
    for (let b = 0; b < batch; b += 1) {
      const row = t * batch + b;
      const dot = (w: Float32Array, g: number, values: ArrayLike<number>, size: number): number => {
        let sum = 0;
        for (let k = 0; k < size; k += 1) sum += w[g * size + k]! * values[k]!;
        return sum;
      };
      const x = data.x!.subarray(row * inputSize, (row + 1) * inputSize);
      const before = h[b]!;
      const input = (g: number) => dot(data.wi!, g, x, inputSize) + (data.bi?.[g] ?? 0);
      const hidden = (g: number) => dot(data.wh!, g, before, n) + (data.bh?.[g] ?? 0);
      const gate = (g: number) => input(g) + hidden(g);
      h[b] = before.map((last, k) => {
        if (kind === "tanh") return Math.tanh(gate(k));
        if (kind === "relu") return Math.max(0, gate(k));
        if (kind === "gru") {
          const fresh = Math.tanh(input(2 * n + k) + sigmoid(gate(k)) * hidden(2 * n + k));
          const z = sigmoid(gate(n + k));
          return (1 - z) * fresh + z * last;
        }
        const kept = sigmoid(gate(n + k)) * c[b]![k]!;
        c[b]![k] = kept + sigmoid(gate(k)) * Math.tanh(gate(2 * n + k));
        return sigmoid(gate(3 * n + k)) * Math.tanh(c[b]![k]!);
      });
      out[t].push(h[b]!);
    }
  }
  return { out, h, c };
}

function pack(heap: Heap, blocks: Blocks, values: Float32Array, n: number, k: number): number {
  const to = blocks.scratch(packedLinearBytes(n, k));
  packLinear(heap, { weight: blocks.put(values), n, k, to });
  return to;
}

function check(heap: Heap, one: Case): void {
  const { kind, time, batch, inputSize, hiddenSize, bias, states, wide, parts = 1 } = one;
  const width = GATES[kind] * hiddenSize;
  const data = {
    x: randomNumbers(time * batch * inputSize, 1),
    wi: randomNumbers(width * inputSize, 2).map((v) => v / 2),
    wh: randomNumbers(width * hiddenSize, 3).map((v) => v / 4),
    bi: bias ? randomNumbers(width, 4) : undefined,
    bh: bias ? randomNumbers(width, 5) : undefined,
    h0: states ? randomNumbers(batch * hiddenSize, 6) : undefined,
    c0: states ? randomNumbers(batch * hiddenSize, 7) : undefined,
  };
  const { out: want, h, c } = run(one, data);
  const outRow = wide ? hiddenSize + 3 : hiddenSize;
  withBlocks(heap, (blocks) => {
    const put = (values: Float32Array | undefined) => values && blocks.put(values);
    const kernel = recurrent(heap, { ...one, outRow });
    const out = blocks.out(time * batch * outRow);
    const [hN, cN] = [blocks.out(batch * hiddenSize), blocks.out(batch * hiddenSize)];
    const pointers = {
      x: blocks.put(data.x),
      weightIh: pack(heap, blocks, data.wi, width, inputSize),
      weightHh: pack(heap, blocks, data.wh, width, hiddenSize),
      biasIh: put(data.bi),
      biasHh: put(data.bh),
      h0: put(data.h0),
      c0: put(data.c0),
      out,
      hN,
      cN,
      workspace: blocks.scratch(kernel.workspaceBytes * parts),
    };
    if (parts === 1) kernel.run(pointers);
    else {
      expect(kernel.onOneThread).to.be.false;
      for (const stage of kernel.stages(pointers)) {
        // In whatever order: parts of a stage do not need each other.
        for (let part = parts - 1; part >= 0; part -= 1) stage(part, parts);
      }
    }
    const got = blocks.read(out);
    const close = { rtol: 1e-4, atol: 2e-5 };
    for (let t = 0; t < time; t += 1) {
      for (let b = 0; b < batch; b += 1) {
        const row = (t * batch + b) * outRow;
        expectClose(got.subarray(row, row + hiddenSize), want[t]![b]!, close);
      }
    }
    expectClose(blocks.read(hN), h.flat(), close);
    if (kind === "lstm") expectClose(blocks.read(cN), c.flat(), close);
  });
}

onEveryBuild("recurrent", (heap) => {
  it("is right for any sizes, directions and layouts", () => {
    const cases = fc.record({
      kind: fc.constantFrom<Case["kind"]>("lstm", "gru", "tanh", "relu"),
      time: fc.integer({ min: 1, max: 6 }),
      batch: fc.integer({ min: 1, max: 5 }),
      inputSize: fc.integer({ min: 1, max: 7 }),
      hiddenSize: fc.integer({ min: 1, max: 9 }),
      reverse: fc.boolean(),
      bias: fc.boolean(),
      states: fc.boolean(),
      wide: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, (one) => check(heap(), one)),
      { numRuns: 100 },
    );
  });

  it("shares the units of a layer", () => {
    const cases = fc.record({
      kind: fc.constantFrom<Case["kind"]>("lstm", "gru", "tanh", "relu"),
      time: fc.integer({ min: 1, max: 7 }),
      batch: fc.integer({ min: 1, max: 5 }),
      inputSize: fc.integer({ min: 1, max: 7 }),
      hiddenSize: fc.constantFrom(8, 16, 24, 40),
      reverse: fc.boolean(),
      bias: fc.boolean(),
      states: fc.boolean(),
      wide: fc.boolean(),
      parts: fc.integer({ min: 2, max: 4 }),
    });
    fc.assert(
      fc.property(cases, (one) => check(heap(), one)),
      { numRuns: 60 },
    );
    const kernel = recurrent(heap(), {
      kind: "gru",
      time: 2,
      batch: 1,
      inputSize: 3,
      hiddenSize: 5,
    });
    expect(kernel.onOneThread).to.be.true;
  });

  it("takes long sequences and large batches in stretches", () => {
    const sizes = { inputSize: 3, hiddenSize: 5, bias: true, states: false, wide: false };
    for (const [time, batch] of [
      [150, 2],
      [3, 140],
    ] as const) {
      for (const reverse of [false, true]) {
        check(heap(), { kind: "lstm", time, batch, reverse, ...sizes });
        check(heap(), { kind: "gru", time, batch, reverse, ...sizes });
      }
    }
  });
});
