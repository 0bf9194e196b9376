/** Copies: in another order of dimensions, of chosen rows. */
import { collapse, elementwise } from "./elementwise.js";
import { inJs } from "./on-demand.js";
import type { Heap } from "./heap.js";
import { type Kernel, product, share } from "./kernel.js";
import { emitTranspose } from "./wasm/transpose.js";

export interface TransposeLibrary {
  transpose: (
    x: number, xRow: number, rows: number, columns: number, out: number, outRow: number,
  ) => void; // prettier-ignore
}

export interface CopySpec {
  /** The shape of the result, which is contiguous. */
  shape: readonly number[];
  /** The strides of x over that shape, in elements; 0 repeats. */
  strides: readonly number[];
}

export interface CopyPointers {
  x: number;
  out: number;
}

/** The result's order of dimensions, out of x's shape and the order to bring it into. */
export function permutation(shape: readonly number[], order: readonly number[]): CopySpec {
  const strides = shape.map((_, dim) => product(shape.slice(dim + 1)));
  return { shape: order.map((dim) => shape[dim]!), strides: order.map((dim) => strides[dim]!) };
}

/** A copy with strides: `permute`, `expand`, a slice, or all of them. */
export function copy(heap: Heap, spec: CopySpec): Kernel<CopyPointers> {
  const { sizes, strides } = collapse(spec.shape, [spec.strides]);
  const steps = strides[0]!;
  const across = steps.indexOf(1);
  const last = sizes.length - 1;
  // Rows stay rows, or there is nothing to turn around.
  if (across < 0 || across === last || steps[last] === 0) {
    const { run } = elementwise(heap, { steps: [], shape: spec.shape, strides: [spec.strides] });
    return {
      workspaceBytes: 0,
      run: ({ x, out }, part, parts) => run({ inputs: [x], out }, part, parts),
    };
  }
  const { transpose } = heap.library("transpose", emitTranspose, (own: Heap) =>
    inJs().transposeInJs(own),
  );
  const outStrides = sizes.map((_, dim) => product(sizes.slice(dim + 1)));
  const outer = sizes.map((_, dim) => dim).filter((dim) => dim !== across && dim !== last);
  const count = product(outer.map((dim) => sizes[dim]!));
  const one = (from: number, to: number, start: number, end: number): void =>
    transpose(
      from + start * 4, steps[last]! * 4, sizes[last]!, end - start,
      to + start * outStrides[across]! * 4, outStrides[across]! * 4,
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
        let [rest, from, to] = [index, x, out];
        for (const dim of outer.toReversed()) {
          const i = rest % sizes[dim]!;
          rest = (rest - i) / sizes[dim]!;
          from += i * steps[dim]! * 4;
          to += i * outStrides[dim]! * 4;
        }
        one(from, to, 0, sizes[across]!);
      }
    },
  };
}

export interface GatherSpec {
  /** How many rows are chosen. */
  count: number;
  /** Rows of the table, and the elements of one. */
  rows: number;
  n: number;
}

export interface GatherPointers {
  /** `[rows, n]`: in the heap, or where it is. */
  table: number | Float32Array;
  /** `count` whole numbers from 0 to `rows - 1`, int32. */
  indices: number;
  out: number;
}

/** Rows of a table by their numbers: an embedding. */
export function gather(heap: Heap, { count, rows, n }: GatherSpec): Kernel<GatherPointers> {
  return {
    onOneThread: true,
    workspaceBytes: 0,
    run: ({ table, indices, out }, part = 0, parts = 1) => {
      const { f32: memory, i32: numbers } = heap;
      const [from, to] = share(count, part, parts);
      for (let i = from; i < to; i += 1) {
        const index = numbers[(indices >>> 2) + i]!;
        if (!(index >= 0 && index < rows)) {
          throw new RangeError(`gather: index ${index} is out of range for ${rows} rows`);
        }
        const to = (out >>> 2) + i * n;
        if (typeof table !== "number") {
          memory.set(table.subarray(index * n, (index + 1) * n), to);
          continue;
        }
        const start = (table >>> 2) + index * n;
        memory.copyWithin(to, start, start + n);
      }
    },
  };
}
