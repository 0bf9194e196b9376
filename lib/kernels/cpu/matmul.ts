/** Batched products of two matrices, neither of which is a constant weight. */
import { gemmLibrary, MAX_ROWS, multiply, panelBytes, productBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { type Kernel, placesAt, product, share } from "./kernel.js";

export interface MatmulSpec {
  /** The batch dimensions; none by default. */
  batch?: readonly number[];
  /** The strides of A and B over the batch dimensions, in elements; 0 where one broadcasts. */
  aBatch?: readonly number[];
  bBatch?: readonly number[];
  m: number;
  n: number;
  k: number;
  /** `mk`, or `km` for a transposed A. */
  aLayout?: "mk" | "km";
  /** `kn`, or `nk` for a transposed B. */
  bLayout?: "kn" | "nk";
  /** The distance between rows in memory, in elements. */
  aRow?: number;
  bRow?: number;
}

export interface MatmulPointers {
  a: number;
  b: number;
  /** `[...batch, m, n]`. */
  out: number;
  workspace: number;
}

export function matmul(heap: Heap, spec: MatmulSpec): Kernel<MatmulPointers> {
  const { batch = [], m, n, k, aLayout = "mk", bLayout = "kn" } = spec;
  const library = gemmLibrary(heap);
  const aRow = (spec.aRow ?? (aLayout === "mk" ? k : m)) * 4;
  const bRow = (spec.bRow ?? (bLayout === "kn" ? n : k)) * 4;
  const count = product(batch);
  const strides = [spec.aBatch ?? [], spec.bBatch ?? []];
  const panels = panelBytes(n, k);
  const workspaceBytes = panels + productBytes(m, k) + 64;

  return {
    workspaceBytes,
    run: (p, part = 0, parts = 1) => {
      const workspace = p.workspace + part * workspaceBytes;
      // Threads share the batch, or the rows if there are fewer matrices than threads.
      const byBatch = count >= parts;
      const [first, end] = byBatch ? share(count, part, parts) : [0, count];
      const [m0, m1] = byBatch ? [0, m] : share(m, part, parts, 4);
      let packed = NaN;
      for (let index = first; index < end; index += 1) {
        const [a, b] = placesAt(index, batch, strides, [p.a, p.b]) as [number, number];
        if (b !== packed && m0 < m1) {
          if (bLayout === "nk") library.packPanels(b, bRow, n, k, workspace);
          else library.packPanelsAcross(b, bRow, n, k, workspace);
          packed = b;
        }
        for (let row = m0; row < m1; row += MAX_ROWS) {
          multiply(library, {
            m: Math.min(MAX_ROWS, m1 - row),
            n,
            k,
            a: a + row * (aLayout === "mk" ? aRow : 4),
            aRow,
            across: aLayout === "km",
            b: workspace,
            c: p.out + (index * m + row) * n * 4,
            cRow: n * 4,
            strips: workspace + panels,
          });
        }
      }
    },
  };
}
