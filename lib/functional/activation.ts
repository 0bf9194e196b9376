import * as tf from "@tensorflow/tfjs-core";
import { checkTensor } from "./check.js";
import { atLeast } from "./numeric.js";
import { op } from "./op.js";

/**
 * `1 / (1 + exp(-x))`, element by element; any shape. Exact limits: 0 and 1 for large `|x|`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.sigmoid.html
 */
export const sigmoid = /* @__PURE__ */ op("sigmoid", (input: tf.Tensor): tf.Tensor => {
  checkTensor("sigmoid", input);
  return tf.sigmoid(input);
});

/**
 * `max(0, x)`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu.html
 */
export const relu = /* @__PURE__ */ op("relu", (input: tf.Tensor): tf.Tensor => {
  checkTensor("relu", input);
  // Not tf.relu, which makes NaN of -∞ on webgl.
  return atLeast(input, 0);
});
