import type * as tf from "@tensorflow/tfjs-core";
import type { AvgPoolOptions } from "../functional/avg-pooling.js";
import type { Axis } from "../functional/windows.js";
import {
  groupNorm,
  layerNorm,
  pool,
  reduce,
  type ReduceSpec,
  softmax,
} from "../kernels/cpu/index.js";
import { isFloats, product } from "./arguments.js";
import type { EagerKernel } from "./kernels.js";
import type { Memory } from "./memory.js";
import { permute } from "./moves.js";

type Vector = tf.Tensor | null;

/** Normalises rows over the last dimensions; kernels apply a bias only with a weight. */
const lowerLayerNorm =
  (kind: "layer" | "rms"): EagerKernel =>
  (memory, args) => {
    const [x, axes, eps, weight, bias] = args as [tf.Tensor, number[], number, Vector, Vector];
    const n = product(x.shape.slice(axes[0]));
    if (weight ? !isFloats(weight) : bias) return null;
    const kernel = layerNorm(memory.heap, { kind, rows: x.size / n, n, eps });
    return memory.run(kernel, { x, weight, bias }, x.shape);
  };

const lowerGroupNorm: EagerKernel = (memory, args) => {
  const [x, groups, eps, weight, bias] = args as [tf.Tensor, number, number, Vector, Vector];
  const [batch, channels, ...rest] = x.shape as [number, number, ...number[]];
  const kernel = groupNorm(memory.heap, { batch, channels, groups, n: product(rest), eps });
  return memory.run(kernel, { x, weight, bias }, x.shape);
};

/** Softmax over the last dimension, if there is one. */
export function runSoftmax(memory: Memory, x: tf.TensorInfo, log = false): tf.TensorInfo | null {
  const n = x.shape.at(-1);
  if (n === undefined) return null;
  const kernel = softmax(memory.heap, { rows: product(x.shape) / n, n, log });
  return memory.run(kernel, { x }, x.shape);
}

const lowerSoftmax: EagerKernel = (memory, args) => {
  const [x, dim, log] = args as [tf.Tensor, number, boolean];
  const last = x.rank - 1;
  if (dim === last) return runSoftmax(memory, x, log);
  // Another dimension changes places with the last one, and back in the result.
  const order = x.shape.map((_, i) => (i === dim ? last : i === last ? dim : i));
  const turned = permute(memory, x, order);
  const y = turned && runSoftmax(memory, turned, log);
  const result = y && permute(memory, y, order);
  for (const one of [turned, y]) if (one) memory.backend.disposeData(one.dataId);
  return result;
};

/** Pools windows of planes. */
const lowerPool: EagerKernel = (memory, args) => {
  const [x, axes, kind, options] = args as [tf.Tensor, Axis[], "max" | "avg", AvgPoolOptions];
  if (!isFloats(x)) return null;
  const [planes, ...size] = x.shape as [number, ...number[]];
  const of = (name: keyof Axis): number[] => axes.map((axis) => axis[name]);
  const kernel = pool(memory.heap, {
    ...{ ...options, kind, planes, size, kernel: of("kernel"), stride: of("stride") },
    ...{ padding: of("padding"), dilation: of("dilation") },
    divisor: options.divisorOverride ?? undefined,
  });
  return memory.run(kernel, { x }, [planes, ...of("output")]);
};

/** Reduces the last dimensions, or adjacent dimensions before others that stay. */
export function runReduction(
  memory: Memory,
  x: tf.TensorInfo,
  axes: readonly number[],
  reduction: ReduceSpec["reduction"],
  shape: readonly number[],
): tf.TensorInfo | null {
  const [first, end] = [axes[0]!, axes[0]! + axes.length];
  if (axes.length === 0 || axes.some((axis, i) => axis !== first + i)) return null;
  const n = product(x.shape.slice(first, end));
  const outer = product(x.shape.slice(0, first));
  const inner = product(x.shape.slice(end));
  const kernel = reduce(memory.heap, { reduction, outer, n, inner });
  return memory.run(kernel, { x }, shape);
}

/**
 * Whether there is no NaN and no infinity; so the sum of values is finite too, unless it overflows.
 */
export function isFinite(memory: Memory, x: tf.TensorInfo): boolean {
  const axes = x.shape.map((_, i) => i);
  const sum = runReduction(memory, x, axes, "sum", []);
  if (sum === null) return false;
  const isNumber = Number.isFinite(memory.values(sum)[0]);
  memory.backend.disposeData(sum.dataId);
  return isNumber;
}

export const ROWS: Readonly<Record<string, EagerKernel>> = {
  "layer norm": lowerLayerNorm("layer"),
  "rms norm": lowerLayerNorm("rms"),
  "group norm": lowerGroupNorm,
  "softmax along": lowerSoftmax,
  pool: lowerPool,
};
