import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import { CONTROL_OPS } from "../../lib/exported/runtime/control.js";
import { onEveryBackend } from "../support/backends.js";
import { expectNoLeak } from "../support/expect.js";

/** `[body, size, xs, dims, others, outDims]`, as torch.vmap comes to it. */
const vmap = (...args: unknown[]): tf.Tensor[] =>
  CONTROL_OPS["sconce.vmap"]!(args, {}, {} as never) as tf.Tensor[];

onEveryBackend("torch.vmap", () => {
  // An associative_scan of two rows adds none to the sums of one.
  it("of no rows gives none, each as large as a row would be", () => {
    expectNoLeak(() => {
      tf.tidy(() => {
        const body = (a: tf.Tensor, b: tf.Tensor): tf.Tensor[] => [
          tf.add(a, b),
          tf.less(tf.sum(a), 1),
        ];
        const [sums, flags] = vmap(body, 0, [tf.zeros([0, 3])], [0], [tf.ones([2, 3])], [-1, 0]);
        expect(sums!.shape).to.deep.equal([2, 3, 0]);
        expect([flags!.shape, flags!.dtype]).to.deep.equal([[0], "bool"]);
      });
    });
  });

  it("takes and gives rows in any dimension", () => {
    tf.tidy(() => {
      const x = tf.tensor2d([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
      const [y] = vmap((row: tf.Tensor) => [tf.mul(row, 2)], 3, [x], [-1], [], [1]);
      expect(y!.arraySync()).to.deep.equal([[2, 4, 6], [8, 10, 12]]); // prettier-ignore
    });
  });
});
