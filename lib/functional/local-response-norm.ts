import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloatTensor, checkTensor, wrapDim } from "./check.js";
import { meanOfNeighbours } from "./norm.js";
import { atLeast, power } from "./numeric.js";
import { op } from "./op.js";
import { vectorNorm } from "./vector-norm.js";

export interface LocalResponseNormOptions {
  /** The factor of the mean square. Default: 1e-4. */
  alpha?: number;
  /** The exponent. Default: 0.75. */
  beta?: number;
  /** The summand. Default: 1. */
  k?: number;
}

const RESPONSE: Required<LocalResponseNormOptions> = { alpha: 1e-4, beta: 0.75, k: 1 };

/**
 * `x / (k + alpha · mean(x²))^beta`, the mean over `size` neighbouring channels.
 *
 * Shapes: input `(N, C, *)` → the same.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.local_response_norm.html
 */
export const localResponseNorm = /* @__PURE__ */ op(
  "local_response_norm",
  (input: tf.Tensor, size: number, options?: LocalResponseNormOptions): tf.Tensor => {
    const { alpha, beta, k } = readOptions("localResponseNorm", RESPONSE, options);
    checkTensor("local_response_norm", input);
    checkFloatTensor("local_response_norm", input);
    if (input.rank < 3) {
      throw new RangeError(
        `Expected 3D or higher dimensionality input (got ${input.rank} dimensions)`,
      );
    }
    if (!(size > 0)) {
      throw new RangeError(`local_response_norm: size must be greater than zero, but got ${size}`);
    }
    if (input.size === 0) return tf.zeros(input.shape);
    const [before, after] = [Math.floor(size / 2), Math.floor((size - 1) / 2)];
    const mean = meanOfNeighbours(tf.square(input), before, after);
    const scale = tf.add(tf.mul(mean, alpha), k);
    return tf.div(input, power(scale, beta));
  },
);

export interface NormalizeOptions {
  /** The exponent of the norm. Default: 2. */
  p?: number;
  /** The dimension, or dimensions, that the norm is taken along. Default: 1. */
  dim?: number | readonly number[];
  /** The smallest divisor. Default: 1e-12. */
  eps?: number;
}

/**
 * `x / max(‖x‖ₚ, eps)` along a dimension; any shape.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html
 */
export const normalize = /* @__PURE__ */ op(
  "normalize",
  (input: tf.Tensor, options?: NormalizeOptions): tf.Tensor => {
    const defaults = { p: 2, dim: 1, eps: 1e-12 };
    const { p, dim, eps } = readOptions<Required<NormalizeOptions>>("normalize", defaults, options);
    checkTensor("normalize", input);
    checkFloatTensor("normalize", input);
    const dims = typeof dim === "number" ? [dim] : dim;
    const axes = dims.map((one) => wrapDim("normalize", one, input.rank));
    if (input.size === 0) return tf.zeros(input.shape);
    const x = input.rank === 0 ? tf.reshape(input, [1]) : input;
    const y = tf.div(x, atLeast(vectorNorm(x, p, axes, true), eps));
    // On webgl ∞ / ∞ is 1: so the result is multiplied by 1, or by NaN where x is not finite. Only
    // for p > 0, since else the norm of an infinite x may be finite.
    return tf.reshape(p > 0 ? tf.mul(y, tf.add(tf.sub(x, x), 1)) : y, input.shape);
  },
);
