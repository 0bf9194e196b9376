import { expect } from "chai";
import {
  defaultGenerator,
  Generator,
  initialSeed,
  manualSeed,
  rand,
  randn,
  seed,
} from "../../lib/random/index.js";
import goldens from "../goldens/random.json" with { type: "json" };
import { bitsOf, fnv1a } from "./support.js";

const { other } = goldens;

describe("Generator", () => {
  it("starts from PyTorch's default seed", () => {
    const generator = new Generator();
    expect(generator.initialSeed()).to.equal(BigInt(other.initialSeed));
    expect([...bitsOf(rand(4, { generator }))]).to.deep.equal(other.freshRand);
  });

  it("takes numbers and bigints, and wraps negative seeds", () => {
    for (const [given, want] of Object.entries(other.initialSeeds)) {
      expect(new Generator().manualSeed(BigInt(given)).initialSeed()).to.equal(BigInt(want));
    }
    expect(new Generator().manualSeed(-2).random()).to.equal(
      new Generator().manualSeed(2n ** 64n - 2n).random(),
    );
  });

  it("refuses what is no 64-bit integer", () => {
    const generator = new Generator();
    for (const bad of [1.5, NaN, Infinity, "1", undefined, null]) {
      expect(() => generator.manualSeed(bad as number)).to.throw(
        TypeError,
        "manual_seed expected a long, but got",
      );
    }
    for (const bad of [2n ** 64n, -(2n ** 63n) - 1n, 1e30]) {
      expect(() => generator.manualSeed(bad)).to.throw(RangeError, "Overflow when unpacking");
    }
  });

  it("has the state bytes of torch.Generator.get_state()", () => {
    expect(fnv1a(new Generator().getState())).to.equal(other.freshState);

    const full = new Generator().manualSeed(7);
    rand(624, { generator: full });
    expect(fnv1a(full.getState())).to.equal(other.fullState);

    const odd = new Generator().manualSeed(7);
    randn(701 * 16, { generator: odd });
    randn(1, { generator: odd });
    expect(fnv1a(odd.getState())).to.equal(other.state);
  });

  it("continues from a state, waiting normal sample included", () => {
    const generator = new Generator().manualSeed(3);
    randn(3, { generator });
    const state = generator.getState();
    const want = randn(5, { generator });
    const other = new Generator().setState(state);
    expect(randn(5, { generator: other })).to.deep.equal(want);
    expect(other.initialSeed()).to.equal(3n);
  });

  it("refuses bytes that are no state", () => {
    const generator = new Generator();
    expect(() => generator.setState(new Uint8Array(10))).to.throw(
      RangeError,
      "Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be 10",
    );
    expect(() => generator.setState(new Uint8Array(5056))).to.throw("Invalid mt19937 state");
    expect(generator.random()).to.equal(new Generator().random());
  });

  it("manualSeed drops the waiting normal sample", () => {
    const generator = new Generator().manualSeed(1);
    const want = randn(1, { generator });
    generator.manualSeed(1);
    expect(randn(1, { generator })).to.deep.equal(want);
  });

  it("has one default generator, which manualSeed and seed reseed", () => {
    expect(manualSeed(5)).to.equal(defaultGenerator);
    expect(initialSeed()).to.equal(5n);
    const first = seed();
    expect(initialSeed()).to.equal(first);
    expect(seed()).not.to.equal(first);
  });

  it("draws from the generator that is given, and only from it", () => {
    manualSeed(1);
    const want = rand(4);
    manualSeed(1);
    const generator = new Generator();
    randn(20, { generator });
    expect(rand(4)).to.deep.equal(want);
  });
});
