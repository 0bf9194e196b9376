import * as tf from "@tensorflow/tfjs-core";
import { dtypeName } from "./check.js";

/** The shape that two shapes broadcast to. @throws with PyTorch's message if they do not. */
export function broadcastShape(a: readonly number[], b: readonly number[], where = ""): number[] {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  // From the last dimension on, so that the message names the same dimension as PyTorch's.
  for (let i = rank - 1; i >= 0; i -= 1) {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new Error(
        `${where && `${where}: `}The size of tensor a (${x}) must match the size of tensor b (${y}) ` +
          `at non-singleton dimension ${i}`,
      );
    }
    shape[i] = x === 1 ? y : x;
  }
  return shape;
}

/** Repeats a tensor to a shape that it broadcasts to. */
export function expand(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  return tf.util.arraysEqual(x.shape, [...shape]) ? x : tf.broadcastTo(x, [...shape]);
}

/** Repeats both tensors to their common shape. */
export function broadcast(where: string, a: tf.Tensor, b: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const shape = broadcastShape(a.shape, b.shape, where);
  return [expand(a, shape), expand(b, shape)];
}

/** Refuses integers and booleans where PyTorch supports only floating-point numbers. */
export function checkFloating(where: string, x: tf.Tensor, name = "input"): void {
  if (x.dtype === "float32") return;
  throw new TypeError(
    `${where}: expected ${name} of a floating point dtype, but got ${dtypeName(x)}`,
  );
}
