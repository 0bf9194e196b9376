import type { Tensor } from "@tensorflow/tfjs-core";
import type * as nn from "sconce";
import { Affine, NdArray, NeuralNetwork, Sigmoid } from "sconce/reference";
import type { NNTorch } from "./lesson.js";

/** The values of a tensor as a plain float64 array. */
export function toArray(tensor: Tensor): NdArray {
  return new NdArray(tensor.shape, Float64Array.from(tensor.dataSync()));
}

/**
 * The same network with weights `W = weightᵀ`, so that `xW + b` equals PyTorch's `x · weightᵀ + b`.
 */
export function asReference(model: NNTorch): NeuralNetwork {
  const affine = ({ weight, bias }: nn.Linear): Affine =>
    new Affine(toArray(weight).T, toArray(bias!));
  const reference = new NeuralNetwork(2, 4, 3);
  reference.layers = [affine(model.layer1), new Sigmoid(), affine(model.layer2)];
  return reference;
}
