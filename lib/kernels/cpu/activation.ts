/** What is applied to the results of a product or a convolution before they are stored. */
import type { ElementwiseStep } from "./elementwise-ops.js";
import { type Apply, applySteps } from "./elementwise.js";
import type { Heap } from "./heap.js";

export interface Activation {
  /** Lower bound. Clamping costs nothing: ReLU is `{ low: 0 }`, ReLU6 `{ low: 0, high: 6 }`. */
  low?: number;
  high?: number;
  /**
   * Any other activation, as a chain with one input; it runs after the clamp, while the numbers are
   * in the cache.
   */
  steps?: readonly ElementwiseStep[];
}

export interface Finish {
  low: number;
  high: number;
  apply: Apply | undefined;
}

export function finishOf(heap: Heap, { low, high, steps }: Activation = {}): Finish {
  return {
    low: low ?? -Infinity,
    high: high ?? Infinity,
    apply: steps?.length ? applySteps(heap, steps) : undefined,
  };
}
