import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkTensor, dtypeName } from "./check.js";
import { op } from "./op.js";

/**
 * 1 at the index of each class, else 0.
 *
 * Shapes: `(*)` of int32 → `(*, numClasses)` of int32. Default of `numClasses`: the highest class
 * plus one.
 *
 * @throws if a class is negative or not below `numClasses`, or the input is not of integers.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.one_hot.html
 */
export const oneHot = /* @__PURE__ */ op(
  "one_hot",
  (input: tf.Tensor, options?: { numClasses?: number }): tf.Tensor => {
    const { numClasses } = readOptions("oneHot", { numClasses: -1 }, options);
    checkTensor("one_hot", input, "tensor");
    if (input.dtype !== "int32") {
      throw new TypeError(
        "one_hot is only applicable to index tensor of type LongTensor, " +
          `but got ${dtypeName(input)}`,
      );
    }
    if (input.size === 0) {
      if (numClasses > 0) return tf.zeros([...input.shape, numClasses], "int32");
      throw new Error("Can not infer total number of classes from empty tensor.");
    }
    const classes = Array.from(input.dataSync());
    const lowest = classes.reduce((a, b) => Math.min(a, b));
    const highest = classes.reduce((a, b) => Math.max(a, b));
    if (lowest < 0) throw new RangeError(`Class values must be non-negative, got ${lowest}.`);
    const count = numClasses === -1 ? highest + 1 : numClasses;
    if (highest >= count) {
      throw new RangeError(
        `Class values must be smaller than num_classes: got ${highest}, expected below ${count}.`,
      );
    }
    if (count === 1) return tf.ones([...input.shape, 1], "int32"); // which tf.oneHot refuses
    return tf.oneHot(input, count, 1, 0, "int32");
  },
);
