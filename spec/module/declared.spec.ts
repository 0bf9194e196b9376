import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";

/** Fields that are declared for TypeScript, and filled by name: they are there, as `undefined`. */
class Declared extends nn.Module {
  mean!: nn.Buffer;
  weight!: nn.Parameter;
  inner!: nn.Linear;
  taken = 1;
  constructor() {
    super();
    this.registerBuffer("mean", tf.zeros([2]));
    this.registerParameter("weight", new nn.Parameter(tf.ones([2])));
    this.registerModule("inner", new nn.Linear(1, 1));
  }
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.add(tf.mul(x, this.weight), this.mean);
  }
}

describe("Fields that are declared and registered by name", () => {
  it("are buffers, parameters and children", () => {
    const model = new Declared();
    expect([...model.stateDict().keys()]).to.deep.equal(["weight", "mean", "inner.weight", "inner.bias"]); // prettier-ignore
    expect(Array.from(model(tf.ones([2])).dataSync())).to.deep.equal([1, 1]);
  });

  it("are refused where they have a value", () => {
    const model = new Declared();
    const names = ["taken", "forward", "weight"];
    for (const name of names) {
      expect(() => model.registerBuffer(name, null)).to.throw(`attribute '${name}' already exists`);
    }
  });
});
