/**
 * Refuses invalid values: targets that are not classes, probabilities above 1, lengths that do not
 * add up.
 */
import * as tf from "@tensorflow/tfjs-core";
import { listText } from "../../../functional/check.js";
import { around } from "../support/shape.js";
import { areReadable, placesOf } from "./places.js";

/** The first invalid target, if there is one. */
function wrongTarget(target: tf.Tensor, classes: number, ignored?: number): number | undefined {
  if (target.size === 0 || !areReadable()) return undefined;
  const [least, most] = placesOf(target);
  if (least >= 0 && most < classes) return undefined;
  return target.dataSync().find((one) => one !== ignored && (one < 0 || one >= classes));
}

/** Checks targets that are classes; probabilities are floats. */
function checkTargets(
  self: tf.Tensor,
  target: tf.Tensor,
  _weight: unknown,
  _reduction: unknown,
  ignoreIndex = -100,
): void {
  if (target.dtype === "float32") return;
  const [batch, other] = [self.shape[0], target.shape[0]];
  if (self.rank > 1 && batch !== other) {
    throw new RangeError(
      `Expected input batch_size (${batch}) to match target batch_size (${other}).`,
    );
  }
  const wrong = wrongTarget(target, self.shape[self.rank === 1 ? 0 : 1]!, ignoreIndex);
  if (wrong !== undefined) throw new RangeError(`Target ${wrong} is out of bounds.`);
}

function checkMargins(self: tf.Tensor, target: tf.Tensor, p = 1): void {
  if (p !== 1 && p !== 2) throw new RangeError("only p == 1 and p == 2 supported");
  const wrong = wrongTarget(target, self.shape.at(-1) ?? 1);
  if (wrong !== undefined) throw new RangeError("target out of range");
}

function checkShares(self: tf.Tensor, target: tf.Tensor): void {
  if (!areReadable()) return;
  for (const [name, x] of [["input", self], ["target", target]] as const) {
    if (x.dataSync().every((one) => one >= 0 && one <= 1)) continue;
    throw new RangeError(`all elements of ${name} should be between 0 and 1`);
  } // prettier-ignore
}

function checkSegments(
  data: tf.Tensor,
  _reduce: string,
  lengths: tf.Tensor | null = null,
  _indices: unknown = null,
  _offsets: unknown = null,
  axis = 0,
  unsafe = false,
): void {
  if (lengths === null || unsafe || !areReadable()) return;
  const given = lengths.dataSync();
  if (given.some((one) => one < 0)) throw new RangeError("lengths contains negative value!");
  const [, size] = around(data, axis);
  const per = lengths.shape.at(-1)!;
  for (let i = 0; i < given.length; i += per) {
    let sum = 0;
    for (let k = i; k < i + per; k += 1) sum += given[k]!;
    if (sum === size) continue;
    throw new RangeError(
      "segment_reduce(): Expected all rows of lengths along axis to sum to " +
        "data.size(lengths.dim()-1) when !unsafe.",
    );
  }
}

function sameIndices(self: tf.Tensor, indices: tf.Tensor, size: readonly number[]): void {
  if (String(self.shape) !== String(indices.shape)) {
    throw new RangeError(
      "Expected shape of indices to be same as that of the input tensor " +
        `(${listText(self.shape)}) but got indices tensor with shape: ${listText(indices.shape)}`,
    );
  }
  if (indices.size === 0 || !areReadable()) return;
  const [least, most] = placesOf(indices);
  if (least >= 0 && most < tf.util.sizeFromShape([...size])) return;
  throw new RangeError(
    `Found an invalid max index: ${least < 0 ? least : most} (output volumes are of size ${size.join("x")})`,
  );
}

export const VALUE_REFUSALS = {
  nll_loss: checkTargets,
  nll_loss2d: checkTargets,
  nll_loss_nd: checkTargets,
  nll_loss_forward: checkTargets,
  nll_loss2d_forward: checkTargets,
  cross_entropy_loss: checkTargets,
  multi_margin_loss: checkMargins,
  binary_cross_entropy: checkShares,
  segment_reduce: checkSegments,
  max_unpool2d: sameIndices,
  max_unpool3d: sameIndices,
};
