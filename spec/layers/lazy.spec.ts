import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend, type Tolerance } from "../support/backends.js";
import { expectNoLeak, expectTensor } from "../support/expect.js";
import { type GoldenConstruct, type GoldenValue, readGoldens } from "../support/goldens.js";
import { ModuleCases } from "../support/module-cases.js";

type Tensors = Record<string, { $tensor: string }>;

interface Case extends GoldenConstruct {
  id: string;
  seed: number;
  before: string;
  after: string;
  keys: string[];
  input: GoldenValue;
  fresh: Tensors;
  state: Tensors;
  output: GoldenValue;
}

const goldens = await readGoldens<Case>("goldens/lazy");
const classes = nn as unknown as Record<string, () => void>;

function run(golden: Case, tolerance: Tolerance, loadFirst: boolean): void {
  const cases = new ModuleCases(goldens);
  nn.manualSeed(golden.seed);
  const model = cases.construct(golden);
  expect(String(model)).to.equal(golden.before);
  expect([...model.stateDict().keys()]).to.deep.equal(golden.keys);
  const x = cases.decode(golden.input);
  const state = new Map(
    Object.entries(golden.state).map(([key, value]) => [key, cases.decode(value) as tf.Tensor]),
  );

  const call = (): void => {
    (model(x) as tf.Tensor).dispose();
    expect(String(model)).to.equal(golden.after);
    expect(model.constructor).to.equal(classes[golden.module.replace("Lazy", "")]);
  };
  if (!loadFirst) {
    call();
    for (const [key, { $tensor }] of Object.entries(golden.fresh)) {
      const want = goldens.tensor($tensor);
      expectTensor(model.stateDict().get(key)!, want, { rtol: 0, atol: 0 }, key);
    }
  }
  model.loadStateDict(state);
  if (loadFirst) call();
  expectNoLeak(() => {
    const y: unknown = model(x);
    cases.expectOutput(y, golden.output, tolerance);
    tf.dispose(y as tf.Tensor);
  });
  expect([...model.stateDict().keys()]).to.deep.equal(golden.keys);
  model.dispose();
  cases.dispose();
}

onEveryBackend("Lazy modules as PyTorch", (_backend, tolerance) => {
  for (const golden of goldens.cases) {
    it(`${golden.id} called`, () => expectNoLeak(() => run(golden, tolerance, false)));
    it(`${golden.id} loaded`, () => expectNoLeak(() => run(golden, tolerance, true)));
  }
});

describe("A lazy module", () => {
  before(() => nn.setBackend("cpu"));

  const noShape = "Can't access the shape of an uninitialized parameter or buffer.";

  it("has parameters without a shape, which nothing can be done with", () => {
    const model = new nn.LazyLinear(2);
    const { weight } = model;
    expect(weight).to.be.instanceOf(nn.UninitializedParameter);
    expect(new nn.Linear(1, 1).weight).not.to.be.instanceOf(nn.UninitializedParameter);
    expect(String(weight)).to.equal("<UninitializedParameter>");
    expect(() => weight.shape).to.throw(noShape);
    expect(() => tf.add(weight, 1)).to.throw(noShape);
    expect(() => new nn.Linear(3, 2).loadStateDict(model.stateDict())).to.throw(noShape);
    model(tf.ones([1, 3])).dispose();
    expect(model.weight).to.equal(weight);
    expect(weight).not.to.be.instanceOf(nn.UninitializedParameter);
    expect(weight.shape).to.deep.equal([2, 3]);
    expect(weight.size).to.equal(6);
  });

  it("may be copied before and after, each for itself", () => {
    const model = new nn.Sequential(new nn.LazyLinear(2), new nn.LazyBatchNorm1d());
    const copy = nn.deepcopy(model);
    model(tf.ones([1, 3])).dispose();
    expect(String(copy[0])).to.equal("LazyLinear(in_features=0, out_features=2, bias=True)");
    copy(tf.ones([1, 5])).dispose();
    expect(String(copy[0])).to.equal("Linear(in_features=5, out_features=2, bias=True)");
    expect(String(model[0])).to.equal("Linear(in_features=3, out_features=2, bias=True)");
  });

  it("loads a part, and takes the rest at the first call", () => {
    const model = new nn.LazyConv1d(2, 1);
    const weight = tf.ones([2, 3, 1]);
    model.loadStateDict({ weight }, { strict: false });
    expect(String(model)).to.match(/^LazyConv1d\(0, 2/);
    model(tf.ones([3, 4])).dispose();
    expect(String(model)).to.equal("Conv1d(3, 2, kernel_size=(1,), stride=(1,))");
  });

  it("says what is wrong, and stays lazy", () => {
    const check = (model: nn.Module, shape: number[], message: string): void => {
      const before = String(model);
      expect(() => void model(tf.ones(shape))).to.throw(message);
      expect(String(model)).to.equal(before);
    };
    check(
      new nn.LazyConv2d(8, 3),
      [3, 3],
      "Expected 3D (unbatched) or 4D (batched) input to LazyConv2d, but got input of size: " +
        "torch.Size([3, 3])",
    );
    check(
      new nn.LazyConv2d(6, 3, { groups: 3 }),
      [1, 4, 5, 5],
      "in_channels must be divisible by groups, got 4 and 3",
    );
    check(new nn.LazyBatchNorm2d(), [2, 3], "expected 4D input (got 2D input)");
    const loaded = new nn.LazyLinear(5);
    loaded.loadStateDict(new nn.Linear(3, 5).stateDict());
    check(
      loaded,
      [2, 4],
      "The in_features inferred from input: 4 is not equal to in_features from self.weight: 3",
    );
    expect(() => loaded.loadStateDict({ weight: tf.ones([4, 3]), bias: tf.ones([4]) })).to.throw(
      "size mismatch for weight",
    );
  });
});
