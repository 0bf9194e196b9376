import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkFloating } from "./broadcast.js";
import { checkTensor, dtypeName, listText } from "./check.js";
import { checkClassWeight } from "./class-targets.js";
import { op } from "./op.js";
import { readReduction, REDUCTION, type ReductionOptions, reduceLoss } from "./reduction.js";

/** `max(0, x)`; also 0 for NaN, which PyTorch's loop skips. */
const positive = (x: tf.Tensor): tf.Tensor => tf.where(tf.greater(x, 0), x, tf.zerosLike(x));

/** The input as `(N, C)`, and the targets, read back. */
function readClasses(
  name: string,
  input: tf.Tensor,
  target: tf.Tensor,
): { table: tf.Tensor; targets: Int32Array } {
  checkTensor(name, input);
  checkTensor(name, target, "target", 2);
  checkFloating(`${name}()`, input);
  const classes = input.shape.at(-1) ?? 1;
  if (input.rank > 2 || classes === 0) {
    throw new Error(
      `${name}(): Expected non-empty vector or matrix with optional 0-dim batch size, ` +
        `but got: ${listText(input.shape)}`,
    );
  }
  if (target.dtype !== "int32") {
    throw new TypeError(`${name}(): expected scalar type Long but found ${dtypeName(target)}`);
  }
  const targets = Int32Array.from(target.dataSync());
  return { table: tf.reshape(input, [input.size / classes, classes]), targets };
}

export interface MultiMarginLossOptions extends ReductionOptions {
  /** The power of each violation, 1 or 2. Default: 1. */
  p?: 1 | 2;
  /** How much larger the target's value must be than the others. Default: 1. */
  margin?: number;
  /** `(C)`: a weight for each class. Default: `null`. */
  weight?: tf.Tensor | null;
}

/**
 * `Σᵢ max(0, margin - xᵧ + xᵢ)ᵖ / C` over all classes i but y.
 *
 * Shapes: input `(N, C)` or `(C)`, target of int32 `(N)` or `()` → scalar, or the target's shape
 * without reduction.
 *
 * @throws if a target is not a class, or the shapes do not match.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multi_margin_loss.html
 */
export const multiMarginLoss = /* @__PURE__ */ op(
  "multi_margin_loss",
  (input: tf.Tensor, target: tf.Tensor, options?: MultiMarginLossOptions): tf.Tensor => {
    const name = "multi_margin_loss";
    const defaults = { ...REDUCTION, p: 1 as const, margin: 1, weight: null };
    const { p, margin, weight, ...read } = readOptions<Required<MultiMarginLossOptions>>(
      "multiMarginLoss",
      defaults,
      options,
    );
    const reduction = readReduction(`${name}()`, read);
    if (p !== 1 && p !== 2) throw new Error(`${name}(): only p == 1 and p == 2 supported`);
    if (weight !== null && weight.rank !== 1) {
      throw new Error(`${name}(): weight must be one-dimensional`);
    }
    const { table, targets } = readClasses(name, input, target);
    const [samples, classes] = table.shape as [number, number];
    if (target.rank > 1 || targets.length !== samples) {
      throw new Error(
        `${name}: target tensor should be 1-D with size equal to the number of input samples ` +
          `(batch size). Expected target size [${samples}], but got ${listText(target.shape)}. ` +
          `Input has shape ${listText(input.shape)}.`,
      );
    }
    const wrong = targets.find((one) => one < 0 || one >= classes);
    if (wrong !== undefined) {
      throw new RangeError(
        `${name}(): target out of range: got ${wrong}, expected 0 to ${classes - 1}`,
      );
    }
    if (weight !== null && weight.size !== classes) {
      throw new Error(
        `${name}(): inconsistent weight size, expected ${classes} but got ${listText(weight.shape)}`,
      );
    }
    if (weight !== null) checkClassWeight(name, weight);
    if (samples === 0)
      return reduceLoss(tf.zeros(target.shape), reduction === "none" ? "none" : "sum");
    const index = tf.tensor1d(targets, "int32");
    const isTarget = tf.tensor2d(
      Array.from(targets, (one) => Array.from({ length: classes }, (_, c) => c === one)),
      [samples, classes],
      "bool",
    );
    const none = tf.zerosLike(table);
    const own = tf.sum(tf.where(isTarget, table, none), 1, true);
    let violations = positive(tf.add(tf.sub(margin, own), table));
    if (p === 2) violations = tf.square(violations);
    if (weight !== null)
      violations = tf.mul(violations, tf.reshape(tf.gather(weight, index), [-1, 1]));
    const losses = tf.div(tf.sum(tf.where(isTarget, none, violations), 1), classes);
    return reduceLoss(tf.reshape(losses, target.shape), reduction);
  },
);

/** The classes of each sample: those before the first -1. */
function classSets(targets: Int32Array, samples: number, classes: number): number[][] {
  const wrong = targets.find((one) => one < -1 || one >= classes);
  if (wrong !== undefined) {
    throw new RangeError(
      "multilabel_margin_loss(): argument #2 'target' is out of range: " +
        `got ${wrong}, expected -1 to ${classes - 1}`,
    );
  }
  return Array.from({ length: samples }, (_, i) => {
    const row = Array.from(targets.subarray(i * classes, (i + 1) * classes));
    const end = row.indexOf(-1);
    return end === -1 ? row : row.slice(0, end);
  });
}

/**
 * `Σ max(0, 1 - (xᵧ - xᵢ)) / C` over all classes y of a sample and all classes i that it does not
 * have.
 *
 * Shapes: input `(N, C)` or `(C)`, target of int32 in the same shape, a row's classes first and then
 * -1 → scalar, or `(N)` without reduction.
 *
 * @throws if a target is neither a class nor -1, or the shapes differ.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_margin_loss.html
 */
export const multilabelMarginLoss = /* @__PURE__ */ op(
  "multilabel_margin_loss",
  (input: tf.Tensor, target: tf.Tensor, options?: ReductionOptions): tf.Tensor => {
    const name = "multilabel_margin_loss";
    const read = readOptions("multilabelMarginLoss", REDUCTION, options);
    const reduction = readReduction(`${name}()`, read);
    const { table, targets } = readClasses(name, input, target);
    if (!tf.util.arraysEqual(input.shape, target.shape)) {
      throw new Error(
        `${name}(): inconsistent target size: ${listText(target.shape)} ` +
          `for input of size: ${listText(input.shape)}`,
      );
    }
    const [samples, classes] = table.shape as [number, number];
    const sets = classSets(targets, samples, classes);
    const shape = input.shape.slice(0, -1);
    const most = Math.max(0, ...sets.map((set) => set.length));
    if (most === 0) return reduceLoss(tf.zeros(shape), reduction === "none" ? "none" : "sum");

    // Indices `(N, most)` of the classes, and a mask `(N, most, C)` of the pairs that count. The
    // indices include the row, because gather with a batch dimension takes values of other rows on
    // wasm.
    const places: number[] = [];
    const pairs: number[] = [];
    sets.forEach((set, n) => {
      for (let i = 0; i < most; i += 1) {
        places.push(n, set[i] ?? 0);
        for (let c = 0; c < classes; c += 1) pairs.push(Number(i < set.length && !set.includes(c)));
      }
    });
    const own = tf.gatherND(table, tf.tensor2d(places, [samples * most, 2], "int32"));
    const gap = tf.sub(tf.reshape(own, [samples, most, 1]), tf.expandDims(table, 1));
    const counted = tf.tensor3d(pairs, [samples, most, classes], "bool");
    const violations = tf.where(counted, positive(tf.sub(1, gap)), tf.zerosLike(gap));
    const losses = tf.div(tf.sum(violations, [1, 2]), classes);
    return reduceLoss(tf.reshape(losses, shape), reduction);
  },
);
