import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloatTensor, checkNumberTensor, checkTensor, dtypeName, wrapDim } from "./check.js";
import { largest } from "./numeric.js";
import { op, tryKernel } from "./op.js";
import { sampler } from "./sampler.js";

export interface SoftmaxOptions {
  /** The dimension along which the results sum to 1. Default: 0 for rank 0, 1 and 3, else 1. */
  dim?: number | null;
  /**
   * The dtype to which the input is cast first, so that integers are accepted. tfjs has only
   * float32, which stands for all float types of PyTorch. Default: `null`, no cast.
   */
  dtype?: FloatType | null;
}

/** PyTorch's names of float types. */
export type FloatType = (typeof FLOATS)[number];

const FLOATS = ["float32", "float64", "float16", "bfloat16"] as const;
const SOFTMAX: Required<SoftmaxOptions> = { dim: null, dtype: null };

/** The checked input, and a non-negative dimension. */
function read(
  name: string,
  input: tf.Tensor,
  options: SoftmaxOptions | undefined,
): { x: tf.Tensor; dim: number } {
  const { dim, dtype } = readOptions<Required<SoftmaxOptions>>(name, SOFTMAX, options);
  checkTensor(name, input);
  const type = dtype ?? input.dtype;
  if (!(FLOATS as readonly string[]).includes(type)) {
    throw new TypeError(`${name}(): "${name}" not implemented for '${dtype ?? dtypeName(input)}'`);
  }
  const implicit = [0, 1, 3].includes(input.rank) ? 0 : 1; // PyTorch's default, which is deprecated there
  const x = input.dtype === "float32" ? input : tf.cast(input, "float32");
  return { x, dim: wrapDim(name, dim ?? implicit, input.rank) };
}

/** Subtracts the maximum, so that exp does not overflow. */
function shifted(input: tf.Tensor, dim: number): tf.Tensor {
  return tf.sub(input, largest(input, dim));
}

function normalise(input: tf.Tensor, dim: number): tf.Tensor {
  if (input.size === 0) return tf.clone(input);
  if (input.rank === 0) return tf.add(tf.sub(input, input), 1); // NaN for what is not finite
  const own = tryKernel("softmax along", input, dim, false);
  if (own) return own as tf.Tensor;
  const powers = tf.exp(shifted(input, dim));
  // Not by `div`: on webgl 0 / 0, which a row of nothing but -∞ leads to, is 1.
  return tf.mul(powers, tf.reciprocal(tf.sum(powers, dim, true)));
}

/**
 * `exp(xᵢ) / Σⱼ exp(xⱼ)` along a dimension; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
 */
export const softmax = /* @__PURE__ */ op(
  "softmax",
  (input: tf.Tensor, options?: SoftmaxOptions): tf.Tensor => {
    const { x, dim } = read("softmax", input, options);
    return normalise(x, dim);
  },
);

/**
 * `exp(-xᵢ) / Σⱼ exp(-xⱼ)` along a dimension; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmin.html
 */
export const softmin = /* @__PURE__ */ op(
  "softmin",
  (input: tf.Tensor, options?: SoftmaxOptions): tf.Tensor => {
    checkNumberTensor("softmin", input);
    const { x, dim } = read("softmin", input, options);
    return normalise(tf.neg(x), dim);
  },
);

/**
 * `log(softmax(x))` along a dimension, without its underflow; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
 */
export const logSoftmax = /* @__PURE__ */ op(
  "log_softmax",
  (input: tf.Tensor, options?: SoftmaxOptions): tf.Tensor => {
    const { x, dim } = read("log_softmax", input, options);
    if (x.size === 0) return tf.clone(x);
    if (x.rank === 0) return tf.sub(x, x);
    const own = tryKernel("softmax along", x, dim, true);
    if (own) return own as tf.Tensor;
    const low = shifted(x, dim);
    // Through the reciprocal: on webgl the logarithm of 0, which is the sum of a row of nothing but
    // -∞, is finite; that of ∞ is ∞.
    return tf.add(low, tf.log(tf.reciprocal(tf.sum(tf.exp(low), dim, true))));
  },
);

export interface GumbelSoftmaxOptions {
  /** Temperature. Default: 1. */
  tau?: number;
  /** Give one-hot vectors. Default: `false`. */
  hard?: boolean;
  /** Default: -1. */
  dim?: number;
}

/**
 * A sample of the Gumbel-softmax distribution for unnormalised log-probabilities; any shape. The
 * noise is drawn from the generator that `manualSeed` seeds.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gumbel_softmax.html
 */
export const gumbelSoftmax = /* @__PURE__ */ op(
  "gumbel_softmax",
  (logits: tf.Tensor, options?: GumbelSoftmaxOptions): tf.Tensor => {
    const defaults: Required<GumbelSoftmaxOptions> = { tau: 1, hard: false, dim: -1 };
    const { tau, hard, dim } = readOptions("gumbelSoftmax", defaults, options);
    checkTensor("gumbel_softmax", logits, "logits");
    checkFloatTensor("gumbel_softmax", logits);
    const along = wrapDim("gumbel_softmax", dim, logits.rank);
    // The numbers of `-torch.empty_like(logits).exponential_().log()`, bit for bit before the
    // logarithm.
    const exponential = (): number => Math.fround(-Math.log1p(-sampler().double()));
    const noise = Float32Array.from({ length: logits.size }, () => -Math.log(exponential()));
    const y = normalise(tf.div(tf.add(logits, tf.tensor(noise, logits.shape)), tau), along);
    if (!hard || y.rank === 0) return y;
    const shape = logits.shape.map((size, i) => (i === along ? size : 1));
    const places = tf.reshape(tf.range(0, shape[along]!, 1, "int32"), shape);
    const chosen = tf.expandDims(tf.argMax(y, along), along);
    return tf.cast(tf.equal(places, chosen), "float32");
  },
);
