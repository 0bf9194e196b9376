import type * as tf from "@tensorflow/tfjs-core";
import {
  groupNorm,
  layerNorm,
  pool,
  type PoolSpec,
  reduce,
  type ReduceSpec,
  softmax,
  windowsOf,
} from "../kernels/cpu/index.js";
import { isFloats, ofShape, options, product, sameShape, sizes, vector } from "./arguments.js";
import type { EagerKernel } from "./kernels.js";
import type { Memory } from "./memory.js";
import { permute } from "./moves.js";

const FLOAT32_EPS = 2 ** -23;

const lowerLayerNorm =
  (kind: "layer" | "rms"): EagerKernel =>
  (memory, [x, normalized, given]) => {
    const read = options(given, kind === "layer" ? "weight bias eps" : "weight eps");
    if (read === null || !isFloats(x)) return null;
    const shape = typeof normalized === "number" ? [normalized] : normalized;
    if (!Array.isArray(shape) || shape.length === 0 || shape.length > x.rank) return null;
    if (!sameShape(x.shape.slice(-shape.length), shape as number[])) return null;
    const [weight, bias] = [ofShape(read.weight, shape), ofShape(read.bias, shape)];
    if (weight === undefined || bias === undefined || (bias && !weight)) return null;
    const eps = read.eps ?? (kind === "layer" ? 1e-5 : FLOAT32_EPS);
    if (typeof eps !== "number") return null;
    const n = product(shape as number[]);
    const kernel = layerNorm(memory.heap, { kind, rows: x.size / n, n, eps });
    return memory.run(kernel, { x, weight, bias }, x.shape);
  };

const lowerGroupNorm: EagerKernel = (memory, [x, groups, given]) => {
  const read = options(given, "weight bias eps");
  if (read === null || !isFloats(x) || x.rank < 2) return null;
  const [batch, channels, ...rest] = x.shape as [number, number, ...number[]];
  const [weight, bias] = [vector(read.weight, channels), vector(read.bias, channels)];
  const { eps = 1e-5 } = read;
  if (weight === undefined || bias === undefined || typeof eps !== "number") return null;
  if (!Number.isInteger(groups) || (groups as number) < 1 || channels % (groups as number)) return null; // prettier-ignore
  const n = product(rest);
  if ((batch * channels) / (groups as number) < 2 && n === 1) return null;
  const kernel = groupNorm(memory.heap, { batch, channels, groups: groups as number, n, eps });
  return memory.run(kernel, { x, weight, bias }, x.shape);
};

/** Softmax over the last dimension, if there is one. */
export function runSoftmax(memory: Memory, x: tf.TensorInfo, log = false): tf.TensorInfo | null {
  const n = x.shape.at(-1);
  if (n === undefined) return null;
  const kernel = softmax(memory.heap, { rows: product(x.shape) / n, n, log });
  return memory.run(kernel, { x }, x.shape);
}

const lowerSoftmax =
  (log: boolean): EagerKernel =>
  (memory, [x, more]) => {
    const read = options(more, "dim dtype");
    if (read === null || read.dtype || !isFloats(x)) return null;
    const given = (read.dim ?? (x.rank === 1 || x.rank === 3 ? 0 : 1)) as number;
    const dim = given < 0 ? given + x.rank : given;
    const last = x.rank - 1;
    const order = x.shape.map((_, i) => i);
    if (dim === last) return runSoftmax(memory, x, log);
    if (!order.includes(dim)) return null;
    // Another dimension changes places with the last one, and back.
    [order[dim], order[last]] = [last, dim];
    const turned = permute(memory, x, order);
    const y = turned && runSoftmax(memory, turned, log);
    const result = y && permute(memory, y, order);
    for (const one of [turned, y]) if (one) memory.backend.disposeData(one.dataId);
    return result;
  };

/** A pooling whose sizes are right, over the last dimensions. */
export function runPool(
  memory: Memory,
  x: tf.TensorInfo,
  spec: Omit<PoolSpec, "planes" | "size">,
  shape: readonly number[],
): tf.TensorInfo | null {
  const dims = spec.kernel.length;
  const planes = product(x.shape.slice(0, -dims));
  const kernel = pool(memory.heap, { ...spec, planes, size: x.shape.slice(-dims) });
  return memory.run(kernel, { x }, shape);
}

const KNOWN = {
  max: "stride padding dilation ceilMode returnIndices",
  avg: "stride padding ceilMode countIncludePad divisorOverride",
};

const lowerPool =
  (kind: "max" | "avg", dims: number): EagerKernel =>
  (memory, [x, given, rest]) => {
    const read = options(rest, KNOWN[kind]);
    const kernel = given === undefined ? null : sizes(given, dims, 1, 1);
    if (read === null || kernel === null || !isFloats(x)) return null;
    if (x.rank !== dims + 1 && x.rank !== dims + 2) return null;
    if (read.returnIndices || read.ceilMode || typeof read.divisorOverride === "number")
      return null;
    const stride = sizes(read.stride, dims, kernel, 1);
    const padding = sizes(read.padding, dims, 0, 0);
    const dilation = sizes(read.dilation, dims, 1, 1);
    if (stride === null || padding === null || dilation === null) return null;
    if (padding.some((size, i) => size * 2 > kernel[i]!)) return null;
    const { countIncludePad = true } = read;
    if (typeof countIncludePad !== "boolean") return null;
    const spec = { kind, kernel, stride, padding, dilation, countIncludePad };
    const out = windowsOf({ ...spec, size: x.shape.slice(-dims) }).out.slice(-dims);
    if (out.some((n) => n < 1)) return null;
    return runPool(memory, x, spec, [...x.shape.slice(0, -dims), ...out]);
  };

/** A reduction over the last dimensions, or over some before others that stay. */
export function runReduction(
  memory: Memory,
  x: tf.TensorInfo,
  axes: readonly number[],
  reduction: ReduceSpec["reduction"],
  shape: readonly number[],
): tf.TensorInfo | null {
  const [first, last] = [axes[0], axes.at(-1)];
  if (first === undefined || last !== first + axes.length - 1) return null;
  const n = product(x.shape.slice(first, last + 1));
  const outer = product(x.shape.slice(0, first));
  const inner = product(x.shape.slice(last + 1));
  const kernel = reduce(memory.heap, { reduction, outer, n, inner });
  return memory.run(kernel, { x }, shape);
}

/** Whether there is no NaN or infinity: then so is the sum, if it is not too large itself. */
export function isFinite(memory: Memory, x: tf.TensorInfo): boolean {
  const axes = x.shape.map((_, i) => i);
  const sum = runReduction(memory, x, axes, "sum", []);
  if (sum === null) return false;
  const isNumber = Number.isFinite(memory.values(sum)[0]);
  memory.backend.disposeData(sum.dataId);
  return isNumber;
}

/** Adaptive pooling to one number a plane. */
const lowerAdaptive =
  (reduction: "mean" | "max", dims: number): EagerKernel =>
  (memory, [x, size, rest]) => {
    if (!isFloats(x) || (x.rank !== dims + 1 && x.rank !== dims + 2)) return null;
    if (rest !== undefined && options(rest, "returnIndices")?.returnIndices !== false) return null;
    const out = sizes(size, dims, 1, 1);
    if (out?.every((n) => n === 1) !== true) return null;
    const axes = out.map((_, i) => x.rank - dims + i);
    return runReduction(memory, x, axes, reduction, [...x.shape.slice(0, -dims), ...out]);
  };

export const ROWS: Readonly<Record<string, EagerKernel>> = {
  layer_norm: lowerLayerNorm("layer"),
  rms_norm: lowerLayerNorm("rms"),
  group_norm: lowerGroupNorm,
  softmax: lowerSoftmax(false),
  log_softmax: lowerSoftmax(true),
  max_pool1d: lowerPool("max", 1),
  max_pool2d: lowerPool("max", 2),
  avg_pool1d: lowerPool("avg", 1),
  avg_pool2d: lowerPool("avg", 2),
  adaptive_avg_pool1d: lowerAdaptive("mean", 1),
  adaptive_avg_pool2d: lowerAdaptive("mean", 2),
};
