import * as tf from "@tensorflow/tfjs-core";
import { checkTensor, listText } from "./check.js";
import type { Axis, Windows } from "./windows.js";

/** One number for all dimensions, or one for each. */
export type PoolSize = number | readonly number[];

export interface WindowOptions {
  /** `null`, `[]` or absent: the kernel size. */
  stride?: PoolSize | null;
  /** Default: 0. */
  padding?: PoolSize;
  /** Default: 1. */
  dilation?: PoolSize;
  /** Default: `false`. */
  ceilMode?: boolean;
}

const COUNTS = ["", "one", "two", "three"];

/**
 * Expands a size: `3`, `[3]` and `[3, 3]` become `[3, 3]`; `[3]` only where PyTorch accepts such a
 * list.
 */
export function readSize(
  op: string,
  name: string,
  value: PoolSize,
  n: number,
  expands = true,
): number[] {
  const sizes = typeof value === "number" ? [value] : [...value];
  if (sizes.length !== n && !(sizes.length === 1 && (expands || typeof value === "number"))) {
    const tuple = n === 1 ? "" : `, or a tuple of ${COUNTS[n]} ints`;
    throw new RangeError(
      `${op}: ${name} must either be a single int${tuple}, but got ${listText(sizes)}`,
    );
  }
  for (const size of sizes) {
    if (!Number.isInteger(size)) {
      throw new TypeError(`${op}(): argument '${name}' must be tuple of ints, but got ${size}`);
    }
  }
  return sizes.length === n ? sizes : new Array<number>(n).fill(sizes[0]!);
}

/**
 * The input's shape as `(planes, ...spatial)`, whether it has a batch dimension or not. Of the
 * dimensions before index `first` (the batch, if there is one), some may be empty.
 */
export function planeShape(
  op: string,
  input: tf.Tensor,
  n: number,
  first: number = input.rank - n - 1,
): number[] {
  checkTensor(op, input);
  const { shape, rank } = input;
  if ((rank === n + 1 || rank === n + 2) && !shape.slice(first).includes(0)) {
    return [tf.util.sizeFromShape(shape.slice(0, rank - n)), ...shape.slice(rank - n)];
  }
  throw new RangeError(
    `${op}(): Expected ${n + 1}D or ${n + 2}D (batch mode) tensor with optional 0 dim batch size ` +
      `for input, but got:${listText(shape)}`,
  );
}

/** How far the last window reaches past the end of the input. */
export function endPadding({ input, kernel, stride, padding, output }: Axis): number {
  return Math.max(0, (output - 1) * stride + kernel - padding - input);
}

/** PyTorch's `pooling_output_shape`. With `ceilMode`, the last window still has to start inside. */
function outputSize({ input, kernel, stride, padding, dilation }: Axis, ceilMode: boolean): number {
  const room = input + 2 * padding - dilation * (kernel - 1) - 1;
  const size = Math.floor((room + (ceilMode ? stride - 1 : 0)) / stride) + 1;
  return ceilMode && (size - 1) * stride >= input + padding ? size - 1 : size;
}

type Steps = Omit<Axis, "input" | "output">;

function checkSteps(op: string, { kernel, stride, padding, dilation }: Steps): void {
  const positive = { kernel_size: kernel, stride, dilation };
  for (const [name, value] of Object.entries(positive)) {
    if (value > 0) continue;
    throw new RangeError(`${op}(): ${name} should be greater than zero, but got ${value}`);
  }
  if (padding < 0)
    throw new RangeError(`${op}(): pad must be non-negative, but got pad: ${padding}`);
  if (padding > kernel / 2) {
    throw new RangeError(
      `${op}(): pad should be at most half of effective kernel size, ` +
        `but got pad=${padding}, kernel_size=${kernel} and dilation=${dilation}`,
    );
  }
}

/**
 * Checks a pooling's arguments as PyTorch does. Returns the input's `(planes, ...spatial)`, and the
 * windows along each spatial dimension.
 */
export function readWindows(
  op: string,
  n: number,
  input: tf.Tensor,
  kernelSize: PoolSize,
  { stride, padding = 0, dilation = 1, ceilMode = false }: WindowOptions,
): { shape: number[]; axes: Axis[] } {
  checkTensor(op, input);
  const kernels = readSize(op, "kernel_size", kernelSize, n);
  const isStrideGiven = typeof stride === "number" || (stride ?? []).length > 0;
  const strides = readSize(op, "stride", isStrideGiven ? stride! : kernels, n);
  const paddings = readSize(op, "padding", padding, n);
  const dilations = readSize(op, "dilation", dilation, n);
  const steps = kernels.map((kernel, i) => {
    const along = { kernel, stride: strides[i]!, padding: paddings[i]!, dilation: dilations[i]! };
    checkSteps(op, along);
    return along;
  });
  const shape = planeShape(op, input, n);
  const spatial = shape.slice(1);
  const axes = steps.map((along, i): Axis => {
    const axis = { ...along, input: spatial[i]!, output: 0 };
    return { ...axis, output: outputSize(axis, ceilMode) };
  });
  if (axes.every(({ output }) => output > 0)) return { shape, axes };
  throw new RangeError(
    `${op}(): Given input size: (${spatial.join("x")}). ` +
      `Calculated output size: (${axes.map(({ output }) => output).join("x")}). ` +
      "Output size is too small",
  );
}

/** For each output of a plane, the flat indices of its window; all windows have one size. */
export function planeTaps(windows: readonly Windows[], spatial: readonly number[]): number[] {
  let flat: Windows = [[0]];
  windows.forEach((axis, d) => {
    const size = spatial[d]!;
    flat = flat.flatMap((outer) =>
      axis.map((inner) => outer.flatMap((a) => inner.map((b) => a * size + b))),
    );
  });
  return flat.flat();
}
