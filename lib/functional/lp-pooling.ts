import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { avgPool1d, avgPool2d, avgPool3d } from "./avg-pooling.js";
import { asFloat, checkTensor } from "./check.js";
import { maxPool1d, maxPool2d, maxPool3d } from "./max-pooling.js";
import { power } from "./numeric.js";
import { opNd } from "./op.js";
import { type PoolSize, readSize } from "./pooling-windows.js";

export interface LPPoolOptions {
  /** Default: the kernel size. */
  stride?: PoolSize | null;
  /** Also take a last window that is only partly inside. Default: `false`. */
  ceilMode?: boolean;
}

const LP_POOL: Required<LPPoolOptions> = { stride: null, ceilMode: false };

const AVG_POOL = [avgPool1d, avgPool2d, avgPool3d] as const;
const MAX_POOL = [maxPool1d, maxPool2d, maxPool3d] as const;

/** `xᵖ`. On webgl, square and sqrt are more exact than tfjs' pow. */
function raise(x: tf.Tensor, p: number): tf.Tensor {
  if (p === 1) return x;
  if (p === 2) return tf.square(x);
  if (p === 0.5) return tf.sqrt(x);
  return power(x, p);
}

/** The values to average: for integers and an integer p, powers and means are integers too. */
function raised(x: tf.Tensor, p: number): tf.Tensor {
  if (x.dtype === "float32" || !Number.isInteger(p) || p < 1) return raise(asFloat(x), p);
  const base = tf.cast(x, "int32");
  let y = base;
  for (let i = 1; i < p; i += 1) y = tf.mul(y, base);
  return y;
}

function lpPoolNd(
  name: string,
  n: 1 | 2 | 3,
  input: tf.Tensor,
  normType: number,
  kernelSize: PoolSize,
  given?: LPPoolOptions,
): tf.Tensor {
  const options = readOptions<Required<LPPoolOptions>>(name, LP_POOL, given);
  checkTensor(name, input);
  if (normType === 0) {
    throw new RangeError(`${name}: norm_type must be a non-zero value, but got ${normType}`);
  }
  const size = tf.util.sizeFromShape(readSize(name, "kernel_size", kernelSize, n, false));
  const maxPool = MAX_POOL[n - 1]!;
  if (normType === Infinity) return maxPool(tf.abs(input), kernelSize, options);
  if (normType === -Infinity) {
    return tf.neg(maxPool(tf.neg(tf.abs(input)), kernelSize, options));
  }
  const mean = AVG_POOL[n - 1]!(raised(input, normType), kernelSize, options);
  return raise(tf.mul(asFloat(mean), size), 1 / normType);
}

/**
 * `(Σ xᵖ)^(1/p)` of each window; infinity is the maximum of the absolute values.
 *
 * In ceil mode a window that is partly outside counts as if the rest had the same mean, as in
 * PyTorch. Shapes: those of {@link avgPool1d}.
 *
 * @throws if the norm type is 0.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool1d.html
 */
export const lpPool1d = /* @__PURE__ */ opNd("lp_pool", 1, lpPoolNd);

/**
 * `(Σ xᵖ)^(1/p)` of each window, as {@link lpPool1d} over `(N, C, H, W)` or `(C, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool2d.html
 */
export const lpPool2d = /* @__PURE__ */ opNd("lp_pool", 2, lpPoolNd);

/**
 * `(Σ xᵖ)^(1/p)` of each window, as {@link lpPool1d} over `(N, C, D, H, W)` or `(C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool3d.html
 */
export const lpPool3d = /* @__PURE__ */ opNd("lp_pool", 3, lpPoolNd);
