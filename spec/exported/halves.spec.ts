import * as tf from "@tensorflow/tfjs-core";
import { expect } from "chai";
import * as nn from "../../lib/index.js";
import { Entry } from "../../lib/checkpoint/entry.js";
import { toBfloat16Bits, toFloat16Bits } from "../../lib/checkpoint/half.js";
import { lookUpOp } from "../../lib/exported/look-up.js";
import { onEveryBackend } from "../support/backends.js";
import { expectNoLeak } from "../support/expect.js";

/** As our reader of checkpoints rounds, which is held against PyTorch. */
function viaBits(values: Float32Array, dtype: "float16" | "bfloat16"): Float32Array {
  const bits = dtype === "float16" ? toFloat16Bits(values) : toBfloat16Bits(values);
  const entry = new Entry(dtype, [bits.length], new Uint8Array(bits.buffer), "x");
  return entry.toFloat32();
}

/** Random ones of every size, the middles between two halves, and the ends. */
function samples(least: number, most: number): Float32Array {
  const values: number[] = [0, 1, -1, 1 / 3, 65504, 65519, 65520, 1e5, -1e5, Infinity, -Infinity];
  values.push(...[1, -1].flatMap((sign) => [2 ** -14, 2 ** -24, 2 ** -25, 3 * 2 ** -25, 1e-9].map((one) => sign * one))); // prettier-ignore
  for (let e = least; e < most; e += 1) {
    for (let i = 0; i < 6; i += 1) {
      values.push((1 + Math.random()) * 2 ** e, -(1 + (2 * i + 1) / 2048) * 2 ** e);
      values.push((1 + (2 * i + 1) / 256) * 2 ** e);
    }
  }
  return Float32Array.from(values);
}

onEveryBackend("casts to halves", (backend) => {
  for (const dtype of ["float16", "bfloat16"] as const) {
    // A GPU may flush the least numbers to 0.
    const least = { float16: -26, bfloat16: backend === "webgl" ? -60 : -90 }[dtype];
    const values = samples(least, dtype === "float16" ? 17 : 127);
    const meta = { shape: [values.length], dtype };
    const context = { inputs: [{ ...meta, dtype: "float32" }], outputs: [meta] } as never;
    const cast = (x: tf.Tensor): tf.Tensor =>
      lookUpOp("aten._to_copy.default")!([x], { dtype }, context) as tf.Tensor;
    const expectRounded = (y: tf.Tensor): void => {
      expect(Array.from(y.dataSync(), (one) => one + 0)).to.deep.equal(
        [...viaBits(values, dtype)].map((one) => one + 0),
      );
    };

    it(`round to ${dtype} as PyTorch`, () => {
      const x = tf.tensor1d(values);
      expectNoLeak(() => tf.tidy(() => expectRounded(cast(x))));
      x.dispose();
    });

    // One program, whose compiler must not find that rounding cancels out.
    it(`round to ${dtype} compiled, beside other steps`, async () => {
      const x = tf.tensor1d(values);
      const fast = await nn.compile((given: tf.Tensor) => tf.neg(cast(tf.neg(given))), x);
      tf.tidy(() => expectRounded(fast(x)));
      expect(fast.explain().fallbacks).to.deep.equal([]);
      fast.dispose();
      x.dispose();
    });
  }
});
