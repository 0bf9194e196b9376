import type * as tf from "@tensorflow/tfjs-core";
import {
  elementwise,
  type ElementwiseStep,
  FUNCTIONS,
  pad,
  stepsOf,
} from "../kernels/cpu/index.js";
import {
  broadcast,
  isFloats,
  isVector,
  options,
  product,
  stridesOver,
  vector,
} from "./arguments.js";
import type { EagerKernel } from "./kernels.js";
import type { Memory } from "./memory.js";

type Steps = readonly ElementwiseStep[];

/** Fewer numbers than this are not worth a call into WebAssembly. */
const FEW = 256;

/** A chain of arithmetic over inputs that broadcast to a shape. */
export function runSteps(
  memory: Memory,
  steps: Steps,
  inputs: readonly tf.TensorInfo[],
  shape: readonly number[],
): tf.TensorInfo | null {
  const strides = inputs.map((one) => stridesOver(one.shape, shape));
  if (strides.some((one) => one === null)) return null;
  const kernel = elementwise(memory.heap, { steps, shape, strides: strides as number[][] });
  return memory.call(inputs, shape, 0, (at, out) => kernel.run({ inputs: at, out }));
}

/** `a ∘ b`, broadcast. */
export function runBinary(
  memory: Memory,
  op: ElementwiseStep[0],
  a: tf.TensorInfo,
  b: tf.TensorInfo,
): tf.TensorInfo | null {
  const steps = [[op, 0, 1] as unknown as ElementwiseStep];
  return runSteps(memory, steps, [a, b], broadcast(a.shape, b.shape));
}

/** A function of each number. */
export const runUnary = (memory: Memory, steps: Steps, x: tf.TensorInfo): tf.TensorInfo | null =>
  runSteps(memory, steps, [x], x.shape);

/** Options of the functions of one number. */
const OPTIONS: Readonly<Record<string, string>> = {
  elu: "alpha",
  celu: "alpha",
  softplus: "beta threshold",
  leaky_relu: "negativeSlope",
  hardshrink: "lambd",
  softshrink: "lambd",
  gelu: "approximate",
};

/** Numbers must be positive: what is wrong with others, and where, the body knows. */
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

/** A vector of numbers for the channels of `x`, as it broadcasts over them. */
const ofChannels = (
  { rank }: tf.Tensor,
  { dataId, dtype, shape }: tf.TensorInfo,
): tf.TensorInfo => ({
  ...{ dataId, dtype },
  shape: [...shape, ...new Array<number>(rank - 2).fill(1)],
});

/** A slope for each channel. */
const lowerPrelu: EagerKernel = (memory, [x, slope]) => {
  if (!isFloats(x) || x.size < FEW || x.rank < 2 || !isVector(slope, x.shape[1]!)) return null;
  const steps: Steps = [["mul", 0, 1], ["constant", 0], ["gt", 0, 3], ["where", 4, 0, 2]]; // prettier-ignore
  return runSteps(memory, steps, [x, ofChannels(x, slope)], x.shape);
};

/** `(x - mean) / √(var + eps) · weight + bias` with the statistics of training. */
const lowerBatchNorm: EagerKernel = (memory, [x, mean, variance, given]) => {
  const read = options(given, "weight bias training momentum eps");
  if (read === null || read.training || !isFloats(x) || x.rank < 2) return null;
  const channels = x.shape[1]!;
  const [weight, bias] = [vector(read.weight, channels), vector(read.bias, channels)];
  if (!isVector(mean, channels) || !isVector(variance, channels)) return null;
  if (weight === undefined || bias === undefined) return null;
  const { eps = 1e-5 } = read;
  if (typeof eps !== "number" || !(eps >= 0)) return null;
  const few = weight ? [variance, weight] : [variance];
  const k = few.length;
  const root: Steps = [["constant", eps], ["add", 0, k], ["rsqrt", k + 1]]; // prettier-ignore
  const scale = runSteps(memory, weight ? [...root, ["mul", k + 2, 1]] : root, few, [channels]);
  if (scale === null) return null;
  const vectors = bias ? [mean, scale, bias] : [mean, scale];
  const all = [x, ...vectors.map((one) => ofChannels(x, one))];
  const product: Steps = [["sub", 0, 1], ["mul", all.length, 2]]; // prettier-ignore
  const y = runSteps(
    memory,
    bias ? [...product, ["add", all.length + 1, 3]] : product,
    all,
    x.shape,
  );
  memory.backend.disposeData(scale.dataId);
  return y;
};

/** A border of one number around one dimension, or two next to each other. */
export function runPad(
  memory: Memory,
  x: tf.TensorInfo,
  borders: readonly (readonly [before: number, after: number])[],
  value: number,
): tf.TensorInfo | null {
  const isPadded = borders.map(([before, after]) => before !== 0 || after !== 0);
  const [first, last] = [isPadded.indexOf(true), isPadded.lastIndexOf(true)];
  if (first < 0 || last - first > 1 || borders.flat().some((size) => size < 0)) return null;
  const inner = product(x.shape.slice(last + 1));
  const [left, right] = borders[last]!.map((size) => size * inner) as [number, number];
  const [top, bottom] = first === last ? [0, 0] : borders[first]!;
  const kernel = pad(memory.heap, {
    ...{ planes: product(x.shape.slice(0, first)), width: x.shape[last]! * inner },
    ...{ rows: first === last ? 1 : x.shape[first]!, top, bottom, left, right, value },
  });
  const shape = x.shape.map((size, i) => size + borders[i]![0] + borders[i]![1]);
  return memory.run(kernel, { x }, shape);
}

const lowerPad: EagerKernel = (memory, [x, given, rest]) => {
  const read = options(rest, "mode value");
  if (read === null || !isFloats(x) || x.size < FEW || !Array.isArray(given)) return null;
  const { mode = "constant", value } = read;
  const number = value ?? 0;
  if (mode !== "constant" || typeof number !== "number") return null;
  const widths = given as number[];
  if (widths.length % 2 !== 0 || widths.length > 2 * x.rank) return null;
  if (!widths.every(Number.isInteger)) return null;
  const borders = x.shape.map((_, i): [number, number] => {
    const at = 2 * (x.rank - 1 - i);
    return [widths[at] ?? 0, widths[at + 1] ?? 0];
  });
  return runPad(memory, x, borders, number);
};

export const POINTWISE: Readonly<Record<string, EagerKernel>> = {
  ...Object.fromEntries(Object.keys(FUNCTIONS).map((name) => [name, lowerFunction(name)])),
  prelu: lowerPrelu,
  add: (memory, [a, b]) => {
    if (!isFloats(a) || !isFloats(b) || Math.max(a.size, b.size) < FEW) return null;
    return runBinary(memory, "add", a, b);
  },
  batch_norm: lowerBatchNorm,
  pad: lowerPad,
};

/** Also where sizes are none at all, for tfjs to say so. */
export const isFew = (shape: readonly number[]): boolean => !(product(shape) >= FEW);
