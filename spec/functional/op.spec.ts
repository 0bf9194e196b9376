import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { op, setDispatcher } from "../../lib/functional/op.js";
import { expectNoLeak } from "../support/expect.js";

describe("An op", () => {
  const twice = op("twice", (x: tf.Tensor) => tf.add(tf.mul(x, 1), tf.mul(x, 1)));

  it("is called after ATen, and leaves nothing but its result", () => {
    expect(twice.name).to.equal("twice");
    const x = tf.ones([2]);
    expectNoLeak(() => twice(x).dispose());
    x.dispose();
  });

  it("gives a handle of the caller's own on an input that passes through", () => {
    const same = op("same", (x: tf.Tensor) => x);
    const x = tf.ones([2]);
    const y = same(x);
    y.dispose();
    expect(x.isDisposed).to.be.false;
    x.dispose();
  });

  it("can be seen, and replaced, by a dispatcher", () => {
    const seen: string[] = [];
    const previous = setDispatcher((name, body, args) => {
      seen.push(`${name}(${args.length})`);
      return body(...args);
    });
    try {
      const model = new nn.Sequential(new nn.Linear(2, 2), new nn.ReLU());
      tf.tidy(() => void model(tf.ones([1, 2])));
      model.dispose();
    } finally {
      setDispatcher(previous);
    }
    expect(seen).to.deep.equal(["linear(3)", "relu(1)"]);
  });
});
