import { expect } from "chai";
import { NdArray, rand, randn, RandomState, seed } from "../../lib/reference/index.js";
import goldens from "../goldens/reference.json" with { type: "json" };
import { expectArray } from "./support.js";

describe("numpy's legacy random numbers", () => {
  for (const golden of goldens.rand) {
    it(`seed(${golden.seed}); rand(4, 5)`, () => {
      expectArray(new RandomState(golden.seed).rand(4, 5), golden.values);
    });
  }

  for (const golden of goldens.randn) {
    it(`seed(${golden.seed}); randn(3, 7)`, () => {
      expectArray(new RandomState(golden.seed).randn(3, 7), golden.values);
    });
  }

  it("go on for long", () => {
    const values = new RandomState(3).rand(5000).data.slice(-5);
    expectArray(new NdArray([5], values), goldens.randLate);

    const { seed: start, sum, tail } = goldens.randnMany;
    const normal = new RandomState(start).randn(20000).data;
    expectArray(new NdArray([20], normal.slice(-20)), tail);
    expect(normal.reduce((a, b) => a + b)).to.be.closeTo(sum, 1e-9);
  });

  it("mix: a normal number that was left over waits", () => {
    seed(9);
    const parts = [randn(3), rand(2), randn(2)].flatMap((part) => [...part.data]);
    expectArray(new NdArray([7], Float64Array.from(parts)), goldens.mixed);
  });

  it("start over with seed, which drops the number left over", () => {
    seed(1);
    const first = randn(3).toList();
    seed(1);
    expect(randn(3).toList()).to.deep.equal(first);
  });

  it("differ from state to state without a seed", () => {
    expect(new RandomState().rand(2).toList()).not.to.deep.equal(
      new RandomState().rand(2).toList(),
    );
  });

  it("refuse other seeds", () => {
    for (const bad of [-1, 2 ** 32, 1.5, NaN]) {
      expect(() => seed(bad)).to.throw(RangeError, "Seed must be between 0 and 2**32 - 1");
    }
  });

  it("refuse negative sizes", () => {
    expect(() => randn(2, -1)).to.throw(RangeError, "negative dimensions are not allowed");
  });
});
