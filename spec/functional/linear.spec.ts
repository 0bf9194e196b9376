import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { functional as F } from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { expectNoLeak, expectTensor } from "../support/expect.js";

onEveryBackend("linear", (backend, tolerance) => {
  const run = (test: () => void) => (): void => {
    tf.engine().startScope();
    try {
      test();
    } finally {
      tf.engine().endScope();
    }
  };
  const weight = (): tf.Tensor => tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);

  for (const shape of [[2], [4, 2], [0, 2], [2, 3, 2], [2, 1, 3, 2]]) {
    it(
      `takes (${shape.join(", ")})`,
      run(() => {
        const [w, x, bias] = [weight(), tf.ones(shape), tf.tensor1d([0.5, -1, 2])];
        expectNoLeak(() => F.linear(x, w, { bias }).dispose());
        const rows = x.size / 2;
        const values = Array.from({ length: rows }, () => [3.5, 6, 13]).flat();
        const want = { shape: [...shape.slice(0, -1), 3], values };
        expectTensor(F.linear(x, w, { bias }), want, tolerance);
      }),
    );
  }

  it(
    "takes a weight for one output, and a bias for all",
    run(() => {
      const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
      const row = F.linear(x, tf.tensor1d([10, 1]), { bias: tf.scalar(0.5) });
      expectTensor(row, { shape: [2], values: [12.5, 34.5] }, tolerance);
      const one = F.linear(tf.tensor1d([1, 2]), tf.tensor1d([10, 1]));
      expectTensor(one, { shape: [], values: [12] }, tolerance);
      const all = F.linear(x, weight(), { bias: tf.tensor1d([1]) });
      expectTensor(all, { shape: [2, 3], values: [6, 12, 18, 12, 26, 40] }, tolerance);
    }),
  );

  it(
    "says what is wrong",
    run(() => {
      const w = weight();
      expect(() => F.linear(tf.ones([5, 4]), w)).to.throw(
        "linear(): mat1 and mat2 shapes cannot be multiplied (5x4 and 2x3): " +
          "expected an input of shape (*, 2), got (5, 4)",
      );
      expect(() => F.linear(tf.scalar(1), w)).to.throw("expected an input of shape (*, 2), got ()");
      expect(() => F.linear(tf.ones([1, 2], "int32"), w)).to.throw(/dtype/);
      expect(() => F.linear(tf.ones([1, 2]), w, { bias: tf.ones([2]) })).to.throw(
        "linear(): expected a bias of shape (3,), got (2,)",
      );
      expect(() => F.linear(tf.ones([1, 2]), w, { bias: tf.ones([1, 1, 1]) })).to.throw(
        "linear(): expected a bias of shape (3,), got (1, 1, 1)",
      );
      expect(() => F.linear(tf.ones([1, 2]), w, { bias: tf.ones([3], "int32") })).to.throw(
        "linear(): weight and bias must have the same dtype, but got Float and Int",
      );
      expect(() => F.linear(tf.ones([1, 2]), tf.ones([1, 3, 2]))).to.throw("got (1, 3, 2)");
      const mixed = (): tf.Tensor =>
        F.bilinear(tf.ones([1, 2]), tf.ones([1, 2], "int32"), tf.ones([3, 2, 2]));
      expect(mixed).to.throw(
        "bilinear(): All tensors must have the same dtype, got input1: Float, input2: Int",
      );
      expect(() => F.linear([1, 2] as unknown as tf.Tensor, w)).to.throw(
        "linear(): argument 'input' (position 1) must be Tensor, not an array of 2",
      );
      const wrong = { bais: w } as F.LinearOptions;
      expect(() => F.linear(tf.ones([1, 2]), w, wrong)).to.throw(
        "linear got an unexpected option 'bais'; known options: bias",
      );
    }),
  );

  it(
    "has its reason not to use tfjs' fused matMul",
    run(() => {
      // A (4, 1) × (3, 1)ᵀ with a bias: on wasm, the second row's bias is another's. When this
      // fails, tfjs has mended it, and linear may become one fused op.
      const a = tf.ones<tf.Rank.R2>([4, 1]);
      const b = tf.ones<tf.Rank.R2>([3, 1]);
      const bias = tf.tensor1d([10, 20, 30]);
      const fused = tf.fused.matMul({ a, b, transposeB: true, bias }).dataSync();
      const right = Array.from({ length: 4 }, () => [11, 21, 31]).flat();
      expect(Array.from(fused).join() === right.join()).to.equal(backend !== "wasm");
      expectTensor(F.linear(a, b, { bias }), { shape: [4, 3], values: right }, tolerance);
    }),
  );
});
