import * as tf from "@tensorflow/tfjs-core";
import { checkFloatTensor } from "./check.js";
import type { LocalResponseNormOptions } from "./local-response-norm.js";
import { meanOfNeighbours } from "./norm.js";
import { power } from "./numeric.js";
import { op } from "./op.js";

/**
 * The computation of nn.CrossMapLRN2d, which PyTorch does not make public either. It differs from
 * {@link localResponseNorm} in two ways: an even size counts one channel less, and the first
 * channel stays in the sum after the window has left it.
 *
 * Shapes: input `(N, C, H, W)` → the same.
 */
export const crossMapLrn2d = /* @__PURE__ */ op(
  "cross_map_lrn2d",
  (input: tf.Tensor, size: number, options: Required<LocalResponseNormOptions>): tf.Tensor => {
    const { alpha, beta, k } = options;
    checkFloatTensor("cross_map_lrn2d", input);
    if (input.rank !== 4) {
      throw new RangeError(`CrossMapLRN2d: Expected input to be 4D, got ${input.rank}D instead.`);
    }
    if (input.size === 0) return tf.zeros(input.shape);
    const [n, channels, h, w] = input.shape as [number, number, number, number];
    const square = tf.square(input);
    const reach = Math.floor((size - 1) / 2);
    const first = tf.slice(square, [0, 0, 0, 0], [n, 1, h, w]);
    const isLeft = Float32Array.from({ length: channels }, (_, c) => (c > reach ? 1 : 0));
    const kept = tf.mul(first, tf.tensor(isLeft, [1, channels, 1, 1]));
    const mean = meanOfNeighbours(square, reach, reach);
    const sum = tf.add(tf.mul(mean, 2 * reach + 1), kept);
    return tf.mul(input, power(tf.add(tf.mul(sum, alpha / size), k), -beta));
  },
);
