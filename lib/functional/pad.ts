import * as tf from "@tensorflow/tfjs-core";
import { describe, readOptions } from "../arguments.js";
import { checkTensor, dtypeName, listText, shapeText } from "./check.js";
import { inDtype } from "./numeric.js";
import { op } from "./op.js";
import { resampleAxis } from "./resample-axis.js";
import { padTensor } from "./pad-tensor.js";
import { paddedPlaces, type PadMode } from "./windows.js";

export interface PadOptions {
  /** Default: `"constant"`. */
  mode?: PadMode;
  /** The value for mode `constant`. Default: 0. */
  value?: number | null;
}

/** How much is added before and after an axis; negative numbers remove elements. */
interface AxisPad {
  axis: number;
  before: number;
  after: number;
}

/**
 * Pads the last dimensions: `pad` is `[left, right]` for the last one, then for the one before it,
 * and so on. Negative numbers remove elements.
 *
 * Shapes: `(*, L)` → `(*, left + L + right)`, and so for each padded dimension.
 *
 * Modes: `constant` for any dimensions; `reflect`, `circular` and `replicate` for the last 1, 2 or
 * 3 dimensions of an input with one or two dimensions more.
 *
 * @throws if `pad` does not match the input: for `reflect` it must be less than the dimension, for
 *   `circular` at most the dimension.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
 */
export const pad = /* @__PURE__ */ op(
  "pad",
  (input: tf.Tensor, padding: readonly number[], options?: PadOptions): tf.Tensor => {
    const { mode, value } = readOptions<Required<PadOptions>>(
      "pad",
      { mode: "constant", value: null },
      options,
    );
    checkTensor("pad", input);
    const axes = readPadding(input, padding);
    if (mode === "constant") {
      return padConstant(input, axes, inDtype(input, value ?? 0));
    }
    checkMode(input, padding, mode, value);
    checkNotEmpty(input, axes.length, mode);
    for (const axis of axes) checkWidth(input.shape, axis, mode);
    if (input.size === 0) return tf.zeros(paddedShape(input, axes), input.dtype);
    let output = input;
    for (const { axis, before, after } of axes) {
      if (before === 0 && after === 0) continue;
      const places = paddedPlaces(input.shape[axis]!, before, after, mode);
      const positions = Array.from(places, (place) => [place]);
      output = resampleAxis(output, axis, { positions, weights: [] });
    }
    return output;
  },
);

function readPadding(input: tf.Tensor, padding: readonly number[]): AxisPad[] {
  const isList: boolean = Array.isArray(padding);
  if (!isList || !padding.every((width) => Number.isInteger(width))) {
    throw new TypeError(`pad(): argument 'pad' must be an array of ints, not ${describe(padding)}`);
  }
  if (padding.length % 2 !== 0) {
    throw new Error(`pad(): Padding length must be divisible by 2, got ${padding.length}`);
  }
  if (padding.length > 2 * input.rank) {
    throw new Error(
      "pad(): Padding length should be less than or equal to two times the input dimension " +
        `but got padding length ${padding.length} and input of dimension ${input.rank}`,
    );
  }
  return Array.from({ length: padding.length / 2 }, (_, i) => ({
    axis: input.rank - 1 - i,
    before: padding[2 * i]!,
    after: padding[2 * i + 1]!,
  }));
}

/** Pads with a constant; negative padding is sliced off first. */
function padConstant(input: tf.Tensor, axes: readonly AxisPad[], value: number): tf.Tensor {
  const begin = input.shape.map(() => 0);
  const size = [...input.shape];
  const pads = input.shape.map((): [number, number] => [0, 0]);
  for (const { axis, before, after } of axes) {
    const [cutBefore, cutAfter] = [Math.min(0, before), Math.min(0, after)];
    size[axis]! += cutBefore + cutAfter;
    if (size[axis]! < 0) {
      throw new Error(
        `pad(): The input size ${input.shape[axis]}, plus negative padding ${cutBefore} and ${cutAfter} ` +
          `resulted in a negative output size, which is invalid. Check dimension ${axis} of your input.`,
      );
    }
    begin[axis] = -cutBefore;
    pads[axis] = [Math.max(0, before), Math.max(0, after)];
  }
  const isCut = axes.some(({ before, after }) => before < 0 || after < 0);
  const kept = isCut ? tf.slice(input, begin, size) : input;
  return pads.some(([a, b]) => a || b) ? padTensor(kept, pads, value) : kept;
}

const MODES: readonly string[] = ["reflect", "replicate", "circular"];

function checkMode(
  input: tf.Tensor,
  padding: readonly number[],
  mode: PadMode,
  value: number | null,
): void {
  if (!MODES.includes(mode)) throw new Error(`pad(): Unrecognised padding mode ${mode}`);
  if (input.dtype === "bool" && mode !== "circular") {
    const kernel = mode === "reflect" ? "reflection_pad" : "replication_pad";
    throw new TypeError(`pad(): "${kernel}" not implemented for '${dtypeName(input)}'`);
  }
  if (value !== null && value !== 0) {
    throw new Error(`pad(): Padding mode "${mode}" doesn't take in value argument`);
  }
  const dims = padding.length / 2;
  if (dims >= 1 && dims <= 3 && (input.rank === dims + 1 || input.rank === dims + 2)) return;
  throw new Error(
    `pad(): Padding size ${padding.length} is not supported for ${input.rank}D input tensor.\n` +
      "Supported combinations for non-constant padding:\n" +
      "  - 2D or 3D input: padding size = 2 (pads last dimension)\n" +
      "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n" +
      "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)",
  );
}

/** Refuses empty inputs: only the batch dimension may be empty, except for `circular`. */
function checkNotEmpty({ rank, shape }: tf.Tensor, dims: number, mode: PadMode): void {
  if (mode === "circular" || !shape.slice(rank - dims - 1).includes(0)) return;
  throw new Error(
    `pad(): Expected ${dims + 1}D or ${dims + 2}D (batch mode) tensor with possibly 0 batch size ` +
      `and other non-zero dimensions for input, but got: ${listText(shape)}`,
  );
}

function paddedShape({ shape }: tf.Tensor, axes: readonly AxisPad[]): number[] {
  const padded = [...shape];
  for (const { axis, before, after } of axes) padded[axis]! += before + after;
  return padded;
}

function checkWidth(
  shape: readonly number[],
  { axis, before, after }: AxisPad,
  mode: PadMode,
): void {
  const size = shape[axis]!;
  const widest = Math.max(before, after);
  const what = (): string =>
    `padding (${before}, ${after}) at dimension ${axis} of input ${shapeText(shape)}`;
  if (mode === "reflect" && widest >= size) {
    throw new Error(
      `pad(): Padding size should be less than the corresponding input dimension, but got: ${what()}`,
    );
  }
  if (mode === "circular" && widest > size) {
    throw new Error(`pad(): Padding value causes wrapping around more than once, got: ${what()}`);
  }
  if (size + before + after <= 0) throw new Error(`pad(): ${what()} leaves nothing`);
}
