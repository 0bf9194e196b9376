import { expect } from "chai";
import * as random from "../../lib/random/index.js";
import goldens from "../goldens/random.json" with { type: "json" };
import { bitsOf, fnv1a } from "./support.js";

interface Case {
  call: string;
  args: unknown[];
  seed: string;
  bits?: number[];
  hash?: number;
  integers?: number[];
  close?: number[];
  next: number;
}

type Values = Float32Array | Float64Array | Int32Array;

function concat(parts: Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/** What needs more than one call. */
const SEQUENCES: Record<string, (...args: never[]) => Values> = {
  randnSequence: (sizes: number[]) => concat(sizes.map((n) => random.randn(n))),
  layer: (shape: number[], outputs: number) => {
    const [fanIn] = random.init.calculateFanInAndFanOut(shape);
    const bound = 1 / Math.sqrt(fanIn);
    const weight = random.init.kaimingUniform(shape, { a: Math.sqrt(5) });
    return concat([weight, random.init.uniform([outputs], { a: -bound, b: bound })]);
  },
};

function run({ call, args }: Case): Values {
  const [name, initialiser] = call.split(".");
  const functions = (name === "init" ? random.init : { ...random, ...SEQUENCES }) as unknown;
  const table = functions as Record<string, (...args: unknown[]) => Values>;
  return table[initialiser ?? name!]!(...args);
}

function check(values: Values, want: Case): void {
  const words = values instanceof Float32Array ? bitsOf(values) : values;
  if (want.bits) expect([...words]).to.deep.equal(want.bits);
  else if (want.integers) expect([...words]).to.deep.equal(want.integers);
  else if (want.close) {
    expect(values.length).to.equal(want.close.length);
    values.forEach((value, i) => expect(value).to.be.closeTo(want.close![i]!, 1e-5));
  } else expect(fnv1a(words)).to.equal(want.hash);
}

describe("PyTorch's random numbers", () => {
  for (const golden of goldens.cases as Case[]) {
    const args = golden.args.map((arg) => JSON.stringify(arg)).join(", ");
    it(`manualSeed(${golden.seed}); ${golden.call}(${args})`, () => {
      random.manualSeed(BigInt(golden.seed));
      check(run(golden), golden);
      expect(bitsOf(random.rand(1))[0], "the generator's next number").to.equal(golden.next);
    });
  }
});
