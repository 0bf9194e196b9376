/** Copies with strides, and gathering of rows. */
import { collapse, elementwise, stridesOf } from "./elementwise.js";
import { inJs } from "./on-demand.js";
import type { Heap } from "./heap.js";
import { type Kernel, placesAt, product, share } from "./kernel.js";
import { emitTranspose } from "./wasm/transpose.js";

export interface TransposeLibrary {
  transpose: (
    x: number, xRow: number, rows: number, columns: number, out: number, outRow: number,
  ) => void; // prettier-ignore
}

export interface CopySpec {
  shape: readonly number[];
  /** The strides of x over `shape`, in elements; 0 repeats. */
  strides: readonly number[];
  /** The strides of the result. Default: contiguous. */
  outStrides?: readonly number[];
}

export interface CopyPointers {
  x: number;
  out: number;
}

/** The copy that permutes the dimensions of a contiguous x. */
export function permutation(shape: readonly number[], order: readonly number[]): CopySpec {
  const strides = stridesOf(shape);
  return { shape: order.map((dim) => shape[dim]!), strides: order.map((dim) => strides[dim]!) };
}

/** Longer rows than this are walked no faster. */
const LONG = 64;
/** How many times faster a walk over adjacent floats is than one with a stride. */
const ALONG = 4;

/**
 * A copy with strides: a permutation, an expansion, a slice, a part of a concatenation, or all of
 * them at once.
 */
export function copy(heap: Heap, spec: CopySpec): Kernel<CopyPointers> {
  const { shape, outStrides = stridesOf(shape) } = spec;
  const { sizes, strides } = collapse(shape, [outStrides, spec.strides]);
  const [outs, steps] = strides as [number[], number[]];
  const [across, last] = [steps.indexOf(1), outs.indexOf(1)];
  const turns = across >= 0 && last >= 0 && across !== last && steps[last] !== 0;
  if (turns && sizes[across]! >= 4 && sizes[last]! >= 4) {
    return turned(heap, sizes, outs, steps, across, last);
  }
  // Dimensions may be walked in any order: the longest goes innermost, where contiguous ones count
  // as longer.
  const weight = (dim: number): number =>
    Math.min(sizes[dim]!, LONG) * [outs, steps].reduce((n, one) => (one[dim] === 1 ? n * ALONG : n), 1); // prettier-ignore
  const order = sizes.map((_, dim) => dim).sort((a, b) => weight(a) - weight(b));
  const pick = (list: readonly number[]): number[] => order.map((dim) => list[dim]!);
  const { run } = elementwise(heap, {
    ...{ steps: [], shape: pick(sizes), strides: [pick(steps)], outStrides: pick(outs) },
  });
  return {
    workspaceBytes: 0,
    run: ({ x, out }, part, parts) => run({ inputs: [x], out }, part, parts),
  };
}

/**
 * If x is contiguous along one dimension and the result along another, both are walked in blocks,
 * as in a transpose.
 */
function turned(
  heap: Heap,
  sizes: readonly number[],
  outs: readonly number[],
  steps: readonly number[],
  across: number,
  last: number,
): Kernel<CopyPointers> {
  const { transpose } = heap.library("transpose", emitTranspose, (own: Heap) =>
    inJs().transposeInJs(own),
  );
  const outerOf = (list: readonly number[]): number[] =>
    list.filter((_, dim) => dim !== across && dim !== last);
  const outer = outerOf(sizes);
  const strides = [outerOf(outs), outerOf(steps)];
  const count = product(outer);
  const one = (from: number, to: number, start: number, end: number): void =>
    transpose(
      from + start * 4, steps[last]! * 4, sizes[last]!, end - start,
      to + start * outs[across]! * 4, outs[across]! * 4,
    ); // prettier-ignore
  return {
    workspaceBytes: 0,
    run: ({ x, out }, part = 0, parts = 1) => {
      const cutsRow = count === 1;
      const [first, end] = share(cutsRow ? sizes[across]! : count, part, parts, cutsRow ? 4 : 1);
      if (cutsRow) {
        one(x, out, first, end);
        return;
      }
      for (let index = first; index < end; index += 1) {
        const [to, from] = placesAt(index, outer, strides, [out, x]) as [number, number];
        one(from, to, 0, sizes[across]!);
      }
    },
  };
}

export interface GatherSpec {
  /** How many rows of each table are chosen. */
  count: number;
  /** Rows of a table, and the elements of one. */
  rows: number;
  n: number;
  /** How many tables there are. Default: 1. */
  tables?: number;
  /** How many lists of indices there are, each for as many tables. Default: 1. */
  lists?: number;
  /**
   * The inverse: adds each row of one table `[count, n]` to the result row that its index names.
   * Default: `false`.
   */
  isSum?: boolean;
}

export interface GatherPointers {
  /**
   * `[tables, rows, n]` of any 32-bit numbers: an address in the heap, or an array outside of it.
   */
  table: number | ArrayLike<number>;
  /**
   * `[lists, count]` of integers from 0 to `rows - 1`, int32: an address in the heap, or an array
   * outside of it.
   */
  indices: number | Int32Array;
  out: number;
}

/** Rows of at least so many numbers are copied at once, shorter ones number by number. */
const ROW = 16;

/**
 * Chooses rows of tables by index, as an embedding does; or adds up rows that have the same index.
 */
export function gather(heap: Heap, spec: GatherSpec): Kernel<GatherPointers> {
  const { count, rows, n, tables = 1, lists = 1, isSum } = spec;
  return {
    onOneThread: true,
    workspaceBytes: 0,
    run: ({ table, indices, out }) => {
      const { f32, i32 } = heap;
      const [list, skipped] = typeof indices === "number" ? [i32, indices >>> 2] : [indices, 0];
      const [from, first] = typeof table === "number" ? [i32, table >>> 2] : [table, 0];
      const memory = from instanceof Int32Array ? i32 : f32;
      const target = out >>> 2;
      const values = from === i32 ? f32 : from;
      if (isSum) f32.fill(0, target, target + rows * n);
      for (let which = 0; which < tables; which += 1) {
        const one = skipped + Math.floor((which * lists) / tables) * count;
        for (let at = 0; at < count;) {
          const place = which * count + at;
          const index = list[one + at]!;
          let behind = index + 1; // consecutive rows are copied together
          for (at += 1; at < count && list[one + at] === behind; at += 1) behind += 1;
          if (index < 0 || behind > rows) {
            const wrong = index < 0 ? index : Math.max(index, rows);
            throw new RangeError(`index ${wrong} is out of range for ${rows} rows`);
          }
          const row = which * rows + index; // in one table, if rows are summed
          const start = first + (isSum ? place : row) * n;
          const to = target + (isSum ? row : place) * n;
          const length = (behind - index) * n;
          if (isSum) for (let i = 0; i < length; i += 1) f32[to + i]! += values[start + i]!;
          else if (length < ROW)
            for (let i = 0; i < length; i += 1) memory[to + i] = from[start + i]!; // prettier-ignore
          else if (from === i32) i32.copyWithin(to, start, start + length);
          else memory.set((from as Int32Array).subarray(start, start + length), to);
        }
      }
    },
  };
}
