import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloatTensor } from "./check.js";
import { op } from "./op.js";
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

/** How many elements each window along a dimension counts. */
function counts({ input, kernel, stride, padding, output }: Axis, includePad: boolean): number[] {
  const end = includePad ? input + padding : input;
  return Array.from({ length: output }, (_, o) => {
    const start = o * stride - padding;
    return Math.min(start + kernel, end) - (includePad ? start : Math.max(start, 0));
  });
}

/** What turns a mean over whole kernels into PyTorch's: kernel size / divisor, or 1 for all. */
function rescale(
  axes: readonly Axis[],
  { countIncludePad, divisorOverride }: Required<AvgPoolOptions>,
): tf.Tensor | number {
  const whole = tf.util.sizeFromShape(axes.map(({ kernel }) => kernel));
  if (divisorOverride !== null) return whole / divisorOverride;
  let divisors = [1];
  for (const axis of axes) {
    const along = counts(axis, countIncludePad);
    divisors = divisors.flatMap((divisor) => along.map((count) => divisor * count));
  }
  if (divisors.every((divisor) => divisor === whole)) return 1;
  const factors = divisors.map((divisor) => whole / divisor);
  return tf.tensor(factors, [1, ...axes.map(({ output }) => output)]);
}

/** Only of three dimensions does PyTorch ask that the picture without padding is as large as a window. */
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
  options: Required<AvgPoolOptions>,
): tf.Tensor {
  const { shape, axes } = readWindows(name, n, input, kernelSize, options);
  checkFloatTensor(name, input);
  if (options.divisorOverride === 0) throw new RangeError(`${name}(): divisor must be not zero`);
  if (n === 3) checkSize(name, axes);
  const output = [...input.shape.slice(0, -n), ...axes.map((axis) => axis.output)];
  if (input.size === 0) return tf.zeros(output);

  const pads = axes.map((axis): [number, number] => [axis.padding, endPadding(axis)]);
  const planes = tf.reshape(input, shape);
  const isPadded = pads.some(([before, after]) => before + after > 0);
  const padded = isPadded ? tf.pad(planes, [[0, 0], ...pads]) : planes;
  const y = averageOfWindows(padded, axes);
  const factor = rescale(axes, options);
  return tf.reshape(factor === 1 ? y : tf.mul(y, factor), output);
}

/**
 * The mean of each window.
 *
 * Shapes: `(N, C, L)` or `(C, L)` → the same with `⌊(L + 2·padding - kernel)/stride⌋ + 1` in the
 * place of L (rounded up in ceil mode, but the last window starts inside).
 *
 * @throws if the padding is more than half the kernel, or the output would be empty.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool1d.html
 */
export const avgPool1d = /* @__PURE__ */ op(
  "avg_pool1d",
  (input: tf.Tensor, kernelSize: PoolSize, options?: AvgPool1dOptions): tf.Tensor => {
    const read = readOptions<Required<AvgPool1dOptions>>("avg_pool1d", AVG_POOL_1D, options);
    return avgPoolNd("avg_pool1d", 1, input, kernelSize, { ...read, divisorOverride: null });
  },
);

/**
 * The mean of each window, as {@link avgPool1d} over `(N, C, H, W)` or `(C, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html
 */
export const avgPool2d = /* @__PURE__ */ op(
  "avg_pool2d",
  (input: tf.Tensor, kernelSize: PoolSize, options?: AvgPoolOptions): tf.Tensor =>
    avgPoolNd(
      "avg_pool2d",
      2,
      input,
      kernelSize,
      readOptions<Required<AvgPoolOptions>>("avg_pool2d", AVG_POOL, options),
    ),
);

/**
 * The mean of each window, as {@link avgPool1d} over `(N, C, D, H, W)` or `(C, D, H, W)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool3d.html
 */
export const avgPool3d = /* @__PURE__ */ op(
  "avg_pool3d",
  (input: tf.Tensor, kernelSize: PoolSize, options?: AvgPoolOptions): tf.Tensor =>
    avgPoolNd(
      "avg_pool3d",
      3,
      input,
      kernelSize,
      readOptions<Required<AvgPoolOptions>>("avg_pool3d", AVG_POOL, options),
    ),
);
