import { expect } from "chai";
import { findStateDict } from "../../lib/checkpoint/state-dict.js";
import { LazyTensor } from "../../lib/checkpoint/tensor.js";

const storage = {
  dtype: "float32" as const,
  nbytes: 4,
  read: () => Promise.resolve(new Uint8Array(4)),
};
const tensor = new LazyTensor(storage, { dtype: "float32", shape: [1], stride: [1], offset: 0 });
const dict = (items: object): Map<string, unknown> => new Map(Object.entries(items));

const model = dict({ weight: tensor, bias: tensor });
const optimizer = dict({
  state: new Map([[0, dict({ exp_avg: tensor, exp_avg_sq: tensor })]]),
  param_groups: [],
});

describe("A state_dict in what somebody saved", () => {
  it("is found beside optimizers of any name", () => {
    const found = findStateDict(dict({ generator: model, g_adam: optimizer }), undefined);
    expect([...found.keys()]).to.deep.equal(["weight", "bias"]);
  });

  it("is listed where there are several, without the optimizers", () => {
    const saved = dict({ generator: model, discriminator: model, adam: optimizer, sgd: optimizer });
    const other = dict({ ...Object.fromEntries(saved), discriminator: new Map(model) });
    expect(() => findStateDict(other, undefined)).to.throw(
      "holds several models; choose one by the option key:\n" +
        '  { key: "generator" }: 2 keys (weight, bias)\n' +
        '  { key: "discriminator" }: 2 keys (weight, bias)',
    );
  });

  it("is none of a number or an object", () => {
    const saved = dict({ epoch: 3, args: null, name: "x" });
    expect(() => findStateDict(saved, "epoch")).to.throw(
      "there are no tensors under 'epoch'; it is a number",
    );
    expect(() => findStateDict(saved, undefined)).to.throw(
      "holds no state_dict; it has 'epoch' (a number), 'args' (None), 'name' (a string)",
    );
  });

  it("has every tensor, whatever its key", () => {
    const keys = ["", "a b", 3, 2n ** 60n, true, false, null];
    const found = findStateDict(new Map(keys.map((key) => [key, tensor])), undefined);
    const names = ["", "a b", "3", "1152921504606846976", "True", "False", "None"];
    expect([...found.keys()]).to.deep.equal(names);
    const nested = findStateDict(new Map([["", dict({ "": tensor, b: tensor })]]), undefined);
    expect([...nested.keys()]).to.deep.equal(["", "b"]);
  });
});
