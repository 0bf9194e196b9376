import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectNoLeak } from "../support/expect.js";
import { inNode } from "../support/files.js";

class Net extends nn.Module {
  readonly fc1 = new nn.Linear(3, 4);
  readonly act = new nn.Sigmoid();
  readonly fc2 = new nn.Linear(4, 2);

  override forward(x: tf.Tensor, { scale = 1 }: { scale?: number } = {}): tf.Tensor {
    return tf.mul(this.fc2(this.act(this.fc1(x))), scale);
  }
}

onEveryBackend("A module", () => {
  let net: Net;
  let x: tf.Tensor;

  beforeEach(() => {
    net = new Net();
    x = tf.ones([5, 3]);
  });

  afterEach(() => {
    net.dispose();
    x.dispose();
  });

  it("is called like a function, with forward's arguments and types", () => {
    expect(typeof net).to.equal("function");
    const y: tf.Tensor = net(x, { scale: 2 });
    expect(y.shape).to.deep.equal([5, 2]);
    // @ts-expect-error -- forward takes a tensor
    const wrongType = (): unknown => net("x");
    // @ts-expect-error -- forward has no such option
    const wrongOption = (): unknown => net(x, { size: 2 });
    expect([wrongType, wrongOption]).to.have.lengthOf(2);
    y.dispose();
  });

  it("is in a list what it was before", () => {
    const blocks = new nn.ModuleList([new nn.Linear(2, 3), new nn.Linear(3, 4)]);
    const widths: number[] = [...blocks, blocks[0]!, blocks.at(-1)].map((fc) => fc.outFeatures);
    expect(widths).to.deep.equal([3, 4, 3, 4]);
    // @ts-expect-error -- a list of linear layers
    blocks.append(new nn.ReLU());
    const any: nn.ModuleList = new nn.ModuleList([]).append(blocks).append(new nn.ReLU());
    expect(any).to.have.lengthOf(2);
    any.dispose();
  });

  it("is in a dictionary what it was before", () => {
    const dict = new nn.ModuleDict({ fc: new nn.Linear(3, 4), act: new nn.ReLU() });
    const y: tf.Tensor = dict.get("act")(dict.get("fc")(x));
    expect(y.shape).to.deep.equal([5, dict.get("fc").outFeatures]);
    // @ts-expect-error -- an activation
    expect(dict.get("act").outFeatures).to.equal(undefined);
    const any: nn.ModuleDict = dict.set("more", new nn.Identity());
    const more: nn.Module = any.get("more");
    expect(dict.pop("fc").outFeatures).to.equal(4);
    expect([dict.get("more"), dict.size]).to.deep.equal([more, 2]);
    const some: nn.ModuleDict = new nn.ModuleDict({
      act: new nn.ReLU(),
      ...(y.size > 0 ? { norm: new nn.LayerNorm(3) } : {}),
    });
    expect(some.keys()).to.deep.equal(["act", "norm"]);
    y.dispose();
    any.dispose();
    some.dispose();
  });

  it("leaves nothing but its output", () => {
    expectNoLeak(() => net(x).dispose());
    const before = tf.memory().numTensors;
    const y = net(x);
    expect(tf.memory().numTensors).to.equal(before + 1);
    y.dispose();
  });

  it("gives an output of the caller's own, even when forward gives its input or a weight back", () => {
    const identity = new nn.Identity();
    expectNoLeak(() => identity(x).dispose());
    expect(x.isDisposed).to.be.false;

    class Weight extends nn.Module {
      readonly w = new nn.Parameter(tf.ones([2]));
      override forward(): tf.Tensor {
        return this.w;
      }
    }
    const weight = new Weight();
    weight().dispose();
    expect(weight.w.isDisposed).to.be.false;
    expect(Array.from(weight.w.dataSync())).to.deep.equal([1, 1]);
    weight.dispose();
  });

  it("keeps its weights when it is built inside a tidy", () => {
    let built: Net | undefined;
    const y = tf.tidy(() => {
      built = new Net();
      return built(x);
    });
    const again = built!(x);
    expect(Array.from(again.dataSync())).to.deep.equal(Array.from(y.dataSync()));
    tf.dispose([again, y]);
    built!.dispose();
  });

  it("says where in the model it failed, and keeps the first words of the error", () => {
    const wide = tf.ones([5, 7]);
    expect(() => net(wide)).to.throw(
      Error,
      /^linear\(\): mat1 and mat2 shapes cannot be multiplied \(5x7 and 3x4\)[^]*\n {2}in fc1: Linear\(in_features=3, out_features=4, bias=True\)$/,
    );
    const deep = new nn.Sequential(new nn.Identity(), new nn.Sequential({ head: net }));
    expect(() => deep(wide)).to.throw(/in 1\.head\.fc1: Linear/);
    expectNoLeak(() => expect(() => deep(wide)).to.throw());
    wide.dispose();
  });

  it("says that it is disposed", () => {
    net.dispose();
    expect(() => net(x)).to.throw(/Tensor is disposed[^]*in fc1: Linear/);
  });

  it("works in arrays, closures and as a method", () => {
    const layers = [net.fc1, net.act];
    const y = tf.tidy(() => layers.reduce((value, layer) => layer(value), x));
    expect(y.shape).to.deep.equal([5, 4]);
    y.dispose();
  });
});

describe("A module's JavaScript side", () => {
  it("may have children called name and length", () => {
    class Odd extends nn.Module {
      override name = new nn.Linear(1, 1);
      override length = new nn.Identity();
    }
    const odd = new Odd();
    expect(odd.namedChildren().map(([name]) => name)).to.have.members(["name", "length"]);
    expect([...odd.stateDict().keys()]).to.deep.equal(["name.weight", "name.bias"]);
    const dict = new nn.ModuleDict({ length: odd, name: new nn.ReLU() });
    expect(dict.keys()).to.deep.equal(["length", "name"]);
    expect([...dict.stateDict().keys()]).to.include("length.name.bias");
    const pair = { length: tf.ones([1]), name: tf.ones([2]) };
    expect([...new nn.ParameterDict(pair).stateDict().keys()]).to.deep.equal(["length", "name"]);
    dict.dispose();
  });

  it("is an instance of its classes, and of Module in another copy of the package", () => {
    const net = new Net();
    expect(net).to.be.instanceOf(Net);
    expect(net).to.be.instanceOf(nn.Module);
    expect(net).to.not.be.instanceOf(nn.Linear);
    expect(() => undefined).to.not.be.instanceOf(nn.Module);
    const foreign = Object.assign(() => {}, { [Symbol.for("sconce.Module")]: true });
    expect(foreign).to.be.instanceOf(nn.Module);
    expect(net.fc1.weight).to.be.instanceOf(nn.Parameter);
    expect(net.fc1.weight).to.be.instanceOf(tf.Tensor);
    expect(net.fc1.weight).to.not.be.instanceOf(nn.Buffer);
    expect(tf.tidy(() => tf.variable(tf.ones([1])))).to.not.be.instanceOf(nn.Parameter);
    net.dispose();
    tf.disposeVariables();
  });

  it("finds members whenever they are assigned, anew or deleted", () => {
    const net = new Net() as Net & Record<string, unknown>;
    net.extra = new nn.Identity();
    expect(net.namedChildren().map(([name]) => name)).to.deep.equal(["fc1", "act", "fc2", "extra"]);
    delete net.extra;
    expect(net.children()).to.have.lengthOf(3);
    net.dispose();
  });

  it("refuses an asynchronous forward", () => {
    class Later extends nn.Module {
      // eslint-disable-next-line @typescript-eslint/require-await -- it is the mistake under test
      override async forward(): Promise<number> {
        return 1;
      }
    }
    expect(() => new Later()()).to.throw(TypeError, "forward must be synchronous");
  });

  it("starts in eval mode", () => {
    const net = new Net();
    expect(net.training).to.be.false;
    expect(net.train().act.training).to.be.true;
    expect(net.eval().act.training).to.be.false;
    net.dispose();
  });

  it("shows its repr on the console", async function () {
    if (!inNode) this.skip(); // node:util exists in Node alone
    const { inspect } = await import("node:util");
    const layer = new nn.Linear(2, 3);
    expect(inspect({ layer })).to.contain("Linear(in_features=2, out_features=3, bias=True)");
    expect(inspect(layer.bias)).to.contain("Parameter containing:");
    layer.dispose();
  });

  it("refuses unknown options and names the known ones", () => {
    const options = { bias: true, biass: false } as object;
    expect(() => new nn.Linear(2, 3, options)).to.throw(
      TypeError,
      "Linear got an unexpected option 'biass'; known options: bias",
    );
    expect(() => new nn.Linear(2, 3, false as unknown as object)).to.throw(
      TypeError,
      "Linear: options must be an object { bias }, got boolean false",
    );
  });

  it("refuses a path that was forgotten", () => {
    const net = new Net();
    expect(() => net.getSubmodule(undefined as unknown as string)).to.throw(TypeError);
    net.dispose();
  });
});

describe("nn.meta", () => {
  it("builds a model without storage, which a state_dict fills", () => {
    const full = new Net();
    const before = tf.memory().numTensors;
    const empty = nn.meta(() => new Net());
    expect(tf.memory().numTensors).to.equal(before);
    expect(empty.fc1.weight.shape).to.deep.equal([4, 3]);
    expect(empty.fc1.weight.isMeta).to.be.true;
    const x = tf.ones([1, 3]);
    expect(() => empty(x)).to.throw(/no data![^]*in fc1: Linear/);

    empty.loadStateDict(full.stateDict());
    expect(empty.fc1.weight.isMeta).to.be.false;
    const [a, b] = [full(x), empty(x)];
    expect(Array.from(a.dataSync())).to.deep.equal(Array.from(b.dataSync()));
    tf.dispose([a, b, x]);
    full.dispose();
    empty.dispose();
    expect(tf.memory().numTensors).to.equal(before - 4);
  });

  it("leaves the generator alone", () => {
    nn.manualSeed(3);
    nn.meta(() => new Net());
    const after = new nn.Linear(2, 2);
    nn.manualSeed(3);
    const fresh = new nn.Linear(2, 2);
    expect(Array.from(after.weight.dataSync())).to.deep.equal(Array.from(fresh.weight.dataSync()));
    after.dispose();
    fresh.dispose();
  });

  it("names a size that was forgotten or is none", () => {
    const make = nn.Linear as unknown as new (...args: unknown[]) => nn.Module;
    expect(() => new make(2)).to.throw(RangeError, "no integer (undefined at position 0): [, 2]");
    expect(() => new make(2.5, 3)).to.throw(RangeError, "number 2.5 at position 1");
    expect(() => new make(-2, 3)).to.throw(RangeError, "negative dimension -2: [3, -2]");
    const conv = nn.Conv2d as unknown as new (...args: unknown[]) => nn.Module;
    expect(() => new conv(1, 2)).to.throw(TypeError, "an array of 2 ints, but got undefined");
  });

  it("says that a state_dict was not awaited", () => {
    const state = Promise.resolve(new Map()) as unknown as Map<string, tf.Tensor>;
    expect(() => new nn.Linear(2, 3).loadStateDict(state)).to.throw(TypeError, "await");
  });
});
