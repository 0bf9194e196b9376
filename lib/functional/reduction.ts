import * as tf from "@tensorflow/tfjs-core";
import { dtypeName } from "./check.js";

/** What is made of the single losses: themselves, their mean or their sum. */
export type Reduction = "none" | "mean" | "sum";

export interface ReductionOptions {
  /** What is made of the single losses. Default: `"mean"`. */
  reduction?: Reduction;
  /** Deprecated in PyTorch: with `reduce`, `false` stands for `"sum"`. Default: `null`. */
  sizeAverage?: boolean | null;
  /** Deprecated in PyTorch: `false` stands for `"none"`. Default: `null`. */
  reduce?: boolean | null;
}

export const REDUCTION: Required<ReductionOptions> = {
  reduction: "mean",
  sizeAverage: null,
  reduce: null,
};

/** The reduction that the options ask for, PyTorch's two deprecated ones before it. */
export function legacyReduction({
  reduction,
  sizeAverage,
  reduce,
}: Required<ReductionOptions>): Reduction {
  if (sizeAverage === null && reduce === null) return reduction;
  if (!(reduce ?? true)) return "none";
  return (sizeAverage ?? true) ? "mean" : "sum";
}

/** @throws if it is none of PyTorch's. */
export function readReduction(where: string, options: Required<ReductionOptions>): Reduction {
  const reduction = legacyReduction(options) as string;
  if (reduction === "elementwise_mean") return "mean"; // its old name
  if (reduction === "none" || reduction === "mean" || reduction === "sum") return reduction;
  throw new Error(
    `${where}: ${reduction} is not a valid value for reduction; expected none, mean or sum`,
  );
}

/** All single losses, their mean (NaN of none, and of floats alone) or their sum. */
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
