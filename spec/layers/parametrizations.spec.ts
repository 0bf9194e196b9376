import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend, type Tolerance } from "../support/backends.js";
import { expectNoLeak, expectTensor } from "../support/expect.js";
import { type GoldenConstruct, type GoldenValue } from "../support/goldens.js";
import { readGoldens } from "../support/goldens.js";
import { ModuleCases } from "../support/module-cases.js";

type Style = "weightNorm" | "spectralNorm";
type Tensors = Record<string, { $tensor: string }>;

interface Case extends GoldenConstruct {
  id: string;
  style: Style | `parametrizations.${Style}`;
  training: boolean;
  norm: Record<string, GoldenValue>;
  repr: string;
  keys: string[];
  state: Tensors;
  inputs: GoldenValue[];
  output: GoldenValue;
  after: Tensors;
  removed: { repr: string; keys: string[]; weight: { $tensor: string } };
}

const { parametrizations, parametrize } = nn.utils;
const goldens = await readGoldens<Case>("goldens/parametrizations");

function apply(style: Case["style"], module: nn.Module, options: object): nn.Module {
  const [form, name] = style.split(".") as [Style, Style | undefined];
  return name ? parametrizations[name](module, options) : nn.utils[form](module, options);
}

function remove(style: Case["style"], module: nn.Module, name: string): void {
  if (style === "weightNorm") nn.utils.removeWeightNorm(module, { name });
  else if (style === "spectralNorm") nn.utils.removeSpectralNorm(module, { name });
  else parametrize.removeParametrizations(module, name);
}

const weightOf = (module: nn.Module, name: string): tf.Tensor =>
  (module as unknown as Record<string, tf.Tensor>)[name]!;

function run(golden: Case, tolerance: Tolerance): void {
  const cases = new ModuleCases(goldens);
  const [options = {}] = cases.options(golden.norm);
  const name = (options.name ?? "weight") as string;
  const plain = cases.construct(golden);
  const type = plain.constructor;
  const model = apply(golden.style, plain, options).train(golden.training);
  expect(model, "the very module").to.equal(plain);
  expect([...model.stateDict().keys()], "keys").to.deep.equal(golden.keys);
  const state = Object.entries(golden.state).map(
    ([key, tensor]) => [key, cases.decode(tensor) as tf.Tensor] as const,
  );
  model.loadStateDict(new Map(state));
  expect(String(model)).to.equal(golden.repr);

  const inputs = golden.inputs.map((input) => cases.decode(input));
  expectNoLeak(() => {
    const output: unknown = model(...inputs);
    cases.expectOutput(output, golden.output, tolerance);
    tf.dispose(output as tf.TensorContainer);
  });
  for (const [key, { $tensor }] of Object.entries(golden.after)) {
    expectTensor(model.stateDict().get(key)!, goldens.tensor($tensor), tolerance, key);
  }

  remove(golden.style, model.eval(), name);
  expect([...model.stateDict().keys()], "keys without").to.deep.equal(golden.removed.keys);
  expect(String(model)).to.equal(golden.removed.repr);
  expect(model.constructor).to.equal(type);
  const want = goldens.tensor(golden.removed.weight.$tensor);
  expectTensor(weightOf(model, name), want, tolerance, "weight without");
  expect(weightOf(model, name)).to.be.instanceOf(nn.Parameter);
  model.dispose();
  cases.dispose();
}

onEveryBackend("Parametrizations as PyTorch", (_backend, tolerance) => {
  for (const golden of goldens.cases) {
    it(golden.id, () => expectNoLeak(() => run(golden, tolerance)));
  }
});

describe("A parametrized module", () => {
  before(() => nn.setBackend("cpu"));

  it("loads a checkpoint with the older keys of weight norm", () => {
    nn.manualSeed(0);
    const old = new nn.Sequential(nn.utils.weightNorm(new nn.Linear(3, 2)));
    const fresh = new nn.Sequential(parametrizations.weightNorm(new nn.Linear(3, 2)));
    fresh.loadStateDict(old.stateDict());
    const x = tf.ones([1, 3]);
    const [a, b] = [old(x), fresh(x)];
    expect(Array.from(a.dataSync())).to.deep.equal(Array.from(b.dataSync()));
    expect(() => old.loadStateDict(fresh.stateDict())).to.throw(
      'Missing key(s) in state_dict: "0.weight_g", "0.weight_v"',
    );
    old.dispose();
    fresh.dispose();
    tf.dispose([a, b, x]);
  });

  it("is of its class, under a name of its own, and may be copied", () => {
    const model = parametrizations.weightNorm(new nn.Linear(2, 2));
    parametrizations.spectralNorm(model);
    expect(model).to.be.instanceOf(nn.Linear);
    expect(model.constructor.name).to.equal("ParametrizedLinear");
    expect([...model.stateDict().keys()]).to.deep.equal([
      "bias",
      "parametrizations.weight.original0",
      "parametrizations.weight.original1",
      "parametrizations.weight.1._u",
      "parametrizations.weight.1._v",
    ]);
    const copy = nn.deepcopy(model);
    const x = tf.ones([1, 2]);
    const before = model(x);
    model.dispose();
    const after = copy(x);
    expect(Array.from(after.dataSync())).to.deep.equal(Array.from(before.dataSync()));
    tf.dispose([x, before, after]);
    copy.dispose();
  });

  it("takes a weight, from which it tells what that is made of", () => {
    const model = parametrizations.weightNorm(new nn.Linear(2, 1, { bias: false }));
    const weight = tf.tensor2d([[3, 4]]);
    expectNoLeak(() => Object.assign(model, { weight }));
    expect(
      Array.from(model.stateDict().get("parametrizations.weight.original0")!.dataSync()),
    ).to.deep.equal([5]);
    weight.dispose();
    model.dispose();
  });

  it("is built inside nn.meta without values, and filled", () => {
    for (const style of ["weightNorm", "parametrizations.weightNorm"] as const) {
      const full = apply(style, new nn.Conv1d(2, 3, 3), { dim: 1 });
      const model = nn.meta(() => apply(style, new nn.Conv1d(2, 3, 3), { dim: 1 }));
      const shapes = (module: nn.Module) =>
        [...module.stateDict()].map(([key, { shape }]) => [key, shape]);
      expect(shapes(model)).to.deep.equal(shapes(full));
      model.loadStateDict(full.stateDict());
      const x = tf.ones([2, 5]);
      const [a, b] = [full(x) as tf.Tensor, model(x) as tf.Tensor];
      expect(Array.from(b.dataSync())).to.deep.equal(Array.from(a.dataSync()));
      tf.dispose([x, a, b]);
      full.dispose();
      model.dispose();
    }
  });

  class Symmetric extends nn.Module {
    override forward(x: tf.Tensor): tf.Tensor {
      return tf.add(x, tf.transpose(x));
    }
  }

  it("may have several inside nn.meta", () => {
    const build = () => {
      const model = new nn.Linear(2, 2, { bias: false });
      parametrize.registerParametrization(model, "weight", new Symmetric());
      return parametrize.registerParametrization(model, "weight", new Symmetric());
    };
    const [full, model] = [build(), nn.meta(build)];
    model.loadStateDict(full.stateDict());
    const [a, b] = [full.weight as tf.Tensor, model.weight as tf.Tensor];
    expect(Array.from(b.dataSync())).to.deep.equal(Array.from(a.dataSync()));
    tf.dispose([a, b]);
    full.dispose();
    model.dispose();
  });

  it("takes parametrizations of one's own", () => {
    class Cut extends nn.Module {
      override forward(x: tf.Tensor): tf.Tensor {
        return tf.slice(x, 0, 1);
      }
    }
    const model = new nn.Linear(2, 2, { bias: false });
    const original = model.weight;
    original.fill(Float32Array.of(1, 2, 3, 4));
    parametrize.registerParametrization(model, "weight", new Symmetric());
    expect(parametrize.isParametrized(model)).to.equal(true);
    expect(parametrize.isParametrized(model, "bias")).to.equal(false);
    expect(() => Object.assign(model, { weight: original })).to.throw(
      "parametrization Symmetric does not implement right_inverse.",
    );
    expect(() => parametrize.registerParametrization(model, "weight", new Cut())).to.throw(
      "may not change shape or dtype of the tensor",
    );
    const weight = model.weight as tf.Tensor;
    expect(Array.from(weight.dataSync())).to.deep.equal([2, 5, 5, 8]);
    weight.dispose();
    parametrize.removeParametrizations(model, "weight", { leaveParametrized: false });
    expect(model.weight).to.equal(original);
    expect(Array.from(original.dataSync())).to.deep.equal([1, 2, 3, 4]);
    model.dispose();
  });

  it("says what is wrong", () => {
    const model = nn.utils.weightNorm(new nn.Linear(2, 2));
    expect(() => nn.utils.weightNorm(model)).to.throw(
      "Cannot register two weight_norm hooks on the same parameter weight",
    );
    expect(() => nn.utils.spectralNorm(model)).to.throw("has no parameter 'weight'");
    expect(() => nn.utils.removeSpectralNorm(model)).to.throw(
      "spectral_norm of 'weight' not found in Linear(in_features=2, out_features=2, bias=True)",
    );
    expect(() => parametrizations.weightNorm(model, { name: "wait" })).to.throw(
      "Module 'Linear' has no parameter or buffer with name 'wait'",
    );
    expect(() => parametrizations.spectralNorm(new nn.Linear(2, 2), { dim: 2 })).to.throw(
      "Dimension out of range (expected to be in range of [-2, 1] but got 2)",
    );
    expect(() => nn.utils.spectralNorm(new nn.Linear(2, 2), { nPowerIterations: 0 })).to.throw(
      "Expected n_power_iterations to be positive, but got n_power_iterations=0",
    );
    expect(() => parametrize.removeParametrizations(model, "weight")).to.throw(
      "does not have a parametrization on weight",
    );
    model.dispose();
  });
});
