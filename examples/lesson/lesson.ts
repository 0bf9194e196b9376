/** The lesson on neural-network inference. Each function returns the text of one part. */
import * as tf from "@tensorflow/tfjs-core";
import * as nn from "sconce";
import {
  Affine,
  array,
  formatShape,
  linspace,
  type NdArray,
  NeuralNetwork,
  randn,
  seed,
  Sigmoid,
} from "sconce/reference";
import plot from "simple-ascii-chart";
import { asReference, toArray } from "../models/reference.js";
import { NNTorch } from "../models/lesson.js";
import { NUMPY_PARAMETERS, TORCH_PARAMETERS } from "./document.js";

/** `(10, 2)`: ten samples of two features. */
export function samples(): NdArray {
  seed(0);
  return randn(10, 2);
}

/** A composition of linear functions is linear: f(g(x)) = 3(4x + 1) + 2 = 12x + 5. */
export function composition(): string {
  const f = new Affine(array([[3]]), array([2]));
  const g = new Affine(array([[4]]), array([1]));
  const fg = (x: number): number => f.forward(g.forward(array([[x]]))).data[0]!;
  const slope = fg(1) - fg(0);
  const rows = [-1, 0, 1, 2].map((x) => `x = ${String(x).padStart(2)}   f(g(x)) = ${fg(x)}`);
  return [
    "f(x) = 3x + 2,  g(x) = 4x + 1",
    ...rows,
    `f(g(x)) = ${slope}x + ${fg(0)}: two linear layers are one. So an activation stands between.`,
  ].join("\n");
}

/** Points of the sigmoid at `linspace(-8, 8, 100)`. */
export function sigmoidPoints(): [number, number][] {
  const x = linspace(-8, 8, 100);
  const y = new Sigmoid().forward(x);
  return Array.from(x.data, (value, i) => [value, y.data[i]!]);
}

export function sigmoidPlot(): string {
  return plot(sigmoidPoints(), {
    width: 60,
    height: 13,
    yRange: [0, 1],
    customXAxisTicks: [-8, -4, 0, 4, 8],
    customYAxisTicks: [0, 0.5, 1],
  }).trimEnd();
}

/** The numpy-style network with the document's parameters. */
export function numpyNetwork(): NeuralNetwork {
  const model = new NeuralNetwork(2, 4, 3);
  const { W1, b1, W2, b2 } = NUMPY_PARAMETERS;
  model.layers = [
    new Affine(array(W1), array(b1)),
    new Sigmoid(),
    new Affine(array(W2), array(b2)),
  ];
  return model;
}

/** `print(param.shape); print(param); print()` for each parameter. */
export function numpyParameters(model: NeuralNetwork): string {
  return model.params.map((param) => `${formatShape(param.shape)}\n${String(param)}\n\n`).join("");
}

/** The PyTorch-style network with the document's parameters. */
export function torchNetwork(): NNTorch {
  const model = nn.meta(() => new NNTorch(2, 4, 3));
  const state = Object.entries(TORCH_PARAMETERS).map(([key, values]) => [key, tf.tensor(values)]);
  model.loadStateDict(Object.fromEntries(state) as Record<string, tf.Tensor>);
  tf.dispose(state.map(([, tensor]) => tensor as tf.Tensor));
  return model;
}

/** `print(param.shape); print(param); print()` for each parameter. */
export function torchParameters(model: nn.Module): string {
  const print = (param: nn.Parameter): string =>
    `${nn.formatSize(param.shape)}\n${String(param)}\n\n`;
  return model.parameters().map(print).join("");
}

export function toTensor(array: NdArray): tf.Tensor {
  return tf.tensor(Float32Array.from(array.data), [...array.shape]);
}

/** The largest difference between `xWᵀ + b` in tfjs and `xW + b` in plain arrays. */
export function crossCheck(model: NNTorch, x: NdArray): number {
  const input = toTensor(x);
  const output = model(input);
  const got = output.dataSync();
  // The reference takes the same float32 values that the tensor holds.
  const want = asReference(model).predict(toArray(input)).data;
  tf.dispose([input, output]);
  return Math.max(...Array.from(want, (value, i) => Math.abs(value - got[i]!)));
}
