import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloatTensor, wrapDim } from "./check.js";
import { split } from "./moves.js";
import { op } from "./op.js";

export interface GLUOptions {
  /** The dimension that is halved. Default: -1. */
  dim?: number;
}

/**
 * `a · sigmoid(b)`, a and b the halves of the input along a dimension.
 *
 * Shapes: `(*, 2 N, *)` → `(*, N, *)`.
 *
 * @throws if the dimension's size is odd.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.glu.html
 */
export const glu = /* @__PURE__ */ op(
  "glu",
  (input: tf.Tensor, options?: GLUOptions): tf.Tensor => {
    const { dim } = readOptions("glu", { dim: -1 }, options);
    checkFloatTensor("glu", input);
    if (input.rank === 0)
      throw new Error("glu does not support scalars because halving size must be even");
    const along = wrapDim("glu", dim, input.rank);
    const size = input.shape[along]!;
    if (size % 2 !== 0) {
      throw new Error(`Halving dimension must be even, but dimension ${along} is size ${size}`);
    }
    const [a, b] = split(input, 2, along);
    return tf.mul(a!, tf.sigmoid(b!));
  },
);
