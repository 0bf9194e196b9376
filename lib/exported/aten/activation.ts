import * as tf from "@tensorflow/tfjs-core";
import * as F from "../../functional/index.js";
import { clamp } from "../../functional/numeric.js";
import { where } from "./support/arithmetic.js";
import { defineOps } from "./support/define.js";
import { toDtype, toFloat, toNumber, withDtype } from "./support/dtype.js";
import { dimOf } from "./support/shape.js";

/** Softmax in the requested dtype; integers become floats. */
const softmaxes =
  (run: typeof F.softmax) =>
  (self: tf.Tensor, dim: number, dtype?: unknown): tf.Tensor =>
    run(toFloat(withDtype(self, typeof dtype === "boolean" ? null : dtype)), { dim });

/** Softmax in which a row of nothing but -∞ gives 0 instead of NaN. */
function safeSoftmax(self: tf.Tensor, dim: number, dtype?: unknown): tf.Tensor {
  const x = withDtype(self, dtype);
  const hidden = tf.all(tf.equal(x, -Infinity), dimOf("softmax", x, dim), true);
  return where(hidden, 0, F.softmax(x, { dim }));
}

/** elu as decompositions call it, with factors for the input and the output. */
function elu(self: tf.Tensor, alpha = 1, scale = 1, inputScale = 1): tf.Tensor {
  if (scale === 1 && inputScale === 1) return F.elu(self, { alpha });
  const below = tf.mul(tf.expm1(tf.mul(tf.minimum(self, tf.scalar(0)), inputScale)), alpha * scale);
  return where(tf.lessEqual(self, 0), below, tf.mul(self, scale));
}

/** Dropout acts only in training, for which programs are rarely exported. */
const dropouts =
  (run: typeof F.dropout) =>
  (input: tf.Tensor, p: number, train: boolean): tf.Tensor =>
    run(input, { p, training: train });

/** Activations like relu that also accept integers. */
const alsoOfIntegers =
  (run: (x: tf.Tensor) => tf.Tensor) =>
  (self: tf.Tensor): tf.Tensor =>
    self.dtype === "float32" ? run(self) : toDtype(run(toFloat(self)), toNumber(self).dtype);

export const activationOps = defineOps({
  "silu(self)": (self: tf.Tensor) => F.silu(self),
  "mish(self)": (self: tf.Tensor) => F.mish(self),
  "hardswish(self)": (self: tf.Tensor) => F.hardswish(self),
  "hardsigmoid(self)": (self: tf.Tensor) => F.hardsigmoid(self),
  "selu(self)": (self: tf.Tensor) => F.selu(self),
  "log_sigmoid(self)": (self: tf.Tensor) => F.logsigmoid(self),
  "log_sigmoid_forward(self)": (self: tf.Tensor) => [F.logsigmoid(self), tf.zeros([0])],
  "gelu(self, approximate)": (self: tf.Tensor, approximate: "none" | "tanh" = "none") =>
    F.gelu(self, { approximate }),
  "elu(self, alpha, scale, input_scale)": elu,
  "celu(self, alpha)": (self: tf.Tensor, alpha?: number) => F.celu(self, { alpha }),
  "glu(self, dim)": (self: tf.Tensor, dim?: number) => F.glu(self, { dim }),
  "hardtanh(self, min_val, max_val)": (self: tf.Tensor, minVal = -1, maxVal = 1) =>
    alsoOfIntegers((x) =>
      minVal > maxVal ? clamp(x, minVal, maxVal) : F.hardtanh(x, { minVal, maxVal }),
    )(self),
  "hardshrink(self, lambd)": (self: tf.Tensor, lambd?: number) => F.hardshrink(self, { lambd }),
  "softshrink(self, lambd)": (self: tf.Tensor, lambd?: number) => F.softshrink(self, { lambd }),
  "leaky_relu(self, negative_slope)": (self: tf.Tensor, negativeSlope?: number) =>
    F.leakyRelu(self, { negativeSlope }),
  "prelu|_prelu_kernel(self, weight)": prelu,
  "rrelu(self, lower, upper, training, generator)": (
    self: tf.Tensor,
    lower?: number,
    upper?: number,
    training?: boolean,
  ) => F.rrelu(self, { lower, upper, training }),
  "rrelu_with_noise_functional(self, noise, lower, upper, training, generator)": (
    self: tf.Tensor,
    noise: tf.Tensor,
    lower?: number,
    upper?: number,
    training?: boolean,
  ) => [F.rrelu(self, { lower, upper, training }), noise],
  "softplus(self, beta, threshold)": (self: tf.Tensor, beta?: number, threshold?: number) =>
    F.softplus(self, { beta, threshold }),
  "threshold(self, threshold, value)": (self: tf.Tensor, threshold: number, value: number) =>
    alsoOfIntegers((x) => F.threshold(x, threshold, value))(self),
  "softmax.int|special_softmax(self, dim, dtype)": softmaxes(F.softmax),
  "_softmax(self, dim, half_to_float)": softmaxes(F.softmax),
  "log_softmax.int|special_log_softmax(self, dim, dtype)": softmaxes(F.logSoftmax),
  "_log_softmax(self, dim, half_to_float)": softmaxes(F.logSoftmax),
  "_safe_softmax(self, dim, dtype)": safeSoftmax,
  "_masked_softmax(self, mask, dim, mask_type)": (
    self: tf.Tensor,
    mask: tf.Tensor,
    dim: number | null = null,
  ) => F.softmax(where(mask, -Infinity, self), { dim: dim ?? -1 }),
  "dropout(input, p, train)": dropouts(F.dropout),
  "feature_dropout(input, p, train)": dropouts(F.dropout2d),
  "alpha_dropout(input, p, train)": dropouts(F.alphaDropout),
  "feature_alpha_dropout(input, p, train)": dropouts(F.featureAlphaDropout),
  "native_dropout(input, p, train)": (input: tf.Tensor, p: number, train: boolean | null) => {
    const kept = F.dropout(tf.onesLike(input), { p, training: train ?? true });
    return [tf.mul(input, kept), toDtype(kept, "bool")];
  },
});

/** In decomposed programs the weight is already in a shape that broadcasts. */
function prelu(self: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  if (weight.rank <= 1 && weight.size === (self.shape[1] ?? 1)) return F.prelu(self, weight);
  return where(tf.greater(self, 0), self, tf.mul(self, weight));
}
