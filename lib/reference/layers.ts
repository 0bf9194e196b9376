import { array, type ArrayLike, type NdArray } from "./nd-array.js";
import { randn } from "./random-state.js";

/** A layer of the network: its parameters, and the function that it computes. */
export interface Layer {
  readonly params: readonly NdArray[];
  forward(x: ArrayLike): NdArray;
}

/** `x W + b`: x is (N, in) or (in), W (in, out), b (out), the result (N, out) or (out). */
export class Affine implements Layer {
  readonly params: readonly [W: NdArray, b: NdArray];

  constructor(W: ArrayLike, b: ArrayLike) {
    this.params = [array(W), array(b)];
  }

  forward(x: ArrayLike): NdArray {
    const [W, b] = this.params;
    return array(x).matmul(W).add(b);
  }
}

/** `1 / (1 + e^(-x))` for each number: between 0 and 1, and 0.5 at x = 0. It has no parameters. */
export class Sigmoid implements Layer {
  readonly params: readonly NdArray[] = [];

  forward(x: ArrayLike): NdArray {
    return array(x).map((value) => 1 / (1 + Math.exp(-value)));
  }
}

/**
 * The network of the lesson: affine, sigmoid, affine, with random weights of the standard normal
 * distribution, drawn in the order W1, b1, W2, b2 as `np.random.randn` draws them after
 * `np.random.seed`.
 */
export class NeuralNetwork {
  layers: Layer[];

  constructor(inputSize = 2, hiddenSize = 4, outputSize = 3) {
    const W1 = randn(inputSize, hiddenSize);
    const b1 = randn(hiddenSize);
    const W2 = randn(hiddenSize, outputSize);
    const b2 = randn(outputSize);
    this.layers = [new Affine(W1, b1), new Sigmoid(), new Affine(W2, b2)];
  }

  /** The parameters of all layers: W1, b1, W2, b2. */
  get params(): NdArray[] {
    return this.layers.flatMap((layer) => layer.params);
  }

  /** The output of the network: (N, inputSize) to (N, outputSize). */
  predict(x: ArrayLike): NdArray {
    return this.layers.reduce((value, layer) => layer.forward(value), array(x));
  }
}
