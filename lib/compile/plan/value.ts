/** Where the numbers of a plan are: blocks of memory, and views into them. */
export { product as count, stridesOf } from "../../kernels/cpu/index.js";

/**
 * Where numbers begin: `offset` elements of 4 bytes into a block. int32 is stored as such,
 * everything else as float32.
 */
export interface Place {
  readonly block: Block;
  readonly offset: number;
}

/** A piece of memory; its address is settled when the whole plan is known. */
export class Block implements Place {
  /** A block is also a place: its beginning. */
  readonly block = this;
  readonly offset = 0;
  /** Its address in the heap, once settled. */
  address = 0;
  /** The first and last step that need it. */
  first = Infinity;
  last = -1;
  /**
   * The block whose memory it takes over, since that one is no longer needed when this one begins.
   */
  heir: Block | null = null;

  constructor(
    readonly bytes: number,
    /** Fixed blocks (weights) are not part of the arena. */
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

/** The view of a tensor in another shape, without a copy; `null` if no strides describe it. */
export function reshapeValue(value: Value, shape: readonly number[]): Value | null {
  const old = value.shape.map((size, i) => [size, value.strides[i]!] as const).filter(([size]) => size !== 1); // prettier-ignore
  const strides = new Array<number>(shape.length).fill(0);
  let at = 0; // the next old dimension
  let dim = 0; // the next new dimension
  while (dim < shape.length) {
    if (shape[dim] === 1) {
      dim += 1;
      continue;
    }
    // A group of old dimensions with as many elements as a group of new ones.
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

/** The strides of a value that is broadcast to a larger shape: 0 along repeated dimensions. */
export function broadcastStrides(value: Value, shape: readonly number[]): number[] {
  const missing = shape.length - value.shape.length;
  return shape.map((_, i) => {
    const dim = i - missing;
    return dim < 0 || value.shape[dim] === 1 ? 0 : value.strides[dim]!;
  });
}
