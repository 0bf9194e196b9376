/** Where the numbers of a plan lie: blocks of memory, and views into them. */
export { product as count, stridesOf } from "../../kernels/cpu/index.js";

/** Where numbers begin: in a block, by so many elements of 4 bytes; `int32` as such, anything else as float32. */
export interface Place {
  readonly block: Block;
  readonly offset: number;
}

/** A piece of memory; where it lies is settled when the whole plan is known. */
export class Block implements Place {
  /** As a place it is where it begins. */
  readonly block = this;
  readonly offset = 0;
  /** Its address in the heap, once settled. */
  address = 0;
  /** From which step to which it is needed. */
  first = Infinity;
  last = -1;
  /** The block whose memory it takes over, because that one is over when it begins. */
  heir: Block | null = null;

  constructor(
    readonly bytes: number,
    /** Weights have a place of their own. */
    readonly isFixed = false,
  ) {}
}

/** A tensor in a block: element `[i, j]` lies at `offset + i · strides[0] + j · strides[1]`. */
export interface Value extends Place {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly dtype: string;
}

export function isContiguous({ shape, strides }: Value): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i -= 1) {
    if (shape[i] !== 1 && strides[i] !== step) return false;
    step *= shape[i]!;
  }
  return true;
}

export function permuteValue(value: Value, perm: readonly number[]): Value {
  return {
    ...value,
    shape: perm.map((axis) => value.shape[axis]!),
    strides: perm.map((axis) => value.strides[axis]!),
  };
}

export function sliceValue(value: Value, begin: readonly number[], size: readonly number[]): Value {
  const skipped = begin.reduce((sum, at, i) => sum + at * value.strides[i]!, 0);
  return { ...value, offset: value.offset + skipped, shape: size };
}

/** The strides that show a tensor in another shape without moving a number; `null`: there are none. */
export function reshapeValue(value: Value, shape: readonly number[]): Value | null {
  const old = value.shape.map((size, i) => [size, value.strides[i]!] as const).filter(([size]) => size !== 1); // prettier-ignore
  const strides = new Array<number>(shape.length).fill(0);
  let at = 0; // the next old dimension
  let dim = 0; // the next new one
  while (dim < shape.length) {
    if (shape[dim] === 1) {
      dim += 1;
      continue;
    }
    // A group of old dimensions that is as large as a group of new ones.
    const firstOld = at;
    const firstNew = dim;
    let oldSize = old[at]?.[0] ?? 1;
    let newSize = shape[dim]!;
    at += 1;
    dim += 1;
    while (oldSize !== newSize) {
      if (oldSize < newSize) {
        if (at >= old.length) return null;
        oldSize *= old[at]![0];
        at += 1;
      } else {
        if (dim >= shape.length) return null;
        newSize *= shape[dim]!;
        dim += 1;
      }
    }
    for (let i = firstOld; i + 1 < at; i += 1) {
      if (old[i]![1] !== old[i + 1]![1] * old[i + 1]![0]) return null;
    }
    let step = old[at - 1]?.[1] ?? 1;
    for (let i = dim - 1; i >= firstNew; i -= 1) {
      strides[i] = step;
      step *= shape[i]!;
    }
  }
  return { ...value, shape, strides };
}

/** The strides of a value over a larger shape that it broadcasts to: 0 where it repeats. */
export function broadcastStrides(value: Value, shape: readonly number[]): number[] {
  const missing = shape.length - value.shape.length;
  return shape.map((_, i) => {
    const dim = i - missing;
    return dim < 0 || value.shape[dim] === 1 ? 0 : value.strides[dim]!;
  });
}
