/**
 * Kernels for tfjs' ops that only move numbers, which tfjs does one by one, as copies with strides.
 */
import * as tf from "@tensorflow/tfjs-core";
import { copy, gather, permutation, stridesOf, taps } from "../kernels/cpu/index.js";
import { isFloats, product } from "./arguments.js";
import type { EagerKernel } from "./kernels.js";
import type { Dtype, Memory, Work } from "./memory.js";
import { isFew } from "./pointwise.js";
import type { Attrs } from "./tfjs.js";

type Info = tf.TensorInfo;

/**
 * Whether it is left to tfjs: few numbers are as fast there, and `x` is not copied into the heap
 * for a small part.
 */
const isLeft = (x: Info, shape: readonly number[]): boolean =>
  isFew(shape) || product(x.shape) > product(shape) * 64;

/** Copies a strided view of `x` that begins at element `first`; `null` if it is left to tfjs. */
function runCopy(
  memory: Memory,
  x: Info,
  first: number,
  walk: { shape: readonly number[]; strides: readonly number[] },
  shape: readonly number[],
): Info | null {
  if (isLeft(x, shape)) return null;
  const kernel = copy(memory.heap, walk);
  const work: Work = ([at], out) => kernel.run({ x: at! + first * 4, out });
  return memory.call([x], shape, 0, work, x.dtype as Dtype);
}

/** A slice with steps. */
export function runSlice(
  memory: Memory,
  x: Info,
  begin: readonly number[],
  size: readonly number[],
  steps: readonly number[] = [],
  shape: readonly number[] = size,
): Info | null {
  const strides = stridesOf(x.shape);
  const first = tf.slice_util.computeFlatOffset([...begin], strides);
  const walk = { shape: size, strides: strides.map((stride, i) => stride * (steps[i] ?? 1)) };
  return runCopy(memory, x, first, walk, shape);
}

/** `x` with its dimensions in another order. */
export function permute(memory: Memory, x: Info, order: readonly number[]): Info | null {
  const walk = permutation(x.shape, order);
  return runCopy(memory, x, 0, walk, walk.shape);
}

/** Whether a slice is inside of `x`; other ones are left to tfjs. */
const isInside = (x: Info, begin: readonly number[], size: readonly number[]): boolean =>
  begin.length === x.shape.length &&
  begin.every((at, i) => at >= 0 && size[i]! >= 0 && at + size[i]! <= x.shape[i]!);

export function slice(memory: Memory, x: Info, attrs: Attrs): Info | null {
  const given = tf.slice_util.parseSliceParams(x, attrs.begin as number[], attrs.size as number[]);
  const [begin, size] = given as [number[], number[]];
  if (!isInside(x, begin, size) || isFew(size)) return null;
  if (!tf.slice_util.isSliceContinous(x.shape, begin, size))
    return runSlice(memory, x, begin, size);
  const first = tf.slice_util.computeFlatOffset(begin, stridesOf(x.shape));
  const end = first + product(size);
  const work: Work = (_, out) => {
    memory.heap.f32.set(memory.values(x).subarray(first, end), out >>> 2);
  };
  return memory.call([], size, 0, work, x.dtype as Dtype);
}

/** Splits a dimension into equal parts, or into parts of the given sizes. */
function partsOf(memory: Memory, x: Info, given: number | number[], dim: number): Info[] | null {
  const sizes = tf.backend_util.prepareSplitSize(x, given, dim);
  const shapes = sizes.map((size) => x.shape.with(dim, size));
  if (shapes.some((shape) => isLeft(x, shape))) return null;
  const strides = stridesOf(x.shape);
  let first = 0;
  return shapes.map((shape) => {
    const part = runCopy(memory, x, first, { shape, strides }, shape)!;
    first += shape[dim]! * strides[dim]!;
    return part;
  });
}

export function split(memory: Memory, x: Info, { numOrSizeSplits, axis }: Attrs): Info[] | null {
  const at = tf.util.parseAxisParam(axis as number, x.shape)[0]!;
  return partsOf(memory, x, numOrSizeSplits as number | number[], at);
}

/** Parts of size 1, without the dimension. */
export function unstack(memory: Memory, x: Info, { axis }: Attrs): Info[] | null {
  const at = tf.util.parseAxisParam(axis as number, x.shape)[0]!;
  const parts = partsOf(memory, x, x.shape[at]!, at);
  return parts && parts.map((part) => ({ ...part, shape: part.shape.toSpliced(at, 1) }));
}

/** Whether no dimension is named twice, which is an error that tfjs reports. */
export const areDistinct = (axes: readonly number[]): boolean => new Set(axes).size === axes.length;

export function tile(memory: Memory, x: Info, attrs: Attrs): Info | null {
  const reps = attrs.reps as number[];
  const strides = stridesOf(x.shape);
  const walk = {
    shape: x.shape.flatMap((size, i) => [reps[i]!, size]),
    strides: strides.flatMap((stride) => [0, stride]),
  };
  return runCopy(memory, x, 0, walk, x.shape.map((size, i) => size * reps[i]!)); // prettier-ignore
}

export function choose(memory: Memory, x: Info, indices: Info, attrs: Attrs): Info | null {
  if (attrs.batchDims) return null;
  const at = tf.util.parseAxisParam(attrs.axis as number, x.shape)[0]!;
  const places = memory.backend.readSync(indices.dataId) as Int32Array;
  const rows = x.shape[at]!;
  if (!places.every((place) => place >= 0 && place < rows)) return null;
  const [before, behind] = [x.shape.slice(0, at), x.shape.slice(at + 1)];
  const shape = [...before, ...indices.shape, ...behind];
  if (isFew(shape)) return null;
  const spec = { tables: product(before), rows, n: product(behind), count: places.length };
  const kernel = gather(memory.heap, spec);
  // A table may be large, so it is read where it is.
  const work: Work = (_, out) => kernel.run({ table: memory.values(x), indices: places, out });
  return memory.call([], shape, 0, work);
}

/** Rebuilds a dimension: each output is a weighted sum of some inputs. */
const lowerTaps: EagerKernel = (memory, args) => {
  const [x, dim, positions, weights] = args as [unknown, number, number[][], number[][]];
  if (!isFloats(x)) return null;
  const shape = x.shape.with(dim, positions.length);
  const kernel = taps(memory.heap, { shape: x.shape, dim, positions, weights });
  return memory.run(kernel, { x }, shape);
};

export const MOVES: Readonly<Record<string, EagerKernel>> = { taps: lowerTaps };
