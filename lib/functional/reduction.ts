import * as tf from "@tensorflow/tfjs-core";
import { dtypeName } from "./check.js";

/** How single losses are reduced: not at all, to their mean or to their sum. */
export type Reduction = "none" | "mean" | "sum";

export interface ReductionOptions {
  /** How the single losses are reduced. Default: `"mean"`. */
  reduction?: Reduction;
  /** Deprecated, as in PyTorch: `false`, with `reduce`, means `"sum"`. Default: `null`. */
  sizeAverage?: boolean | null;
  /** Deprecated, as in PyTorch: `false` means `"none"`. Default: `null`. */
  reduce?: boolean | null;
}

export const REDUCTION: Required<ReductionOptions> = {
  reduction: "mean",
  sizeAverage: null,
  reduce: null,
};

/** The reduction that the options ask for; PyTorch's two deprecated options take precedence. */
export function legacyReduction({
  reduction,
  sizeAverage,
  reduce,
}: Required<ReductionOptions>): Reduction {
  if (sizeAverage === null && reduce === null) return reduction;
  if (!(reduce ?? true)) return "none";
  return (sizeAverage ?? true) ? "mean" : "sum";
}

/** @throws if it is not one of PyTorch's reductions. */
export function readReduction(where: string, options: Required<ReductionOptions>): Reduction {
  const reduction = legacyReduction(options) as string;
  if (reduction === "elementwise_mean") return "mean"; // its old name
  if (reduction === "none" || reduction === "mean" || reduction === "sum") return reduction;
  throw new Error(
    `${where}: ${reduction} is not a valid value for reduction; expected none, mean or sum`,
  );
}

/** Reduces single losses. The mean of none is NaN, and integers have no mean. */
export function reduceLoss(losses: tf.Tensor, reduction: Reduction): tf.Tensor {
  if (reduction === "none") return losses;
  if (reduction === "mean" && losses.dtype !== "float32") {
    throw new TypeError(
      "mean(): could not infer output dtype. Input dtype must be either a floating point or " +
        `complex dtype. Got: ${dtypeName(losses)}`,
    );
  }
  if (losses.size === 0) return tf.scalar(reduction === "sum" ? 0 : NaN);
  return reduction === "sum" ? tf.sum(losses) : tf.mean(losses);
}
