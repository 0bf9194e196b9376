import { type Layout, makeLayout, stridesOf, texelsOf } from "../../kernels/webgl/layout.js";

/** A tensor that a plan keeps on the GPU; its texture is assigned when all lifetimes are known. */
export class VirtualTensor {
  constructor(
    readonly layout: Layout,
    /** Makes the contents of a tensor that is written before the first run and never again. */
    readonly constant: (() => ArrayLike<number>) | null = null,
  ) {}

  get texels(): number {
    return texelsOf(this.layout);
  }

  get size(): number {
    return this.layout.rows * this.layout.channels;
  }
}

/** A tensor as an op sees it: all of a virtual tensor, or a strided view of one. */
export interface Value {
  readonly tensor: VirtualTensor;
  readonly shape: readonly number[];
  /** In elements of the virtual tensor, padding not counted. */
  readonly strides: readonly number[];
  readonly offset: number;
}

export function wholeOf(tensor: VirtualTensor): Value {
  const { layout } = tensor;
  return { tensor, shape: layout.shape, strides: stridesOf(layout), offset: 0 };
}

export function permuted(value: Value, order: readonly number[]): Value {
  return {
    ...value,
    shape: order.map((axis) => value.shape[axis]!),
    strides: order.map((axis) => value.strides[axis]!),
  };
}

export function sliced(value: Value, begin: readonly number[], shape: readonly number[]): Value {
  const offset = begin.reduce((sum, from, axis) => sum + from * value.strides[axis]!, value.offset);
  return { ...value, shape, offset };
}

/** The same elements in another shape; `null` if no strides describe that. */
export function reshaped(value: Value, shape: readonly number[]): Value | null {
  if (shape.includes(0)) return { ...value, shape, strides: shape.map(() => 0) }; // there is nothing to read
  // Groups of dimensions that one stride describes.
  const runs: { size: number; stride: number }[] = [];
  value.shape.forEach((size, axis) => {
    if (size === 1) return;
    const stride = value.strides[axis]!;
    const last = runs.at(-1);
    if (last && last.stride === stride * size) {
      last.size *= size;
      last.stride = stride;
    } else runs.push({ size, stride });
  });
  const strides: number[] = [];
  let run = 0;
  let left = runs[0]?.size ?? 1;
  for (const size of shape) {
    if (size === 1) {
      strides.push(0);
      continue;
    }
    if (left === 1) {
      run += 1;
      left = runs[run]?.size ?? 1;
    }
    if (left % size !== 0) return null;
    left /= size;
    strides.push(runs[run]!.stride * left);
  }
  return { ...value, shape, strides };
}

/**
 * The layout of a value whose memory already has its axes in that order; `null` if it must be
 * copied first.
 */
export function layoutIn(value: Value, order: readonly number[]): Layout | null {
  const { tensor, shape, strides, offset } = value;
  const layout = makeLayout(shape, order);
  const same = layout.rows === tensor.layout.rows && layout.channels === tensor.layout.channels;
  if (!same || offset !== 0) return null;
  let expected = 1;
  for (const axis of order.toReversed()) {
    if (shape[axis] === 1) continue;
    if (strides[axis] !== expected) return null;
    expected *= shape[axis]!;
  }
  return layout;
}

/** The order of axes in memory: the largest strides first. */
export function naturalOrder({ shape, strides }: Value): number[] {
  const axes = shape.map((_, axis) => axis);
  return axes.sort((a, b) => {
    const [one, two] = [shape[a] === 1, shape[b] === 1];
    if (one || two) return one === two ? a - b : one ? -1 : 1;
    return strides[b]! - strides[a]! || a - b;
  });
}
