import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { Entry } from "../../lib/checkpoint/entry.js";
import * as nn from "../../lib/index.js";

class Net extends nn.Module {
  readonly fc = new nn.Linear(2, 1);
  override forward(x: tf.Tensor): tf.Tensor {
    return this.fc(x);
  }
}

const prefixed = (prefix: string): Map<string, tf.Tensor> =>
  new Map([
    [`${prefix}fc.weight`, tf.ones([1, 2])],
    [`${prefix}fc.bias`, tf.ones([1])],
  ]);

const messageOf = (state: Map<string, tf.Tensor>): string => {
  try {
    new Net().loadStateDict(state);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

describe("A checkpoint whose keys have a wrapper's prefix", () => {
  for (const prefix of ["module.", "_orig_mod.", "net.", "module._orig_mod."]) {
    it(`${prefix} is told, after PyTorch's own words, with the call that strips it`, () => {
      const [title, missing, unexpected, hint, ...rest] = messageOf(prefixed(prefix)).split("\n\t");
      expect(title).to.match(/^Error\(s\) in loading state_dict for \w+:$/);
      expect(missing).to.equal(`Missing key(s) in state_dict: "fc.weight", "fc.bias". `);
      expect(unexpected).to.match(/^Unexpected key\(s\) in state_dict: /);
      expect(hint).to.include(`nn.stripPrefix(state, "${prefix}")`);
      expect(rest).to.deep.equal([]);
      const model = new Net();
      model.loadStateDict(nn.stripPrefix(prefixed(prefix), prefix));
      expect(Array.from(model.fc.weight.dataSync())).to.deep.equal([1, 1]);
    });
  }

  it("is not told where the prefix explains nothing", () => {
    expect(messageOf(new Map([["other.weight", tf.ones([1, 2])]]))).to.not.include("stripPrefix");
    const mixed = prefixed("module.").set("else", tf.ones([1]));
    expect(messageOf(mixed)).to.not.include("stripPrefix");
  });

  it("leaves the keys that do not have it, and takes records", () => {
    const state = nn.stripPrefix({ "module.a": tf.ones([1]), b: tf.ones([1]) }, "module.");
    expect([...state.keys()]).to.deep.equal(["a", "b"]);
  });
});

describe("What is no state_dict", () => {
  it("is refused by what it is", () => {
    const others = [
      [[tf.ones([1])], "an array of 1"],
      [Promise.resolve(new Map()), "a Promise (is an await missing?)"],
      [3, "number 3"],
    ];
    for (const [state, what] of others) {
      const load = (): unknown => new Net().loadStateDict(state as never);
      expect(load).to.throw(`Expected state_dict to be dict-like, got ${what as string}.`);
    }
  });
});

describe("A tensor with two names", () => {
  class Tied extends nn.Module {
    readonly left = new nn.Linear(2, 2);
    readonly right = this.left;
    readonly head = new nn.Linear(2, 2);
    constructor() {
      super();
      this.head.weight = this.left.weight;
    }
  }

  it("needs one of them in a checkpoint, as files of safetensors have it", () => {
    const net = new Tied();
    const one = new Map([
      ["head.weight", tf.fill([2, 2], 7)],
      ["head.bias", tf.ones([2])],
      ["left.bias", tf.zeros([2])],
    ]);
    expect(net.loadStateDict(one)).to.deep.equal({ missingKeys: [], unexpectedKeys: [] });
    expect(Array.from(net.right.weight.dataSync())).to.deep.equal([7, 7, 7, 7]);
    one.delete("left.bias");
    expect(() => net.loadStateDict(one)).to.throw(/Missing key.*: "left.bias", "right.bias". $/);
    net.dispose();
  });
});

describe("Integers of a checkpoint that int32 does not hold", () => {
  const entry = (): Map<string, nn.Entry> => {
    const values = new BigInt64Array([2n ** 40n, -(2n ** 40n), 7n]);
    const bytes = new Uint8Array(values.buffer);
    return new Map([["steps", new Entry("int64", [3], bytes, "steps")]]);
  };
  const make = (): nn.Module => {
    class Counter extends nn.Module {
      constructor() {
        super();
        this.registerBuffer("steps", tf.zeros([3], "int32"));
      }
    }
    return new Counter();
  };

  it("are an error that names the tensor", () => {
    expect(() => make().loadStateDict(entry())).to.throw(
      /"steps".*1099511627776.*int32; { clamp: true } takes/,
    );
  });

  it("are clamped if that is asked for", () => {
    const model = make();
    model.loadStateDict(entry(), { clamp: true });
    const values = Array.from(model.stateDict().get("steps")!.dataSync());
    expect(values).to.deep.equal([2 ** 31 - 1, -(2 ** 31), 7]);
  });
});

describe("A checkpoint from before BatchNorm counted its batches", () => {
  const old = (): Map<string, tf.Tensor> => {
    const state = new nn.BatchNorm1d(2).stateDict();
    state.delete("num_batches_tracked");
    return state;
  };
  const count = (model: nn.BatchNorm1d): number => model.num_batches_tracked!.dataSync()[0]!;

  it("leaves the module its count, a copy its own", () => {
    const model = new nn.BatchNorm1d(2);
    const copy = nn.deepcopy(model).train();
    copy(tf.ones([3, 2])).dispose();
    model.dispose();
    copy.loadStateDict(old());
    expect(count(copy)).to.equal(1);
    expect(Array.from(copy.running_mean!.dataSync())).to.deep.equal([0, 0]);
    copy.dispose();
  });

  it("starts one without storage at 0", () => {
    const model = nn.deepcopy(nn.meta(() => new nn.BatchNorm1d(2)));
    model.loadStateDict(old());
    expect(count(model)).to.equal(0);
    model.dispose();
  });
});
