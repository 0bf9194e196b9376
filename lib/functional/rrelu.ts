import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloatTensor } from "./check.js";
import { op } from "./op.js";
import { sampler } from "./sampler.js";
import { select } from "./select.js";

export interface RReLUOptions {
  /** Default: 1/8. */
  lower?: number;
  /** Default: 1/3. */
  upper?: number;
  /** Draw a random slope for each element, instead of using the mean slope. Default: `false`. */
  training?: boolean;
}

/** Draws a slope for each element that is not positive, in order; none for the others. */
function drawSlopes(input: tf.Tensor, from: number, to: number): tf.Tensor {
  const slope = (x: number): number => (x <= 0 ? from + sampler().double() * (to - from) : 1);
  return tf.tensor(Float32Array.from(input.dataSync(), slope), input.shape);
}

/**
 * `x` where it is positive, else `a · x`: a is `(lower + upper) / 2`, in training a sample of
 * U(lower, upper) for each element (the generator that `manualSeed` seeds gives PyTorch's numbers on
 * CPU). Any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.rrelu.html
 */
export const rrelu = /* @__PURE__ */ op(
  "rrelu",
  (input: tf.Tensor, options?: RReLUOptions): tf.Tensor => {
    const defaults: Required<RReLUOptions> = { lower: 1 / 8, upper: 1 / 3, training: false };
    const { lower, upper, training } = readOptions("rrelu", defaults, options);
    checkFloatTensor("rrelu", input);
    if (lower > upper) {
      throw new RangeError("rrelu(): Lower bound should be less than or equal to the upper bound");
    }
    const slope = training ? drawSlopes(input, lower, upper) : tf.scalar((lower + upper) / 2);
    return select(tf.greater(input, 0), input, tf.mul(input, slope));
  },
);
