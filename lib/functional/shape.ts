import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkTensor, listText, wrapDim } from "./check.js";
import { op } from "./op.js";

export interface FlattenOptions {
  /** The first dimension to flatten. Default: 0. */
  startDim?: number;
  /** The last dimension to flatten. Default: -1. */
  endDim?: number;
}

/**
 * Joins dimensions `startDim` … `endDim` into one; a scalar becomes a vector of one element.
 *
 * Shapes: `(2, 3, 4)` → `(24,)`, from 1 on `(2, 12)`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.flatten.html
 */
export const flatten = /* @__PURE__ */ op(
  "flatten",
  (input: tf.Tensor, options?: FlattenOptions): tf.Tensor => {
    const { startDim, endDim } = readOptions("flatten", { startDim: 0, endDim: -1 }, options);
    checkTensor("flatten", input);
    const start = wrapDim("flatten", startDim, input.rank);
    const end = wrapDim("flatten", endDim, input.rank);
    if (start > end) {
      throw new RangeError("flatten() has invalid args: start_dim cannot come after end_dim");
    }
    const { shape } = input;
    const middle = tf.util.sizeFromShape(shape.slice(start, end + 1));
    return tf.reshape(input, [...shape.slice(0, start), middle, ...shape.slice(end + 1)]);
  },
);

/**
 * Splits one dimension into several; one of `sizes` may be -1, and is computed from the others.
 *
 * Shapes: `(2, 12)` with dim 1 and sizes `[3, 4]` → `(2, 3, 4)`.
 *
 * @throws if the product of the sizes is not the size of the dimension.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.unflatten.html
 */
export const unflatten = /* @__PURE__ */ op(
  "unflatten",
  (input: tf.Tensor, dim: number, sizes: readonly number[]): tf.Tensor => {
    checkTensor("unflatten", input);
    const at = wrapDim("unflatten", dim, input.rank);
    const size = input.shape[at] ?? 1;
    if (sizes.length === 0) {
      throw new RangeError("unflatten: sizes must be non-empty");
    }
    const known = tf.util.sizeFromShape(sizes.filter((one) => one !== -1));
    const inferred = sizes.map((one) => (one === -1 && known > 0 ? size / known : one));
    if (
      !inferred.every((one) => Number.isInteger(one) && one >= 0) ||
      tf.util.sizeFromShape(inferred) !== size
    ) {
      throw new RangeError(
        `unflatten: Provided sizes ${listText(sizes)} don't multiply up to the size of ` +
          `dim ${at} (${size}) in the input tensor`,
      );
    }
    return tf.reshape(input, [
      ...input.shape.slice(0, at),
      ...inferred,
      ...input.shape.slice(at + 1),
    ]);
  },
);
