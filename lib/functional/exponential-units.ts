import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloatTensor } from "./check.js";
import { atLeast, atMost, scalarLike } from "./numeric.js";
import { op } from "./op.js";
import { select } from "./select.js";

/** `log(1 + exp(-|x|))`, which does not overflow. */
const logOnePlusExp = (x: tf.Tensor): tf.Tensor => tf.log1p(tf.exp(tf.neg(tf.abs(x))));

/** `scale · x` for `x > 0`, else `scale · alpha · (exp(x / slope) - 1)`. */
function exponentialUnit(x: tf.Tensor, alpha: number, scale = 1, slope = 1): tf.Tensor {
  // Positive values are excluded, since exp might overflow, and ∞ · 0 is NaN.
  const low = tf.mul(tf.expm1(tf.div(atMost(x, 0), slope)), alpha * scale);
  // Not tested as x > 0, because webgl's expm1 of NaN is ∞.
  return select(tf.lessEqual(x, 0), low, tf.mul(x, scale));
}

export interface ELUOptions {
  /** Default: 1. */
  alpha?: number;
}

/**
 * `x` where it is positive, else `alpha · (exp(x) - 1)`; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.elu.html
 */
export const elu = /* @__PURE__ */ op(
  "elu",
  (input: tf.Tensor, options?: ELUOptions): tf.Tensor => {
    const { alpha } = readOptions("elu", { alpha: 1 }, options);
    checkFloatTensor("elu", input);
    return exponentialUnit(input, alpha);
  },
);

/**
 * `max(0, x) + min(0, alpha · (exp(x / alpha) - 1))`; any shape.
 *
 * @throws if alpha is 0.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.celu.html
 */
export const celu = /* @__PURE__ */ op(
  "celu",
  (input: tf.Tensor, options?: ELUOptions): tf.Tensor => {
    const { alpha } = readOptions("celu", { alpha: 1 }, options);
    checkFloatTensor("celu", input);
    if (alpha === 0) throw new RangeError("ZeroDivisionError: alpha cannot be 0 for CELU");
    return exponentialUnit(input, alpha, 1, alpha);
  },
);

/**
 * `scale · (max(0, x) + min(0, alpha · (exp(x) - 1)))` with the two constants of the paper, which
 * keep mean and variance; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.selu.html
 * @see https://arxiv.org/abs/1706.02515
 */
export const selu = /* @__PURE__ */ op("selu", (input: tf.Tensor): tf.Tensor => {
  checkFloatTensor("selu", input);
  return exponentialUnit(input, 1.6732632423543772, 1.0507009873554805);
});

export interface SoftplusOptions {
  /** Default: 1. */
  beta?: number;
  /** Where `beta · x` is larger, the result is x. Default: 20. */
  threshold?: number;
}

/**
 * `log(1 + exp(beta · x)) / beta`; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softplus.html
 */
export const softplus = /* @__PURE__ */ op(
  "softplus",
  (input: tf.Tensor, options?: SoftplusOptions): tf.Tensor => {
    const { beta, threshold } = readOptions("softplus", { beta: 1, threshold: 20 }, options);
    checkFloatTensor("softplus", input);
    const z = tf.mul(input, beta);
    const y = tf.div(tf.add(atLeast(z, 0), logOnePlusExp(z)), beta);
    return select(tf.greater(z, threshold), input, y);
  },
);

/**
 * `log(1 / (1 + exp(-x)))`; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.logsigmoid.html
 */
export const logsigmoid = /* @__PURE__ */ op("log_sigmoid", (input: tf.Tensor): tf.Tensor => {
  checkFloatTensor("log_sigmoid", input);
  return tf.sub(atMost(input, 0), logOnePlusExp(input));
});

/**
 * `x · sigmoid(x)`; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.silu.html
 */
export const silu = /* @__PURE__ */ op("silu", (input: tf.Tensor): tf.Tensor => {
  checkFloatTensor("silu", input);
  return tf.mul(input, tf.sigmoid(input));
});

/**
 * `x · tanh(log(1 + exp(x)))`; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mish.html
 */
export const mish = /* @__PURE__ */ op("mish", (input: tf.Tensor): tf.Tensor => {
  checkFloatTensor("mish", input);
  return tf.mul(input, tf.tanh(tf.add(atLeast(input, 0), logOnePlusExp(input))));
});

export interface GELUOptions {
  /** `"none"`: by the error function; `"tanh"`: the approximation. Default: `"none"`. */
  approximate?: "none" | "tanh";
}

/**
 * `x · Φ(x)`, Φ the standard normal distribution function; any shape.
 *
 * @throws if `approximate` is neither `none` nor `tanh`.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gelu.html
 */
export const gelu = /* @__PURE__ */ op(
  "gelu",
  (input: tf.Tensor, options?: GELUOptions): tf.Tensor => {
    const defaults: Required<GELUOptions> = { approximate: "none" };
    const { approximate } = readOptions("gelu", defaults, options);
    checkFloatTensor("gelu", input);
    if (approximate === "none") {
      const phi = tf.add(tf.erf(tf.mul(input, Math.SQRT1_2)), 1);
      return tf.mul(tf.mul(input, 0.5), phi);
    }
    if (approximate !== "tanh") {
      throw new Error("gelu(): approximate argument must be either none or tanh.");
    }
    const cubic = tf.mul(tf.mul(tf.square(input), input), scalarLike(input, 0.044715));
    const inner = tf.mul(tf.add(input, cubic), Math.sqrt(2 / Math.PI));
    return tf.mul(tf.mul(input, 0.5), tf.add(tf.tanh(inner), 1));
  },
);
