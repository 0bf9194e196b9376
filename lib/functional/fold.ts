import * as tf from "@tensorflow/tfjs-core";
import { expandSize, readOptions } from "../arguments.js";
import { asFloat, checkFloatTensor, checkTensor, listText } from "./check.js";
import { op } from "./op.js";
import { overlapAdd } from "./overlap.js";
import { pad } from "./pad.js";
import { resampleAxis } from "./resample-axis.js";

export interface FoldOptions {
  /** Default: 1. */
  dilation?: number | readonly number[];
  /** Zeros on both sides. Default: 0. */
  padding?: number | readonly number[];
  /** Default: 1. */
  stride?: number | readonly number[];
}

const FOLD: Required<FoldOptions> = { dilation: 1, padding: 0, stride: 1 };

type Pair = [number, number];

interface Windows {
  kernel: Pair;
  dilation: Pair;
  padding: Pair;
  stride: Pair;
  /** The number of windows along each dimension. */
  count: Pair;
}

function readWindows(
  name: string,
  size: readonly number[],
  kernelSize: number | readonly number[],
  options: FoldOptions | undefined,
): Windows {
  const given = readOptions(name, FOLD, options);
  const pair = (what: string, value: number | readonly number[]): Pair =>
    expandSize(`${name}(): ${what}`, value, 2) as Pair;
  const kernel = pair("kernelSize", kernelSize);
  const dilation = pair("dilation", given.dilation);
  const padding = pair("padding", given.padding);
  const stride = pair("stride", given.stride);
  const positive = { kernelSize: kernel, dilation, stride };
  for (const [what, value] of Object.entries(positive)) {
    if (value.some((v) => v <= 0)) {
      throw new Error(
        `${name}(): ${what} should be greater than zero, but got (${value.join(", ")})`,
      );
    }
  }
  if (padding.some((v) => v < 0)) {
    throw new Error(`${name}(): padding should be non-negative, but got (${padding.join(", ")})`);
  }
  const count = size.map((s, i) =>
    Math.floor((s + 2 * padding[i]! - dilation[i]! * (kernel[i]! - 1) - 1) / stride[i]! + 1),
  ) as Pair;
  if (count.some((c) => c < 1)) {
    throw new Error(
      `${name}(): Given input with spatial size (${size.join(", ")}), kernel_size=(${kernel.join(", ")}), ` +
        `dilation=(${dilation.join(", ")}), padding=(${padding.join(", ")}), calculated shape of ` +
        `the array of sliding blocks as (${count.join(", ")}), but its components must be at least one.`,
    );
  }
  return { kernel, dilation, padding, stride, count };
}

/**
 * Extracts sliding windows as columns.
 *
 * Shapes: `(N, C, H, W)` or `(C, H, W)` → `(N, C · KH · KW, L)`, L the number of windows.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html
 */
export const unfold = /* @__PURE__ */ op(
  "im2col",
  (input: tf.Tensor, kernelSize: number | readonly number[], options?: FoldOptions): tf.Tensor => {
    checkTensor("unfold", input);
    // As in PyTorch, booleans are copied, but integers are refused.
    if (input.dtype !== "bool") checkFloatTensor("unfold", input);
    const floats = asFloat(input);
    if (input.rank !== 3 && input.rank !== 4) {
      throw new Error(
        "unfold(): Expected 3D or 4D (batch mode) tensor for input, " +
          `but got: ${listText(input.shape)}`,
      );
    }
    const outer = input.shape.slice(0, -3);
    const [c, ...size] = input.shape.slice(-3);
    const windows = readWindows("unfold", size, kernelSize, options);
    const { kernel, dilation, padding, stride, count } = windows;
    const wanted = [...outer, c! * kernel[0] * kernel[1], count[0] * count[1]];
    if (input.size === 0) return tf.zeros(wanted, input.dtype);
    // For each element of a window, its values in all windows, along one dimension after the other.
    const seen = count.reduce(
      (y: tf.Tensor, along, d) => {
        const places = Array.from({ length: kernel[d]! * along }, (_, i) => [
          Math.floor(i / along) * dilation[d]! + (i % along) * stride[d]!,
        ]);
        return resampleAxis(y, input.rank - 2 + d, { positions: places, weights: [] });
      },
      pad(floats, [padding[1], padding[1], padding[0], padding[0]]),
    );
    const parts = tf.reshape(seen, [-1, kernel[0], count[0], kernel[1], count[1]]);
    const all = tf.reshape(tf.transpose(parts, [0, 1, 3, 2, 4]), wanted);
    return tf.cast(all, input.dtype);
  },
);

/**
 * Puts columns back as windows, and adds them up where they overlap: the transpose of `unfold`.
 *
 * Shapes: `(N, C · KH · KW, L)` or `(C · KH · KW, L)` → `(N, C, H, W)`, (H, W) = outputSize.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fold.html
 */
export const fold = /* @__PURE__ */ op(
  "col2im",
  (
    input: tf.Tensor,
    outputSize: number | readonly number[],
    kernelSize: number | readonly number[],
    options?: FoldOptions,
  ): tf.Tensor => {
    checkFloatTensor("fold", input);
    if (input.rank !== 2 && input.rank !== 3) {
      throw new Error(
        "fold(): Expected 2D or 3D (batch mode) tensor for input, " +
          `but got: ${listText(input.shape)}`,
      );
    }
    const size = expandSize("fold(): outputSize", outputSize, 2) as Pair;
    const windows = readWindows("fold", size, kernelSize, options);
    const [columns, length] = input.shape.slice(-2) as Pair;
    checkColumns(columns, length, windows);
    const [rows, places] = windows.kernel;
    const sum = overlapAdd(input, columns / (rows * places), { ...windows, output: size });
    return input.rank === 3 ? sum : tf.squeeze(sum, [0]);
  },
);

function checkColumns(columns: number, length: number, windows: Windows): void {
  const { kernel, count } = windows;
  if (columns % (kernel[0] * kernel[1]) !== 0) {
    throw new Error(
      "fold(): Expected size of input's dimension 1 to be divisible by the product of kernel_size, " +
        `but got input.size(1)=${columns} and kernel_size=(${kernel.join(", ")}).`,
    );
  }
  if (length !== count[0] * count[1]) {
    throw new Error(
      "fold(): expected size of input's dimension 2 to match the calculated number of sliding " +
        `blocks ${count[0]} * ${count[1]} = ${count[0] * count[1]}, but got input.size(2)=${length}.`,
    );
  }
}
