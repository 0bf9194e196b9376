import * as tf from "@tensorflow/tfjs-core";
import {
  copy,
  elementwise,
  type ElementwiseStep,
  FUNCTIONS,
  stepsOf,
  stridesOf,
} from "../kernels/cpu/index.js";
import { broadcast, isFloats, options, product, stridesOver } from "./arguments.js";
import type { EagerKernel } from "./kernels.js";
import type { Dtype, Memory } from "./memory.js";

type Steps = readonly ElementwiseStep[];

/** For fewer numbers, a call into WebAssembly does not pay. */
const FEW = 256;

/** Runs a chain of arithmetic over inputs that broadcast to a shape. */
export function runSteps(
  memory: Memory,
  steps: Steps,
  inputs: readonly tf.TensorInfo[],
  shape: readonly number[],
  dtype?: Dtype,
): tf.TensorInfo | null {
  const strides = inputs.map((one) => stridesOver(one.shape, shape));
  if (strides.some((one) => one === null)) return null;
  const kernel = elementwise(memory.heap, { steps, shape, strides: strides as number[][] });
  return memory.call(inputs, shape, 0, (at, out) => kernel.run({ inputs: at, out }), dtype);
}

/** An operation on two operands that broadcast. */
export function runBinary(
  memory: Memory,
  op: ElementwiseStep[0],
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  dtype?: Dtype,
): tf.TensorInfo | null {
  const steps = [[op, 0, 1] as unknown as ElementwiseStep];
  return runSteps(memory, steps, [a, b], broadcast(a.shape, b.shape), dtype);
}

/** A function of single elements. */
export const runUnary = (
  memory: Memory,
  steps: Steps,
  x: tf.TensorInfo,
  dtype?: Dtype,
): tf.TensorInfo | null => runSteps(memory, steps, [x], x.shape, dtype);

/** The names of options of functions of single elements. */
const OPTIONS: Readonly<Record<string, string>> = {
  elu: "alpha",
  celu: "alpha",
  softplus: "beta threshold",
  leaky_relu: "negativeSlope",
  hardshrink: "lambd",
  softshrink: "lambd",
  gelu: "approximate",
};

/** Only for positive numbers; the body of the op reports invalid ones. */
const isRight = (value: unknown): boolean => typeof value === "number" && value > 0;
const isApproximate = (value: unknown): boolean => value === "none" || value === "tanh";

const lowerFunction =
  (name: string): EagerKernel =>
  (memory, [x, given]) => {
    const read = options(given, OPTIONS[name] ?? "");
    if (read === null || !isFloats(x) || x.size < FEW) return null;
    const areRight = Object.values(read).every(name === "gelu" ? isApproximate : isRight);
    return areRight ? runUnary(memory, stepsOf(name, read), x) : null;
  };

/** Pads with one number. */
export function runPad(
  memory: Memory,
  x: tf.TensorInfo,
  borders: readonly (readonly [before: number, after: number])[],
  value: number,
): tf.TensorInfo | null {
  if (borders.flat().some((size) => size < 0)) return null;
  const shape = x.shape.map((size, i) => size + borders[i]![0] + borders[i]![1]);
  const outStrides = stridesOf(shape);
  const first = outStrides.reduce((sum, stride, i) => sum + stride * borders[i]![0], 0);
  const { heap } = memory;
  const fill = elementwise(heap, { steps: [["constant", value]], shape, strides: [] });
  const move = copy(heap, { shape: x.shape, strides: stridesOf(x.shape), outStrides });
  return memory.call([x], shape, 0, ([at], out) => {
    fill.run({ inputs: [], out });
    move.run({ x: at!, out: out + first * 4 });
  });
}

/** `(x - mean) · factor + bias`; the factor has one number per channel, and is computed by tfjs. */
const lowerBatchNorm: EagerKernel = (memory, args) => {
  const [x, mean, variance, eps, weight, bias] = args as [tf.Tensor, tf.Tensor, tf.Tensor, number, tf.Tensor | null, tf.Tensor | null]; // prettier-ignore
  const root = tf.rsqrt(tf.add(variance, eps));
  const vectors = [mean, weight ? tf.mul(root, weight) : root, bias ?? tf.zerosLike(root)];
  const shape = x.shape.slice(1).fill(1, 1);
  const all = [x, ...vectors.map((one) => tf.reshape(one, shape))];
  return runSteps(memory, [["sub", 0, 1], ["mul", 4, 2], ["add", 5, 3]], all, x.shape); // prettier-ignore
};

/** `x > 0 ? x : x · slope`. */
const lowerSlope: EagerKernel = (memory, args) => {
  const all = args as [tf.Tensor, tf.Tensor];
  return runSteps(memory, [["mul", 0, 1], ["constant", 0], ["gt", 0, 3], ["where", 4, 0, 2]], all, all[0].shape); // prettier-ignore
};

export const POINTWISE: Readonly<Record<string, EagerKernel>> = {
  ...Object.fromEntries(Object.keys(FUNCTIONS).map((name) => [name, lowerFunction(name)])),
  "batch norm": lowerBatchNorm,
  slope: lowerSlope,
};

/** Whether there are few elements; also true for invalid sizes, which tfjs reports. */
export const isFew = (shape: readonly number[]): boolean => !(product(shape) >= FEW);
