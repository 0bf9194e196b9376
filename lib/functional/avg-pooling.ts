import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloatTensor } from "./check.js";
import { opNd, tryKernel } from "./op.js";
import { endPadding, type PoolSize, readWindows } from "./pooling-windows.js";
import type { Axis } from "./windows.js";
import { averageOfWindows } from "./window-average.js";

export interface AvgPool1dOptions {
  /** Default: the kernel size. */
  stride?: PoolSize | null;
  /** Implicit zeros on both sides, at most half the kernel size. Default: 0. */
  padding?: PoolSize;
  /** Also take a last window that is only partly inside. Default: `false`. */
  ceilMode?: boolean;
  /** Whether the zeros of the padding count in the mean. Default: `true`. */
  countIncludePad?: boolean;
}

export interface AvgPoolOptions extends AvgPool1dOptions {
  /** Divide the sums by this, instead of by the number of elements. Default: `null`. */
  divisorOverride?: number | null;
}

const AVG_POOL_1D: Required<AvgPool1dOptions> = {
  stride: null,
  padding: 0,
  ceilMode: false,
  countIncludePad: true,
};

const AVG_POOL: Required<AvgPoolOptions> = { ...AVG_POOL_1D, divisorOverride: null };

/** The number of elements that each window along a dimension counts. */
function counts({ input, kernel, stride, padding, output }: Axis, includePad: boolean): number[] {
  const end = includePad ? input + padding : input;
  return Array.from({ length: output }, (_, o) => {
    const start = o * stride - padding;
    return Math.min(start + kernel, end) - (includePad ? start : Math.max(start, 0));
  });
}

/** The divisors of the sums of windows. */
function divisorsOf(
  axes: readonly Axis[],
  { countIncludePad, divisorOverride }: Required<AvgPoolOptions>,
): number[] {
  let divisors = [1];
  for (const axis of axes) {
    const along = counts(axis, countIncludePad);
    divisors = divisors.flatMap((divisor) => along.map((count) => divisor * count));
  }
  return divisorOverride === null ? divisors : divisors.map(() => divisorOverride);
}

/**
 * Turns means over whole windows into PyTorch's: of other divisors, and for integers without the
 * fraction.
 */
function rescale(
  y: tf.Tensor,
  axes: readonly Axis[],
  dtype: tf.DataType,
  options: Required<AvgPoolOptions>,
): tf.Tensor {
  const whole = tf.util.sizeFromShape(axes.map(({ kernel }) => kernel));
  const divisors = divisorsOf(axes, options);
  const shape = [1, ...axes.map(({ output }) => output)];
  if (dtype === "int32") {
    const sums = tf.round(tf.mul(y, whole));
    return tf.cast(tf.div(sums, tf.tensor(divisors, shape)), "int32");
  }
  if (divisors.every((divisor) => divisor === whole)) return y;
  const factors = divisors.map((divisor) => whole / divisor);
  return tf.mul(y, tf.tensor(factors, shape));
}

/** Only in three dimensions PyTorch requires the unpadded input to be as large as a window. */
function checkSize(name: string, axes: readonly Axis[]): void {
  if (axes.every(({ input, kernel }) => input >= kernel)) return;
  const list = (what: "input" | "kernel", prefix: string): string =>
    axes.map((axis, i) => `${prefix}${"THW"[i]}: ${axis[what]}`).join(" ");
  throw new RangeError(
    `${name}(): input image (${list("input", "")}) smaller than kernel size (${list("kernel", "k")})`,
  );
}

function avgPoolNd(
  name: string,
  n: number,
  input: tf.Tensor,
  kernelSize: PoolSize,
  given?: AvgPoolOptions,
): tf.Tensor {
  const known = n === 1 ? AVG_POOL_1D : AVG_POOL;
  const options = { ...AVG_POOL, ...readOptions<Required<AvgPool1dOptions>>(name, known, given) };
  const { shape, axes } = readWindows(name, n, input, kernelSize, options);
  if (input.dtype !== "int32") checkFloatTensor(name, input);
  if (options.divisorOverride === 0) throw new RangeError(`${name}(): divisor must be not zero`);
  if (n === 3) checkSize(name, axes);
  const output = [...input.shape.slice(0, -n), ...axes.map((axis) => axis.output)];
  if (input.size === 0) return tf.zeros(output, input.dtype);

  const own = tryKernel("pool", tf.reshape(input, shape), axes, "avg", options);
  if (own !== null) return tf.reshape(own as tf.Tensor, output);
  const pads = axes.map((axis): [number, number] => [axis.padding, endPadding(axis)]);
  const planes = tf.reshape(tf.cast(input, "float32"), shape);
  const isPadded = pads.some(([before, after]) => before + after > 0);
  const padded = isPadded ? tf.pad(planes, [[0, 0], ...pads]) : planes;
  const y = averageOfWindows(
    padded,
    axes.map((axis) => ({ ...axis, padding: 0 })),
  );
  return tf.reshape(rescale(y, axes, input.dtype, options), output);
}

/**
 * The mean of each window.
 *
 * Shapes: `(N, C, L)` or `(C, L)` → the same with `⌊(L + 2·padding - kernel)/stride⌋ + 1` in the
 * place of L (rounded up in ceil mode, but the last window starts inside). Means of integers are
 * integers, cut off towards 0.
 *
 * @throws if the padding is more than half the kernel, or the output would be empty.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool1d.html
 */
export const avgPool1d: (
  input: tf.Tensor,
  kernelSize: PoolSize,
  options?: AvgPool1dOptions,
) => tf.Tensor = /* @__PURE__ */ opNd("avg_pool", 1, avgPoolNd);

/**
 * The mean of each window, as {@link avgPool1d} over `(N, C, H, W)` or `(C, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html
 */
export const avgPool2d = /* @__PURE__ */ opNd("avg_pool", 2, avgPoolNd);

/**
 * The mean of each window, as {@link avgPool1d} over `(N, C, D, H, W)` or `(C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool3d.html
 */
export const avgPool3d = /* @__PURE__ */ opNd("avg_pool", 3, avgPoolNd);
