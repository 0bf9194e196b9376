import * as tf from "@tensorflow/tfjs-core";
import * as random from "../random/index.js";
import { noteDraw } from "./call.js";

export { manualSeed } from "../random/index.js";

/** A size given as `rand(2, 3)` or `rand([2, 3])`. */
type SizeArguments = readonly number[] | readonly [readonly number[]];

function readSize(size: SizeArguments): number[] {
  return (Array.isArray(size[0]) ? [...(size[0] as number[])] : [...size]) as number[];
}

/**
 * U(0, 1): the numbers of `torch.rand(*size)` after the same `manualSeed`, bit for bit.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.rand.html
 */
export function rand(...size: SizeArguments): tf.Tensor {
  noteDraw();
  const shape = readSize(size);
  return tf.tensor(random.rand(tf.util.sizeFromShape(shape)), shape);
}

/**
 * N(0, 1): the numbers of `torch.randn(*size)` after the same `manualSeed`, bit for bit on x86 (on ARM PyTorch itself differs in the last bits).
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.randn.html
 */
export function randn(...size: SizeArguments): tf.Tensor {
  noteDraw();
  const shape = readSize(size);
  return tf.tensor(random.randn(tf.util.sizeFromShape(shape)), shape);
}

/**
 * Integers in [low, high), int32: `randint(high, size)` or `randint(low, high, size)`, the numbers
 * of `torch.randint` after the same `manualSeed`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.randint.html
 */
export function randint(high: number, size: readonly number[]): tf.Tensor;
export function randint(low: number, high: number, size: readonly number[]): tf.Tensor;
export function randint(...args: (number | readonly number[])[]): tf.Tensor {
  noteDraw();
  const shape = args.pop() as number[];
  const [low, high] = (args.length === 1 ? [0, ...args] : args) as [number, number];
  const values = random.randint(tf.util.sizeFromShape(shape), low, high);
  return tf.tensor(Int32Array.from(values, Number), shape, "int32");
}

/**
 * A permutation of 0 … n-1, int32: that of `torch.randperm(n)` after the same `manualSeed`.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.randperm.html
 */
export function randperm(n: number): tf.Tensor1D {
  noteDraw();
  return tf.tensor1d(Int32Array.from(random.randperm(n), Number), "int32");
}
