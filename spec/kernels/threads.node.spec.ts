import { expect } from "chai";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import {
  conv,
  createHeap,
  gather,
  linear,
  packConv,
  packedConvBytes,
  packedLinearBytes,
  packLinear,
  softmax,
  type ThreadStep,
} from "../../lib/kernels/cpu/index.js";
import { Threads } from "../../lib/kernels/cpu/threads.js";
import { expectClose } from "../support/expect.js";
import { randomNumbers, readFrom, usedOf } from "../support/kernels.js";

/** A small network: convolution, softmax, a step on one thread, linear. */
function network(heap: ReturnType<typeof createHeap>, threads: number) {
  const sizes = { inChannels: 5, outChannels: 8, size: [20, 20], kernel: [3, 3], padding: [1, 1] };
  const first = conv(heap, sizes);
  const weight = heap.alloc(packedConvBytes(sizes));
  packConv(heap, sizes, heap.put(randomNumbers(5 * 8 * 9, 1)), weight);
  const soft = softmax(heap, { rows: 8 * 20, n: 20 });
  const pick = gather(heap, { count: 8 * 20, rows: 8 * 20, n: 20 });
  const last = linear(heap, { m: 160, n: 33, k: 20 });
  const dense = heap.alloc(packedLinearBytes(33, 20));
  packLinear(heap, { weight: heap.put(randomNumbers(33 * 20, 2)), n: 33, k: 20, to: dense });
  const most = Math.max(first.workspaceBytes, last.workspaceBytes);
  const workspace = heap.alloc(most * threads);
  const x = heap.put(randomNumbers(5 * 400, 3));
  const [a, b, out] = [heap.alloc(3200 * 4), heap.alloc(3200 * 4), heap.alloc(160 * 33 * 4)];
  const indices = heap.alloc(160 * 4);
  heap.i32.set(Array.from({ length: 160 }, (_, i) => 159 - i), indices >> 2); // prettier-ignore
  const steps: ThreadStep[] = [
    { run: (...part) => first.run({ x, weight, out: a, workspace }, ...part) },
    { run: (...part) => soft.run({ x: a, out: a }, ...part) },
    {
      run: (...part) => pick.run({ table: a, indices, out: b }, ...part),
      onOneThread: pick.onOneThread,
    },
    { run: (...part) => last.run({ x: b, weight: dense, out, workspace }, ...part) },
  ];
  return { steps, x, read: () => readFrom(heap, out, 160 * 33) };
}

describe("threads", () => {
  it("give what one thread gives, again and again, also when the memory has grown", async () => {
    const alone = createHeap({ build: "simd" });
    const plain = network(alone, 1);
    for (const { run } of plain.steps) run(0, 1);
    for (const count of [2, 3]) {
      const heap = createHeap({ shared: true, build: "simd" });
      const threads = await Threads.start(heap, count);
      expect(threads?.count).to.equal(count);
      heap.alloc(5_000_000);
      const shared = network(heap, count);
      const program = threads!.program(shared.steps);
      for (let i = 0; i < 20; i += 1) {
        program.run();
        expectClose(shared.read(), plain.read(), { rtol: 1e-6, atol: 1e-7 });
        if (i === 10) heap.alloc(3_000_000);
      }
      const nothing = threads!.program([]);
      const other = threads!.program(shared.steps.slice(0, 2));
      for (let i = 0; i < 50; i += 1) {
        for (let j = 0; j < i % 4; j += 1) nothing.run();
        const numbers = randomNumbers(5 * 400, 52 - i); // in the end, what there was
        alone.f32.set(numbers, plain.x >>> 2);
        heap.f32.set(numbers, shared.x >>> 2);
        for (const { run } of plain.steps) run(0, 1);
        program.run();
        expectClose(shared.read(), plain.read(), { rtol: 1e-6, atol: 1e-7 });
      }
      nothing.dispose();
      other.run();
      const used = usedOf(heap);
      program.dispose();
      expect(usedOf(heap)).to.be.below(used);
      other.run();
      other.dispose();
      threads!.dispose();
      expect(() => other.run()).to.throw("disposed of");
      heap.dispose();
    }
    alone.dispose();
  });

  it("are none where the heap is not shared", async () => {
    expect(await Threads.start(createHeap(), 2)).to.equal(null);
    expect(await Threads.start(createHeap({ shared: true, build: "js" }), 2)).to.equal(null);
  });

  /** In a process of its own, which is to end by itself; with threads that have started. */
  async function said(count: number, code: string): Promise<string> {
    const url = (name: string): string =>
      JSON.stringify(new URL(`../../lib/kernels/cpu/${name}.ts`, import.meta.url).href);
    const start = `globalThis.Worker = class {};
      const { createHeap } = await import(${url("heap")});
      const { Threads } = await import(${url("threads")});
      const threads = await Threads.start(createHeap({ shared: true, build: "simd" }), ${count});`;
    const args = ["--import", "tsx", "--input-type=module", "-e", start + code];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
    return stdout.trim();
  }

  it("do not keep a process alive, and are Node's where there are a page's too", async () => {
    expect(await said(2, "console.log(threads.count);")).to.equal("2");
  });

  it("are 32 where more are asked for, and all of them meet", async () => {
    const code = `let runs = 0;
      const program = threads.program([1, 2].map(() => ({ run: () => (runs += 1), onOneThread: true })));
      program.run();
      console.log(threads.count, runs);`;
    expect(await said(64, code)).to.equal("32 2");
  });
});
