import { expect } from "chai";
import {
  createHeap,
  elementwise,
  gather,
  linear,
  loadFallback,
  packedLinearBytes,
  packLinear,
} from "../../lib/kernels/cpu/index.js";
import { joined } from "../../lib/kernels/cpu/program.js";
import { BUILDS, randomNumbers, readFrom } from "../support/kernels.js";

for (const build of BUILDS) {
  describe(`Steps that are joined, ${build} kernels`, () => {
    before(async () => {
      if (build === "js") await loadFallback();
    });

    it("do what they do one by one, those in JavaScript in their place", () => {
      const heap = createHeap({ build });
      const [m, n, k] = [5, 9, 70];
      const x = heap.put(randomNumbers(m * k, 1));
      const weight = heap.alloc(packedLinearBytes(n, k));
      packLinear(heap, { weight: heap.put(randomNumbers(n * k, 2)), n, k, to: weight });
      const first = linear(heap, { m, n, k, activation: { low: -3.5, high: 1e10 } });
      const workspace = heap.alloc(first.workspaceBytes);
      const indices = heap.alloc(m * 4);
      heap.i32.set([4, 0, 3, 3, 1], indices >>> 2);
      const pick = gather(heap, { count: m, rows: m, n });
      const last = elementwise(heap, {
        steps: [["add", 0, 1], ["sigmoid", 2]],
        shape: [m, n],
        strides: [[n, 1], [0, 1]],
      }); // prettier-ignore
      const [a, b, out] = [1, 2, 3].map(() => heap.alloc(m * n * 4)) as [number, number, number];
      const done: string[] = [];
      const steps = [
        { run: () => first.run({ x, weight, out: a, workspace }) },
        { run: () => pick.run({ table: a, indices, out: b }), onOneThread: true },
        { run: () => last.run({ inputs: [b, a], out }) },
        { run: () => void done.push("last"), onOneThread: true },
      ];
      const all = joined(heap, steps);
      expect(done).to.deep.equal([]);
      for (const seed of [3, 4]) {
        heap.f32.set(randomNumbers(m * k, seed), x >>> 2);
        for (const { run } of steps) run();
        const expected = readFrom(heap, out, m * n);
        heap.f32.fill(NaN, out >>> 2, (out >>> 2) + m * n);
        heap.alloc(3_000_000); // the memory grows
        for (const run of all) run();
        expect(readFrom(heap, out, m * n)).to.deep.equal(expected);
      }
      expect(done.length).to.equal(4);

      // So many that the rest is left as it is.
      const many = joined(heap, Array<(typeof steps)[0]>(700).fill(steps[2]!));
      expect(many.length).to.be.within(build === "js" ? 700 : 100, 700);
      heap.dispose();
    });
  });
}
