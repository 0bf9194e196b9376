/** Sums, means, maxima and minima over one dimension, or several adjacent ones. */
import type { Heap } from "./heap.js";
import { inJs } from "./on-demand.js";
import { type Kernel, share } from "./kernel.js";
import { emitReduce } from "./wasm/reduce.js";

/** `max` and `min` give NaN if one operand is NaN. */
export type Reduction = "sum" | "max" | "min";

export interface ReduceLibrary {
  rows: (x: number, rows: number, n: number, out: number, factor: number) => void;
  columns: (
    x: number, n: number, width: number, row: number, out: number, factor: number,
  ) => void; // prettier-ignore
}

export interface ReduceSpec {
  reduction: Reduction | "mean";
  /** x is `[outer, n, inner]`, the output `[outer, inner]`. */
  outer: number;
  n: number;
  inner: number;
}

export interface ReducePointers {
  x: number;
  out: number;
}

export function reduce(heap: Heap, spec: ReduceSpec): Kernel<ReducePointers> {
  const { outer, n, inner } = spec;
  const isMean = spec.reduction === "mean";
  const reduction = spec.reduction === "mean" ? "sum" : spec.reduction;
  const library = heap.library<ReduceLibrary>(
    `reduce ${reduction}`,
    (module) => emitReduce(module, reduction),
    () => inJs().reduceInJs(heap, reduction),
  );
  const factor = isMean ? 1 / n : 1;
  return {
    workspaceBytes: 0,
    run: ({ x, out }, part = 0, parts = 1) => {
      if (inner === 1) {
        const [from, to] = share(outer, part, parts);
        library.rows(x + from * n * 4, to - from, n, out + from * 4, factor);
        return;
      }
      const [from, to] = share(inner, part, parts, 4);
      if (from >= to) return;
      for (let i = 0; i < outer; i += 1) {
        const at = x + (i * n * inner + from) * 4;
        library.columns(at, n, to - from, inner * 4, out + (i * inner + from) * 4, factor);
      }
    },
  };
}
