import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { asFloat, checkFloatTensor, checkNumberTensor, checkTensor, dtypeName } from "./check.js";
import { atLeast, atMost, clamp, inDtype, scalarLike } from "./numeric.js";
import { op, tryKernel } from "./op.js";
import { select } from "./select.js";

/**
 * `1 / (1 + exp(-x))`, element by element; any shape. Exact limits: 0 and 1 for large `|x|`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.sigmoid.html
 */
export const sigmoid = /* @__PURE__ */ op("sigmoid", (input: tf.Tensor): tf.Tensor => {
  checkTensor("sigmoid", input);
  return tf.sigmoid(asFloat(input));
});

/**
 * `max(0, x)`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu.html
 */
export const relu = /* @__PURE__ */ op("relu", (input: tf.Tensor): tf.Tensor => {
  checkNumberTensor("relu", input);
  // Not tf.relu, which makes NaN of -∞ on webgl.
  return atLeast(input, 0);
});

/**
 * `min(max(0, x), 6)`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu6.html
 */
export const relu6 = /* @__PURE__ */ op("relu6", (input: tf.Tensor): tf.Tensor => {
  checkNumberTensor("relu6", input);
  return clamp(input, 0, 6);
});

/**
 * `tanh(x)`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.tanh.html
 */
export const tanh = /* @__PURE__ */ op("tanh", (input: tf.Tensor): tf.Tensor => {
  checkTensor("tanh", input);
  return tf.tanh(asFloat(input));
});

export interface HardtanhOptions {
  /** Default: -1. */
  minVal?: number;
  /** Default: 1. */
  maxVal?: number;
}

/**
 * `min(max(minVal, x), maxVal)`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardtanh.html
 */
export const hardtanh = /* @__PURE__ */ op(
  "hardtanh",
  (input: tf.Tensor, options?: HardtanhOptions): tf.Tensor => {
    const { minVal, maxVal } = readOptions("hardtanh", { minVal: -1, maxVal: 1 }, options);
    checkNumberTensor("hardtanh", input);
    if (minVal > maxVal) throw new RangeError("hardtanh(): min_val cannot be greater than max_val");
    return clamp(input, minVal, maxVal);
  },
);

export interface LeakyReLUOptions {
  /** Default: 0.01. */
  negativeSlope?: number;
}

/**
 * `x` where it is positive, else `negativeSlope · x`; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.leaky_relu.html
 */
export const leakyRelu = /* @__PURE__ */ op(
  "leaky_relu",
  (input: tf.Tensor, options?: LeakyReLUOptions): tf.Tensor => {
    const { negativeSlope } = readOptions("leakyRelu", { negativeSlope: 0.01 }, options);
    checkFloatTensor("leaky_relu", input);
    return select(tf.greater(input, 0), input, tf.mul(input, negativeSlope));
  },
);

/**
 * `x` where it is positive, else `weight · x`.
 *
 * Shapes: input `(N, C, *)`, weight `(C)`, or `(1)` for all channels.
 *
 * @throws if the weight has not C elements or one.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.prelu.html
 */
export const prelu = /* @__PURE__ */ op(
  "prelu",
  (input: tf.Tensor, weight: tf.Tensor): tf.Tensor => {
    checkTensor("prelu", input);
    checkTensor("prelu", weight, "weight", 2);
    if (input.dtype !== weight.dtype) {
      const [got, expected] = [dtypeName(input), dtypeName(weight)];
      throw new TypeError(`prelu(): Type promoting not supported. Got ${got} and ${expected}`);
    }
    checkFloatTensor("prelu", input);
    if (weight.rank > 1) {
      throw new Error(
        "prelu(): Expected `weight` to be a scalar or 1D tensor, but got: ndim = " +
          String(weight.rank),
      );
    }
    if (input.rank === 0 && weight.size !== 1) {
      throw new Error("prelu(): Not allow zero-dim input tensor.");
    }
    const channels = input.rank >= 2 ? input.shape[1]! : 1;
    if (weight.size !== 1 && weight.size !== channels) {
      throw new Error(
        "prelu(): Mismatch of parameter numbers and input channel size. Found parameter numbers = " +
          `${weight.size} and channel size = ${channels}.`,
      );
    }
    const shape = input.shape.map((_, i) => (i === 1 ? weight.size : 1));
    const slope = tf.reshape(weight, weight.size === 1 ? [] : shape);
    const own = tryKernel("slope", input, slope) as tf.Tensor | null;
    return own ?? select(tf.greater(input, 0), input, tf.mul(input, slope));
  },
);

/**
 * `x / (1 + |x|)`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softsign.html
 */
export const softsign = /* @__PURE__ */ op("softsign", (input: tf.Tensor): tf.Tensor => {
  checkNumberTensor("softsign", input);
  const x = asFloat(input);
  // On webgl the reciprocal of the largest numbers is 0, and ∞ / ∞ is 1: so the input is clamped,
  // and the result multiplied by 1, or by NaN for NaN.
  const near = tf.clipByValue(x, -1e37, 1e37);
  return tf.mul(tf.div(near, tf.add(tf.abs(near), 1)), tf.add(tf.sub(x, x), 1));
});

/**
 * `x - tanh(x)`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.tanhshrink.html
 */
export const tanhshrink = /* @__PURE__ */ op("tanhshrink", (input: tf.Tensor): tf.Tensor => {
  checkNumberTensor("tanhshrink", input);
  const x = asFloat(input);
  return tf.sub(x, tf.tanh(x));
});

/**
 * `min(max(0, x + 3), 6) / 6`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardsigmoid.html
 */
export const hardsigmoid = /* @__PURE__ */ op("hardsigmoid", (input: tf.Tensor): tf.Tensor => {
  checkFloatTensor("hardsigmoid", input);
  return tf.div(clamp(tf.add(input, 3), 0, 6), 6);
});

/**
 * `x · min(max(0, x + 3), 6) / 6`, element by element; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardswish.html
 */
export const hardswish = /* @__PURE__ */ op("hardswish", (input: tf.Tensor): tf.Tensor => {
  checkFloatTensor("hardswish", input);
  return tf.div(tf.mul(input, clamp(tf.add(input, 3), 0, 6)), 6);
});

export interface ShrinkOptions {
  /** Default: 0.5. */
  lambd?: number;
}

/**
 * 0 where `-lambd ≤ x ≤ lambd`, else `x`; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardshrink.html
 */
export const hardshrink = /* @__PURE__ */ op(
  "hardshrink",
  (input: tf.Tensor, options?: ShrinkOptions): tf.Tensor => {
    const { lambd } = readOptions("hardshrink", { lambd: 0.5 }, options);
    checkFloatTensor("hardshrink", input);
    return select(tf.lessEqual(tf.abs(input), lambd), tf.zerosLike(input), input);
  },
);

/**
 * `x - lambd` above `lambd`, `x + lambd` below `-lambd`, 0 between; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softshrink.html
 */
export const softshrink = /* @__PURE__ */ op(
  "softshrink",
  (input: tf.Tensor, options?: ShrinkOptions): tf.Tensor => {
    const { lambd } = readOptions("softshrink", { lambd: 0.5 }, options);
    checkFloatTensor("softshrink", input);
    if (!(lambd >= 0)) {
      throw new RangeError(
        `softshrink(): lambda must be in range [0, 3.40282e+38] for input dtype Float, but found ${lambd}`,
      );
    }
    return tf.add(atLeast(tf.sub(input, lambd), 0), atMost(tf.add(input, lambd), 0));
  },
);

/**
 * `x` where it is above `threshold`, else `value`; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.threshold.html
 */
export const threshold = /* @__PURE__ */ op(
  "threshold",
  (input: tf.Tensor, limit: number, value: number): tf.Tensor => {
    checkNumberTensor("threshold", input);
    // For integers the threshold is converted to an integer as well.
    const isLow = tf.lessEqual(input, scalarLike(input, limit));
    return select(isLow, tf.fill(input.shape, inDtype(input, value), input.dtype), input);
  },
);
