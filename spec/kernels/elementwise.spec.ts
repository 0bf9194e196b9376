import { expect } from "chai";
import {
  elementwise,
  type ElementwiseStep,
  type Heap,
  stepsOf,
} from "../../lib/kernels/cpu/index.js";
import { expectClose } from "../support/expect.js";
import { fc } from "../support/fast-check.js";
import { onEveryBuild, randomNumbers, withBlocks } from "../support/kernels.js";

/** A chain of one input. */
function apply(heap: Heap, steps: readonly ElementwiseStep[], x: ArrayLike<number>): Float32Array {
  return withBlocks(heap, (blocks) => {
    const out = blocks.out(x.length);
    const kernel = elementwise(heap, { steps, shape: [x.length], strides: [[1]] });
    kernel.run({ inputs: [blocks.put(x)], out });
    return blocks.read(out);
  });
}

const EDGES = [
  0, -0, 1, -1, 0.5, -0.5, 0.3, -0.3, 1e-4, -1e-4, 1e-20, 1e-40, -1e-40, 3, -3, 10, -10, 88.5, 89.5,
  -87.5, -100, -104, 1000, -1000, 1e30, -1e30, 3e38, -3e38, Infinity, -Infinity, NaN,
]; // prettier-ignore

const f = Math.fround;
const erfOf = (x: number): number => {
  // Simpson's rule: another way than the kernels'.
  if (!(Math.abs(x) < 6)) return Math.sign(x);
  const [end, n] = [Math.abs(x), 400];
  const at = (i: number): number => Math.exp(-((((end * i) / n) * end * i) / n));
  let sum = at(0) + at(n);
  for (let i = 1; i < n; i += 1) sum += at(i) * (i % 2 ? 4 : 2);
  return ((Math.sign(x) * 2) / Math.sqrt(Math.PI)) * ((sum * end) / n / 3);
};

const UNARY: Record<string, (x: number) => number> = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  tanh: Math.tanh,
  erf: erfOf,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
  sin: Math.sin,
  cos: Math.cos,
  floor: Math.floor,
  ceil: Math.ceil,
  abs: Math.abs,
  neg: (x) => -x,
  relu: (x) => (x < 0 ? 0 : x),
  sign: (x) => (x > 0 ? 1 : x < 0 ? -1 : 0),
  isNaN: (x) => Number(Number.isNaN(x)),
  not: (x) => Number(x === 0),
  square: (x) => x * x,
};

onEveryBuild("elementwise", (heap) => {
  for (const [name, reference] of Object.entries(UNARY)) {
    it(`${name} is right from end to end`, () => {
      const spread = randomNumbers(500, 7).map((x) => x * 2 ** (Math.abs(x * 1000) % 7));
      const x = Float32Array.from([...EDGES, ...spread]);
      const got = apply(heap(), [[name as "exp", 0]], x);
      const want = x.map((value) => f(reference(value)));
      // -0 and 0 are the same here.
      expectClose(
        got.map((v) => v + 0),
        want.map((v) => v + 0),
        { rtol: 1e-6, atol: name === "exp" ? 1.5e-45 : 2e-38 },
      );
    });
  }

  it("keeps tanh and erf between -1 and 1, which they reach", () => {
    const x = Float32Array.from({ length: 60_000 }, (_, i) => 3.4 + i / 1e4);
    for (const [op, end] of [["tanh", 9.1], ["erf", 4.1]] as const) {
      const got = apply(heap(), [[op, 0]], x);
      expect(Math.max(...got), op).to.equal(1);
      expect(Math.min(...got.filter((_, i) => x[i]! > end)), op).to.equal(1);
      const negative = apply(heap(), [["neg", 0], [op, 1]], x);
      expect(negative, op).to.deep.equal(got.map((v) => -v));
    }
  }); // prettier-ignore

  it("has PyTorch's activations", () => {
    const x = Float32Array.from([...EDGES, ...randomNumbers(200).map((v) => v * 5)]);
    const geluTanh = (v: number): number =>
      0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v)));
    const want: [name: string, reference: (v: number) => number, options?: object][] = [
      ["silu", (v) => v / (1 + Math.exp(-v))],
      ["gelu", (v) => v * 0.5 * (1 + erfOf(v * Math.SQRT1_2))],
      ["gelu", geluTanh, { approximate: "tanh" }],
      ["leaky_relu", (v) => (v > 0 ? v : 0.01 * v)],
    ];
    for (const [name, reference, options] of want) {
      const steps = stepsOf(name, { ...options });
      const expected = x.map((v) => f(reference(v)));
      expectClose(apply(heap(), steps, x), expected, { rtol: 2e-6, atol: 1e-6 }, name);
    }
  });

  it("compares, chooses and combines", () => {
    const a = [1, 2, NaN, 0, -1, Infinity, 5];
    const b = [1, 3, 1, NaN, -2, Infinity, 0];
    const run = (op: ElementwiseStep[0]): number[] =>
      withBlocks(heap(), (blocks) => {
        const out = blocks.out(7);
        const steps = [[op, 0, 1] as unknown as ElementwiseStep];
        const kernel = elementwise(heap(), { steps, shape: [7], strides: [[1], [1]] });
        kernel.run({ inputs: [blocks.put(a), blocks.put(b)], out });
        return [...blocks.read(out)];
      });
    expect(run("eq")).to.deep.equal([1, 0, 0, 0, 0, 1, 0]);
    expect(run("ne")).to.deep.equal([0, 1, 1, 1, 1, 0, 1]);
    expect(run("lt")).to.deep.equal([0, 1, 0, 0, 0, 0, 0]);
    expect(run("ge")).to.deep.equal([1, 0, 0, 0, 1, 1, 1]);
    expect(run("and")).to.deep.equal([1, 1, 1, 0, 1, 1, 0]);
    expect(run("or")).to.deep.equal([1, 1, 1, 1, 1, 1, 1]);
    expect(run("max")).to.deep.equal([1, 3, NaN, NaN, -1, Infinity, 5]);
    expect(run("min")).to.deep.equal([1, 2, NaN, NaN, -2, Infinity, 0]);
    expect(run("pow")).to.deep.equal([1, 8, NaN, NaN, 1, Infinity, 1]);
  });

  it("computes with integers, which go round where they overflow", () => {
    const a = [1, -2, 2147483647, -2147483648, 16777217, 0, -1];
    const b = [1, 3, 1, -1, 16777216, -2147483648, 65537];
    const run = (op: string, isTruth: boolean): number[] =>
      withBlocks(heap(), (blocks) => {
        const [x, y, out] = [blocks.scratch(28), blocks.scratch(28), blocks.out(7)];
        heap().i32.set(a, x >> 2);
        heap().i32.set(b, y >> 2);
        const operands = /neg|abs|float/.test(op) ? [0] : [0, 1];
        const steps = [[op, ...operands] as unknown as ElementwiseStep];
        const strides = [[1], [1]];
        elementwise(heap(), { steps, shape: [7], strides }).run({ inputs: [x, y], out });
        return [...(isTruth ? heap().f32 : heap().i32).subarray(out >> 2, (out >> 2) + 7)];
      });
    const each = (of: (x: number, y: number) => number): number[] => a.map((x, i) => of(x, b[i]!));
    expect(run("add int", false)).to.deep.equal(each((x, y) => (x + y) | 0));
    expect(run("sub int", false)).to.deep.equal(each((x, y) => (x - y) | 0));
    expect(run("mul int", false)).to.deep.equal(each(Math.imul));
    expect(run("min int", false)).to.deep.equal(each(Math.min));
    expect(run("max int", false)).to.deep.equal(each(Math.max));
    expect(run("neg int", false)).to.deep.equal(each((x) => -x | 0));
    expect(run("abs int", false)).to.deep.equal(each((x) => Math.abs(x) | 0));
    expect(run("eq int", true)).to.deep.equal(each((x, y) => Number(x === y)));
    expect(run("ne int", true)).to.deep.equal(each((x, y) => Number(x !== y)));
    expect(run("lt int", true)).to.deep.equal(each((x, y) => Number(x < y)));
    expect(run("le int", true)).to.deep.equal(each((x, y) => Number(x <= y)));
    expect(run("gt int", true)).to.deep.equal(each((x, y) => Number(x > y)));
    expect(run("ge int", true)).to.deep.equal(each((x, y) => Number(x >= y)));
    expect(run("float", true)).to.deep.equal(each((x) => f(x)));
  });

  it("broadcasts and walks strides, whole or in parts", () => {
    const dims = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 0, maxLength: 4 });
    const kinds = fc.array(fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), {
      minLength: 3,
      maxLength: 3,
    });
    const turned = fc.boolean();
    fc.assert(
      fc.property(
        dims,
        kinds,
        turned,
        fc.integer({ min: 1, max: 3 }),
        (shape, kept, turn, parts) => {
          const count = shape.reduce((a, b) => a * b, 1);
          const strides = kept.map((keep, k) => {
            let step = 1;
            const stride = shape.map(() => 0);
            const order = shape.map((_, dim) => dim);
            if (!(turn && k === 0)) order.reverse();
            for (const dim of order) {
              if (!keep[dim]) continue;
              stride[dim] = step;
              step *= shape[dim]!;
            }
            return stride;
          });
          const inputs = strides.map((_, k) => randomNumbers(count, k + 1));
          const want = Array.from({ length: count }, (_, index) => {
            const values = strides.map((stride, k) => {
              let [rest, at] = [index, 0];
              for (let dim = shape.length - 1; dim >= 0; dim -= 1) {
                at += (rest % shape[dim]!) * stride[dim]!;
                rest = Math.floor(rest / shape[dim]!);
              }
              return inputs[k]![at]!;
            });
            return values[0]! * values[1]! + values[2]! * 0.25;
          });
          const steps: ElementwiseStep[] = [["mul", 0, 1], ["constant", 0.25], ["mul", 2, 4], ["add", 3, 5]]; // prettier-ignore
          withBlocks(heap(), (blocks) => {
            const out = blocks.out(count);
            const kernel = elementwise(heap(), { steps, shape, strides });
            const pointers = { inputs: inputs.map((values) => blocks.put(values)), out };
            for (let part = 0; part < parts; part += 1) kernel.run(pointers, part, parts);
            expectClose(blocks.read(out), want, { rtol: 1e-6, atol: 1e-6 });
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it("tells 0 from -0 in what it compiles", () => {
    for (const [zero, all] of [
      [0, [Infinity, -Infinity]],
      [-0, [-Infinity, Infinity]],
    ] as const) {
      const over: ElementwiseStep[] = [
        ["constant", zero],
        ["div", 0, 1],
      ];
      expect(Array.from(apply(heap(), over, [1, -1])), `over ${zero}`).to.deep.equal(all);
    }
  });

  it("does nothing for nothing", () => {
    expect(apply(heap(), [["exp", 0]], [])).to.have.length(0);
  });
});
