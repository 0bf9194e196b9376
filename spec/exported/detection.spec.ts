import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { lookUpOp } from "../../lib/exported/look-up.js";
import { findOp } from "../../lib/functional/op.js";
import { onEveryBackend } from "../support/backends.js";
import { expectClose } from "../support/expect.js";

type Run = (...args: unknown[]) => unknown;

const opOf = (name: string): Run => findOp(name) as unknown as Run;
const numbersOf = (result: unknown): number[] => Array.from((result as tf.Tensor).dataSync());

/** What torchvision 0.29 and torch 2.15 gave, where the last bit of a float32 decides. */
onEveryBackend("Ops that choose by float32", () => {
  for (const [threshold, width] of [
    [0.2, 1],
    [0.4, 2],
    [0.6, 3],
    [0.8, 4],
  ] as const) {
    // prettier-ignore
    it(`nms of boxes that overlap by ${threshold} takes one`, () => {
      const boxes = tf.tensor2d([[0, 0, 5, 1], [0, 0, width, 1]]); // prettier-ignore
      expect(numbersOf(opOf("nms")(boxes, tf.tensor1d([0.9, 0.8]), threshold))).to.deep.equal([0]);
    });
  }

  it("nms takes a box whose score is NaN for the best", () => {
    const boxes = tf.tensor2d([[0, 0, 1, 1], [0, 0, 1, 1.1], [5, 5, 6, 6]]); // prettier-ignore
    const kept = opOf("nms")(boxes, tf.tensor1d([0.5, NaN, 0.9]), 0.5);
    expect(numbersOf(kept)).to.deep.equal([1, 2]);
  });

  it("ends with what is not finite: powers, degrees", () => {
    const x = tf.tensor2d([[1, Infinity], [0, 1]]); // prettier-ignore
    const [power] = opOf("linalg_matrix_exp")([x]) as tf.Tensor[];
    expect(numbersOf(power)).to.deep.equal([NaN, NaN, NaN, NaN]);
    const degrees = tf.tensor1d([Infinity, NaN, -1]);
    const values = opOf("special_chebyshev_polynomial_t")(tf.tensor1d([0.5, 0.5, 0.5]), degrees);
    expect(numbersOf(values)).to.deep.equal([0, 0, 0]);
    const large = tf.tensor1d([1e4, 1e30, Infinity]);
    const [i1, k0] = ["special_i1e", "special_scaled_modified_bessel_k0"].map((name) =>
      numbersOf(lookUpOp(`aten.${name}.default`)!([large], {}, { outputs: [], inputs: [] } as never)),
    ); // prettier-ignore
    expectClose(i1!, [0.00398927, 3.9894228e-16, 0], { rtol: 1e-5, atol: 0 }, "i1e");
    expectClose(k0!, [0.012532985, 1.2533142e-15, 0], { rtol: 1e-5, atol: 0 }, "k0");
  });

  it("roi_align samples a box of its own size once a cell", () => {
    const values = Array.from({ length: 256 }, (_, i) => i % 15);
    const rois = tf.tensor2d([[0, 0.51, 0.51, 7.51, 7.51]]);
    const aligned = opOf("roi_align")(tf.tensor(values, [1, 1, 16, 16]), rois, 1, 7, 7, -1, false);
    expectClose(numbersOf(aligned).slice(0, 4), [2.02, 3.02, 4.02, 5.02], { rtol: 1e-5, atol: 0 }, "cells"); // prettier-ignore
  });

  it("roi_pool ends its last cell where the box ends", () => {
    const values = tf.tensor(Array.from({ length: 40 }, (_, i) => i), [1, 1, 1, 40]); // prettier-ignore
    const [pooled] = opOf("roi_pool")(values, tf.tensor2d([[0, 0, 0, 28, 0]]), 1, 1, 7) as tf.Tensor[]; // prettier-ignore
    expect(numbersOf(pooled)).to.deep.equal([4, 8, 12, 16, 20, 24, 28]);
  });

  it("histogramdd counts a value that is an edge behind it, and of 200,000 points", () => {
    const run = opOf("histogramdd");
    const [few] = run(tf.tensor2d([[0.7], [0.3], [0.1]]), [10], [0, 1], null, false) as tf.Tensor[];
    expect(numbersOf(few)).to.deep.equal([0, 1, 0, 1, 0, 0, 0, 1, 0, 0]);
    const many = tf.reshape(tf.range(0, 200_000), [200_000, 1]);
    const [counts] = run(many, [4], null, null, false) as tf.Tensor[];
    expect(numbersOf(counts)).to.deep.equal([50_000, 50_000, 50_000, 50_000]);
  });
});
