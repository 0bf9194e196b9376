import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as F from "../../lib/functional/index.js";
import * as nn from "../../lib/index.js";
import { onEveryBackend } from "../support/backends.js";
import { compiled } from "../support/compiled.js";
import { expectClose } from "../support/expect.js";

const integers = (): tf.Tensor => tf.tensor([3, -2, 5, 7, 1, 0], [1, 1, 6], "int32");
const booleans = (): tf.Tensor => tf.tensor([1, 0, 1, 1, 0, 1], [1, 1, 6], "bool");

/** As PyTorch 2.15 gives them, of int64 and bool. */
const MEANS: [string, (x: tf.Tensor) => tf.Tensor, number[]][] = [
  ["cut off", (x) => F.avgPool1d(x, 2), [0, 6, 0]],
  ["cut off towards 0", (x) => F.avgPool1d(tf.neg(x), 2), [0, -6, 0]],
  ["with zeros around", (x) => F.avgPool1d(x, 3, { padding: 1, stride: 2 }), [0, 3, 2]],
  ["without them", (x) => F.avgPool1d(x, 3, { padding: 1, stride: 2, countIncludePad: false }), [0, 3, 2]], // prettier-ignore
  ["by another divisor", (x) => F.avgPool2d(x, [1, 2], { divisorOverride: 3 }), [0, 4, 0]],
];

const POWERS: [string, tf.Tensor["dtype"], number, number[]][] = [
  ["sums", "int32", 1, [0, 12, 0]],
  ["roots of squares", "int32", 2, [3.4641, 8.6023, 0]],
  ["roots of cubes", "int32", 3, [2.6207, 7.7639, 0]],
  ["another power", "int32", 1.5, [NaN, 9.5905, 1]],
  ["sums", "bool", 1, [0, 2, 0]],
  ["roots of cubes", "bool", 3, [0, 1.2599, 0]],
  ["another power", "bool", 1.5, [1, 1.5874, 1]],
];

onEveryBackend("Pooling of integers", () => {
  for (const [what, run, want] of MEANS) {
    it(`gives means that are ${what}`, async () => {
      const x = integers();
      const fast = await compiled(run, x);
      for (const y of [run(x), fast(x)]) {
        expect(y.dtype).to.equal("int32");
        expect(Array.from(y.dataSync())).to.deep.equal(want);
      }
      fast.dispose();
    });
  }

  for (const [what, dtype, p, want] of POWERS) {
    it(`gives ${what} of ${dtype}`, () => {
      const x = dtype === "bool" ? booleans() : integers();
      expectClose(F.lpPool1d(x, p, 2).dataSync(), want, { rtol: 1e-4, atol: 1e-4 });
    });
  }

  it("gives a layer the sums of powers, since its norm type is a float", async () => {
    const [x, layer] = [tf.tensor2d([[1, 2, 4, 5]], [1, 4], "int32"), new nn.LPPool1d(2, 2)];
    const fast = await compiled(layer, x);
    for (const y of [layer(x), fast(x), layer(tf.cast(x, "float32"))]) {
      expectClose(y.dataSync(), [2.2361, 6.4031], { rtol: 1e-4, atol: 1e-4 });
    }
    fast.dispose();
  });
});
