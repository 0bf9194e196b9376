import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import * as F from "../functional/index.js";
import { PairwiseDistance } from "./distance.js";
import { Loss, REDUCTION } from "./loss-base.js";

function checkMargin(name: string, margin: number): void {
  if (margin > 0) return;
  throw new Error(`${name}: expected margin to be greater than 0, got ${margin} instead`);
}

/**
 * `max(0, d(a, p) - d(a, n) + margin)`, d being the p-norm of the difference.
 *
 * Shapes: anchor, positive and negative `(N, D)` or `(D)` → scalar, or `(N)` without reduction.
 *
 * @throws if the margin is not positive.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html
 */
export class TripletMarginLoss extends Loss {
  static override readonly name: string = "TripletMarginLoss";

  readonly margin: number;
  readonly p: number;
  readonly eps: number;
  readonly swap: boolean;

  constructor(options?: F.TripletMarginLossOptions) {
    const defaults = { ...REDUCTION, margin: 1, p: 2, eps: 1e-6, swap: false };
    const read = readOptions(new.target.name, defaults, options);
    checkMargin("TripletMarginLoss", read.margin);
    super(read);
    this.margin = read.margin;
    this.p = read.p;
    this.eps = read.eps;
    this.swap = read.swap;
  }

  override forward(anchor: tf.Tensor, positive: tf.Tensor, negative: tf.Tensor): tf.Tensor {
    const { margin, p, eps, swap, reduction } = this;
    return F.tripletMarginLoss(anchor, positive, negative, { margin, p, eps, swap, reduction });
  }
}

/** A distance: a function of two tensors, or a module. */
export type DistanceFunction = (x1: tf.Tensor, x2: tf.Tensor) => tf.Tensor;

/**
 * `max(0, d(a, p) - d(a, n) + margin)` with a given distance d.
 *
 * Shapes: anchor, positive and negative `(N, *)` → scalar, or d's shape without reduction.
 *
 * @throws if the margin is not positive.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginWithDistanceLoss.html
 */
export class TripletMarginWithDistanceLoss extends Loss {
  static override readonly name: string = "TripletMarginWithDistanceLoss";

  distance_function: DistanceFunction;
  readonly margin: number;
  readonly swap: boolean;

  constructor(options?: F.TripletMarginWithDistanceLossOptions) {
    const { reduction } = REDUCTION;
    const defaults = { distanceFunction: null, margin: 1, swap: false, reduction };
    const read = readOptions<Required<F.TripletMarginWithDistanceLossOptions>>(
      new.target.name,
      defaults,
      options,
    );
    checkMargin("TripletMarginWithDistanceLoss", read.margin);
    super({ ...REDUCTION, reduction: read.reduction });
    this.distance_function = read.distanceFunction ?? new PairwiseDistance();
    this.margin = read.margin;
    this.swap = read.swap;
  }

  override forward(anchor: tf.Tensor, positive: tf.Tensor, negative: tf.Tensor): tf.Tensor {
    const { distance_function: distanceFunction, margin, swap, reduction } = this;
    const options = { distanceFunction, margin, swap, reduction };
    return F.tripletMarginWithDistanceLoss(anchor, positive, negative, options);
  }
}
