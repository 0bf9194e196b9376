import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkTensor, shapeText } from "./check.js";
import { conv1d } from "./conv.js";
import { op } from "./op.js";

/**
 * One-dimensional convolution of sequences whose time comes first.
 *
 * Shapes: input `(T, N, C)`, weight `(K, C, out)`, bias `(out)` → `(T', N, out)`; `pad`, on both
 * sides, is 0 unless given.
 *
 * @throws if the shapes do not go together.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_tbc.html
 */
export const convTbc = /* @__PURE__ */ op(
  "conv_tbc",
  (input: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor, options?: { pad?: number }): tf.Tensor => {
    const { pad } = readOptions("convTbc", { pad: 0 }, options);
    checkTensor("conv_tbc", input);
    checkTensor("conv_tbc", weight, "weight", 2);
    checkTensor("conv_tbc", bias, "bias", 3);
    const checkRank = (name: string, x: tf.Tensor, rank: number): void => {
      if (x.rank === rank) return;
      throw new Error(`conv_tbc: ${name} must have ${rank} dims, got ${shapeText(x.shape)}`);
    };
    checkRank("Input", input, 3);
    checkRank("Weight tensor", weight, 3);
    checkRank("Bias", bias, 1);
    // (T, N, C) → (N, C, T), and (K, C, out) → (out, C, K)
    const x = tf.transpose(input, [1, 2, 0]);
    const y = conv1d(x, tf.transpose(weight, [2, 1, 0]), { bias, padding: pad });
    return tf.transpose(y, [2, 0, 1]);
  },
);
