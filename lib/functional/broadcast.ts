import * as tf from "@tensorflow/tfjs-core";
import { dtypeName } from "./check.js";

/** The shape that two shapes broadcast to; PyTorch's words where they don't. */
export function broadcastShape(
  a: readonly number[],
  b: readonly number[],
  where: string,
): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new Error(
      `${where}: The size of tensor a (${x}) must match the size of tensor b (${y}) ` +
        `at non-singleton dimension ${i}`,
    );
  });
}

/** A tensor repeated to a shape that it broadcasts to. */
export function expand(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  return tf.util.arraysEqual(x.shape, [...shape]) ? x : tf.broadcastTo(x, [...shape]);
}

/** Two tensors, each repeated to the shape of both. */
export function broadcast(where: string, a: tf.Tensor, b: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const shape = broadcastShape(a.shape, b.shape, where);
  return [expand(a, shape), expand(b, shape)];
}

/** Refuses integers and booleans where PyTorch has only a formula for floating-point numbers. */
export function checkFloating(where: string, x: tf.Tensor, name = "input"): void {
  if (x.dtype === "float32") return;
  throw new TypeError(
    `${where}: expected ${name} of a floating point dtype, but got ${dtypeName(x)}`,
  );
}
