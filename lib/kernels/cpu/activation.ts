/** What is done to the numbers of a product or a convolution before they are stored. */
import type { ElementwiseStep } from "./elementwise-ops.js";
import { type Apply, applySteps } from "./elementwise.js";
import type { Heap } from "./heap.js";

export interface Activation {
  /** Clamps cost nothing: ReLU is `{ low: 0 }`, ReLU6 `{ low: 0, high: 6 }`. */
  low?: number;
  high?: number;
  /** Anything else, a chain of one input, after the clamp; done while the numbers are in the cache. */
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

const GELU_TANH = Math.sqrt(2 / Math.PI);

/** The activations of PyTorch that are more than a clamp, as chains; parameters as PyTorch's. */
export const ACTIVATIONS = {
  sigmoid: (): ElementwiseStep[] => [["sigmoid", 0]],
  tanh: (): ElementwiseStep[] => [["tanh", 0]],
  /** x / (1 + exp(-x)), so that -∞ is NaN, as PyTorch's. */
  silu: (): ElementwiseStep[] => [
    ["neg", 0],
    ["exp", 1],
    ["constant", 1],
    ["add", 2, 3],
    ["div", 0, 4],
  ],
  gelu: (): ElementwiseStep[] => [
    ["constant", Math.SQRT1_2],
    ["mul", 0, 1],
    ["erf", 2],
    ["constant", 1],
    ["add", 3, 4],
    ["constant", 0.5],
    ["mul", 0, 6],
    ["mul", 7, 5],
  ],
  /** x·(1 + tanh u) / 2 = x / (1 + exp(-2u)), which takes half the time. */
  geluTanh: (): ElementwiseStep[] => [
    ["square", 0],
    ["constant", -2 * 0.044715 * GELU_TANH],
    ["mul", 1, 2],
    ["constant", -2 * GELU_TANH],
    ["add", 3, 4],
    ["mul", 0, 5],
    ["exp", 6],
    ["constant", 1],
    ["add", 7, 8],
    ["div", 0, 9],
  ],
  leakyRelu: (negativeSlope = 0.01): ElementwiseStep[] => [
    ["constant", negativeSlope],
    ["mul", 0, 1],
    ["constant", 0],
    ["gt", 0, 3],
    ["where", 4, 0, 2],
  ],
} as const;
