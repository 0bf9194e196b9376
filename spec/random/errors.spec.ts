import { expect } from "chai";
import {
  bernoulli,
  init,
  normal,
  rand,
  randint,
  randperm,
  truncNormal,
  uniform,
} from "../../lib/random/index.js";
import goldens from "../goldens/random.json" with { type: "json" };

const { other } = goldens;

describe("Errors of random functions", () => {
  const cases: [string, () => unknown, string][] = [
    ["a negative size", () => rand(-1), "Trying to create tensor with negative dimension -1: [-1]"],
    ["a broken size", () => randperm(2.5), "must be an integer, but got 2.5"],
    [
      "from > to",
      () => uniform(3, { from: 1.5, to: -0.5 }),
      "uniform_ expects to return a [from, to) range, but found from=1.5 > to=-0.5",
    ],
    [
      "a range too wide",
      () => uniform(3, { from: -3e38, to: 3e38 }),
      "uniform_ expects to-from <= std::numeric_limits<Float>::max(), but found to=3e+38 and " +
        "from=-3e+38 which result in to-from to exceed the limit",
    ],
    ["to too great", () => uniform(3, { to: 1e39 }), "to is out of bounds for float"],
    ["from NaN", () => uniform(3, { from: NaN }), "from is out of bounds for float"],
    ["std < 0", () => normal(3, { std: -1 }), "normal expects std >= 0.0, but found std -1"],
    ["std NaN", () => normal(3, { std: NaN }), "normal expects std >= 0.0, but found std nan"],
    ["p > 1", () => bernoulli(3, 1.5), "bernoulli_ expects p to be in [0, 1], but got p=1.5"],
    [
      "low = high",
      () => randint(3, 5, 5),
      "random_ expects 'from' to be less than 'to', but got from=5 >= to=5",
    ],
    ["low no integer", () => randint(3, 0.5, 5), "must be safe integers, got 0.5 and 5"],
    ["std = 0", () => truncNormal(3, { std: 0 }), "float division by zero"],
    ["a > b", () => truncNormal(3, { a: 2, b: -2 }), "but found from=2 > to=-2"],
    [
      "a vector",
      () => init.xavierUniform([3]),
      "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions",
    ],
    [
      "a mode",
      () => init.kaimingNormal([3, 3], { mode: "fan" as "fan_in" }),
      "Mode fan not supported, please use one of ['fan_in', 'fan_out']",
    ],
    [
      "a nonlinearity",
      () => init.calculateGain("toString" as "relu"),
      "Unsupported nonlinearity toString",
    ],
    [
      "a slope",
      () => init.calculateGain("leaky_relu", "x" as unknown as number),
      "negative_slope x not a valid number",
    ],
    ["eye of 3-d", () => init.eye([1, 2, 3]), "Only tensors with 2 dimensions are supported"],
    ["sparse of 1-d", () => init.sparse([3], 0.1), "Only tensors with 2 dimensions are supported"],
    [
      "dirac of 2-d",
      () => init.dirac([3, 3]),
      "Only tensors with 3, 4, or 5 dimensions are supported",
    ],
    [
      "dirac groups",
      () => init.dirac([3, 3, 3], { groups: 2 }),
      "dim 0 must be divisible by groups",
    ],
    [
      "orthogonal of 1-d",
      () => init.orthogonal([3]),
      "Only tensors with 2 or more dimensions are supported",
    ],
  ];
  for (const [title, call, message] of cases) {
    it(title, () => {
      expect(call).to.throw(message);
    });
  }
});

describe("torch.nn.init", () => {
  it("has PyTorch's gains", () => {
    for (const [name, gain] of Object.entries(other.gains)) {
      expect(init.calculateGain(name as init.Nonlinearity), name).to.equal(gain);
    }
    for (const [slope, gain] of Object.entries(other.leakyGains)) {
      expect(init.calculateGain("leaky_relu", Number(slope))).to.equal(gain);
    }
  });

  it("does nothing to no elements", () => {
    expect(init.kaimingUniform([0]).length).to.equal(0);
    expect(init.kaimingNormal([3, 0]).length).to.equal(0);
    expect(init.orthogonal([0, 3]).length).to.equal(0);
  });
});
