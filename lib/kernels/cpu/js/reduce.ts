/** Reductions in plain JavaScript. */
import type { Heap } from "../heap.js";
import type { ReduceLibrary, Reduction } from "../reduce.js";

const RULES: Record<Reduction, { neutral: number; take: (all: number, value: number) => number }> =
  {
    sum: { neutral: 0, take: (all, value) => all + value },
    max: { neutral: -Infinity, take: (all, value) => Math.max(all, value) },
    min: { neutral: Infinity, take: (all, value) => Math.min(all, value) },
  };

export function reduceInJs(heap: Heap, reduction: Reduction): ReduceLibrary {
  const { neutral, take } = RULES[reduction];
  const reduce = (at: number, n: number, step: number): number => {
    const memory = heap.f32;
    let all = neutral;
    for (let i = 0; i < n; i += 1) all = take(all, memory[at + i * step]!);
    return all;
  };
  return {
    rows: (x, rows, n, out, factor) => {
      for (let i = 0; i < rows; i += 1) {
        heap.f32[(out >>> 2) + i] = reduce((x >>> 2) + i * n, n, 1) * factor;
      }
    },
    columns: (x, n, width, row, out, factor) => {
      for (let i = 0; i < width; i += 1) {
        heap.f32[(out >>> 2) + i] = reduce((x >>> 2) + i, n, row >>> 2) * factor;
      }
    },
  };
}
