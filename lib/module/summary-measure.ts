import * as tf from "@tensorflow/tfjs-core";
import type { Module } from "./module.js";

export const isTensor = (value: unknown): value is tf.Tensor => value instanceof tf.Tensor;

export const times = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const bytesOf = (tensor: tf.Tensor): number =>
  tensor.size * (tensor.dtype === "bool" ? 1 : 4);

/** Shape and size of the first tensor among inputs or outputs. */
export function sizeOf(value: unknown): { shape: number[]; bytes: number } {
  if (isTensor(value)) return { shape: value.shape, bytes: bytesOf(value) };
  if (value === null || typeof value !== "object") return { shape: [], bytes: 0 };
  return sizeOf(Object.values(value)[0]);
}

/** torchinfo's count: every weight once for each output position that it contributes to. */
export function countMultAdds(module: Module, output: readonly number[]): number {
  let sum = 0;
  for (const [name, parameter] of module.namedParameters({ recurse: false })) {
    if (name === "weight" || name === "bias") {
      const places = module.constructor.name.includes("Conv")
        ? times(output.filter((_, axis) => axis !== 1))
        : (output[0] ?? 1);
      sum += parameter.size * places;
    } else if (name.includes("weight") || name.includes("bias")) {
      sum += parameter.size * times(output.slice(0, 2)); // recurrent layers: every time step
    }
  }
  return sum;
}
