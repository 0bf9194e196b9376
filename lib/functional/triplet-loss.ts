import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { checkTensor } from "./check.js";
import { distance } from "./distance.js";
import { atLeast } from "./numeric.js";
import { op } from "./op.js";
import { readReduction, REDUCTION, type Reduction, reduceLoss } from "./reduction.js";
import type { ReductionOptions } from "./reduction.js";

export interface TripletMarginLossOptions extends ReductionOptions {
  /**
   * How much smaller the distance to the positive must be than that to the negative; above 0.
   * Default: 1.
   */
  margin?: number;
  /** The norm of the distance. Default: 2. */
  p?: number;
  /** Added to each difference. Default: 1e-6. */
  eps?: number;
  /**
   * Use the negative's distance to the positive if that is less than to the anchor. Default:
   * `false`.
   */
  swap?: boolean;
}

type Distance = (x1: tf.Tensor, x2: tf.Tensor) => tf.Tensor;

function checkTriplet(name: string, triplet: readonly tf.Tensor[], margin: number): void {
  if (!(margin > 0)) throw new Error(`${name}(): margin must be greater than 0, got ${margin}`);
  const names = ["anchor", "positive", "negative"];
  triplet.forEach((one, i) => checkTensor(name, one, names[i], i + 1));
  const [a, p, n] = triplet.map(({ rank }) => rank);
  if (a === p && p === n) return;
  throw new Error(
    `${name}(): The anchor, positive, and negative tensors are expected to have the same number ` +
      `of dimensions, but got: anchor ${a}D, positive ${p}D, and negative ${n}D inputs`,
  );
}

function tripletLoss(
  [anchor, positive, negative]: readonly [tf.Tensor, tf.Tensor, tf.Tensor],
  measure: Distance,
  margin: number,
  swap: boolean,
): tf.Tensor {
  const near = measure(anchor, positive);
  const far = measure(anchor, negative);
  const least = swap ? tf.minimum(far, measure(positive, negative)) : far;
  return atLeast(tf.sub(tf.add(near, margin), least), 0);
}

/**
 * `max(0, d(a, p) - d(a, n) + margin)`, d being the p-norm of the difference.
 *
 * Shapes: anchor, positive and negative `(N, D)` or `(D)` → scalar, or `(N)` without reduction.
 *
 * @throws if the margin is not positive, or the ranks differ.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_loss.html
 */
export const tripletMarginLoss = /* @__PURE__ */ op(
  "triplet_margin_loss",
  (
    anchor: tf.Tensor,
    positive: tf.Tensor,
    negative: tf.Tensor,
    options?: TripletMarginLossOptions,
  ): tf.Tensor => {
    const defaults = { ...REDUCTION, margin: 1, p: 2, eps: 1e-6, swap: false };
    const { margin, p, eps, swap, ...read } = readOptions<Required<TripletMarginLossOptions>>(
      "tripletMarginLoss",
      defaults,
      options,
    );
    const reduction = readReduction("triplet_margin_loss()", read);
    const triplet = [anchor, positive, negative] as const;
    checkTriplet("triplet_margin_loss", triplet, margin);
    const measure: Distance = (a, b) => distance(a, b, p, eps);
    return reduceLoss(tripletLoss(triplet, measure, margin, swap), reduction);
  },
);

export interface TripletMarginWithDistanceLossOptions {
  /** A distance function; `null` (the default) is the Euclidean distance, `pairwiseDistance`. */
  distanceFunction?: Distance | null;
  /**
   * How much smaller the distance to the positive must be than that to the negative; above 0.
   * Default: 1.
   */
  margin?: number;
  /**
   * Use the negative's distance to the positive if that is less than to the anchor. Default:
   * `false`.
   */
  swap?: boolean;
  /** How the single losses are reduced. Default: `"mean"`. */
  reduction?: Reduction;
}

const WITH_DISTANCE: Required<TripletMarginWithDistanceLossOptions> = {
  distanceFunction: null,
  margin: 1,
  swap: false,
  reduction: "mean",
};

/**
 * `max(0, d(a, p) - d(a, n) + margin)` with a given distance d.
 *
 * Shapes: anchor, positive and negative `(N, *)` → scalar, or d's shape without reduction.
 *
 * @throws if the margin is not positive, or the ranks differ.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_with_distance_loss.html
 */
export function tripletMarginWithDistanceLoss(
  anchor: tf.Tensor,
  positive: tf.Tensor,
  negative: tf.Tensor,
  options?: TripletMarginWithDistanceLossOptions,
): tf.Tensor {
  const read = readOptions("tripletMarginWithDistanceLoss", WITH_DISTANCE, options);
  const { distanceFunction, margin, swap } = read;
  const name = "triplet_margin_with_distance_loss";
  const reduction = readReduction(`${name}()`, { ...REDUCTION, reduction: read.reduction });
  const triplet = [anchor, positive, negative] as const;
  checkTriplet(name, triplet, margin);
  const measure = distanceFunction ?? ((a, b) => distance(a, b, 2, 1e-6));
  return tf.tidy(() => reduceLoss(tripletLoss(triplet, measure, margin, swap), reduction));
}
