import { expect } from "chai";
import {
  Affine,
  array,
  formatShape,
  linspace,
  NeuralNetwork,
  seed,
  Sigmoid,
} from "../../lib/reference/index.js";
import goldens from "../goldens/reference.json" with { type: "json" };
import { expectArray, unpack } from "./support.js";

describe("Affine", () => {
  it("is x W + b, for one sample and for many", () => {
    const affine = new Affine(
      [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ],
      [0.5, 0, 0, -1],
    );
    expect(affine.forward([1, 10]).toList()).to.deep.equal([51.5, 62, 73, 83]);
    const batch = [
      [1, 10],
      [0, 0],
    ];
    expect(affine.forward(batch).toList()).to.deep.equal([
      [51.5, 62, 73, 83],
      [0.5, 0, 0, -1],
    ]);
    expect(affine.params.map(({ shape }) => shape)).to.deep.equal([[2, 4], [4]]);
  });

  it("after another is one again: f(g(x)) = 3(4x + 1) + 2 = 12x + 5", () => {
    const f = new Affine([[3]], [2]);
    const g = new Affine([[4]], [1]);
    const both = new Affine([[12]], [5]);
    const x = [[-2], [0], [7.5]];
    expect(f.forward(g.forward(x)).toList()).to.deep.equal(both.forward(x).toList());
  });

  it("refuses an input of another width", () => {
    expect(() => new Affine([[1, 2, 3, 4]], [0, 0, 0, 0]).forward([[1, 2]])).to.throw(
      RangeError,
      "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature " +
        "(n?,k),(k,m?)->(n?,m?) (size 1 is different from 2)",
    );
  });
});

describe("Sigmoid", () => {
  const sigmoid = new Sigmoid();

  it("is 0.5 at 0, point-symmetric, rising, and without parameters", () => {
    expect(sigmoid.params).to.deep.equal([]);
    expect(sigmoid.forward(0).toList()).to.equal(0.5);
    const y = sigmoid.forward(linspace(-8, 8, 100)).data;
    y.forEach((value, i) => {
      expect(value + y[99 - i]!).to.be.closeTo(1, 1e-15);
      if (i > 0) expect(value).to.be.greaterThan(y[i - 1]!);
    });
  });

  it("reaches 0 and 1 far out, never NaN", () => {
    const far = [-Infinity, -1e4, 1e4, Infinity];
    expect(sigmoid.forward(far).toList()).to.deep.equal([0, 0, 1, 1]);
  });
});

describe("NeuralNetwork", () => {
  for (const golden of goldens.networks) {
    const [inputSize, hiddenSize, outputSize] = golden.sizes;
    it(`is numpy's, seed ${golden.seed}, sizes ${golden.sizes.join("-")}`, () => {
      seed(golden.seed);
      const network = new NeuralNetwork(inputSize, hiddenSize, outputSize);
      network.params.forEach((param, i) => {
        expectArray(param, golden.params[i]!);
        expect(`${formatShape(param.shape)}\n${String(param)}`).to.equal(golden.printed[i]);
      });
      expectArray(network.predict(unpack(golden.x)), golden.output, 1e-13);
    });
  }

  it("has 2, 4 and 3 nodes unless told otherwise, and predicts for plain lists", () => {
    const network = new NeuralNetwork();
    expect(network.params.map(({ shape }) => shape)).to.deep.equal([[2, 4], [4], [4, 3], [3]]);
    expect(network.layers.length).to.equal(3);
    const x = Array.from({ length: 10 }, (_, i) => [i, -i]);
    expect(network.predict(x).shape).to.deep.equal([10, 3]);
    expect(network.predict(array(x)).toList()).to.deep.equal(network.predict(x).toList());
  });
});
