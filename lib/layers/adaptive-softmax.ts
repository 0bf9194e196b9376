import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import {
  adaptiveLogProbabilities,
  adaptiveLogSoftmax,
  mostProbable,
} from "../functional/adaptive-softmax.js";
import { Module, ModuleList, Sequential } from "../module/index.js";
import { Linear } from "./linear.js";

export interface AdaptiveLogSoftmaxOptions {
  /** The factor by which each cluster's projection is smaller than the one before. Default: 4. */
  divValue?: number;
  /** The head has a bias. Default: `false`. */
  headBias?: boolean;
}

type Layer = (x: tf.Tensor) => tf.Tensor;

/**
 * The log-probabilities of targets among very many classes. The classes from one cutoff to the next
 * are a cluster of rarer classes, which has a smaller projection.
 *
 * Shapes: `(N, inFeatures)` and `(N)` of int32, or `(inFeatures)` and `()` → the targets'
 * log-probabilities `(N)` or `()`, and the loss, a scalar.
 *
 * @throws if the cutoffs are not increasing between 1 and nClasses - 1, or a target is not a class.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html
 */
export class AdaptiveLogSoftmaxWithLoss extends Module {
  static override readonly name: string = "AdaptiveLogSoftmaxWithLoss";

  readonly cutoffs: readonly number[];
  readonly divValue: number;
  readonly headBias: boolean;
  head: Linear;
  tail: ModuleList;

  constructor(
    readonly inFeatures: number,
    readonly nClasses: number,
    cutoffs: readonly number[],
    options?: AdaptiveLogSoftmaxOptions,
  ) {
    super();
    const defaults = { divValue: 4, headBias: false };
    const { divValue, headBias } = readOptions(this.constructor.name, defaults, options);
    checkCutoffs(cutoffs, nClasses);
    this.cutoffs = [...cutoffs, nClasses];
    this.divValue = divValue;
    this.headBias = headBias;
    const clusters = cutoffs.length;
    this.head = new Linear(inFeatures, cutoffs[0]! + clusters, { bias: headBias });
    this.tail = new ModuleList();
    for (let i = 0; i < clusters; i += 1) {
      const hidden = Math.floor(inFeatures / divValue ** (i + 1));
      const size = this.cutoffs[i + 1]! - this.cutoffs[i]!;
      const down = new Linear(inFeatures, hidden, { bias: false });
      this.tail.append(new Sequential(down, new Linear(hidden, size, { bias: false })));
    }
  }

  resetParameters(): void {
    this.head.resetParameters();
    for (const projection of this.tail) {
      for (const layer of projection.children()) (layer as Linear).resetParameters();
    }
  }

  private get tails(): Layer[] {
    return [...this.tail] as Sequential[];
  }

  override forward(input: tf.Tensor, target: tf.Tensor): [output: tf.Tensor, loss: tf.Tensor] {
    return adaptiveLogSoftmax(input, target, this.cutoffs, this.head, this.tails);
  }

  /** The log-probabilities `(N, nClasses)` of all classes. */
  logProb(input: tf.Tensor): tf.Tensor {
    return adaptiveLogProbabilities(input, this.cutoffs[0]!, this.head, this.tails);
  }

  /** The most probable class `(N)`, of int32. */
  predict(input: tf.Tensor): tf.Tensor {
    return mostProbable(this.logProb(input));
  }
}

function checkCutoffs(cutoffs: readonly number[], nClasses: number): void {
  if (cutoffs.length === 0) {
    throw new Error(
      "AdaptiveLogSoftmaxWithLoss: cutoffs should be a sequence of length larger than 0",
    );
  }
  const rises = cutoffs.every((cutoff, i) => cutoff > (i === 0 ? 0 : cutoffs[i - 1]!));
  if (rises && cutoffs.every(Number.isInteger) && cutoffs.at(-1)! <= nClasses - 1) return;
  throw new Error(
    "AdaptiveLogSoftmaxWithLoss: cutoffs should be a sequence of unique, positive integers sorted " +
      "in an increasing order, where each value is between 1 and n_classes-1, " +
      `got [${cutoffs.join(", ")}] and n_classes=${nClasses}`,
  );
}
