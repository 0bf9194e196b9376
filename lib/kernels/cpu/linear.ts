/** `out = activation(x Wᵀ + bias + residual)`: the weight packed once, any number of rows. */
import { type Activation, finishOf } from "./activation.js";
import { BIAS_OF_COLUMN, blocksOf, gemmLibrary, NO_BIAS, panelBytes, stripBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { type Kernel, share } from "./kernel.js";

export interface LinearSpec {
  /** Rows of x, columns of the output, columns of x. */
  m: number;
  n: number;
  k: number;
  /** From one row of x to the next, in elements; `k` by default. */
  xRow?: number;
  /** From one row of the output (and of the residual) to the next; `n` by default. */
  outRow?: number;
  activation?: Activation;
}

export interface LinearPointers {
  x: number;
  /** As `packLinear` left it. */
  weight: number;
  bias?: number;
  /** Added before the activation; laid out as the output, and may be the output. */
  residual?: number;
  out: number;
  workspace: number;
}

/** The bytes of a packed weight `[n, k]`. */
export const packedLinearBytes = (n: number, k: number): number => panelBytes(n, k);

/**
 * Packs a weight for `linear`.
 * @param layout - `nk`: as nn.Linear holds it, `[n, k]`; `kn`: as a right-hand matrix, `[k, n]`.
 * @param row - From one row to the next, in elements, if not the length of a row.
 */
export function packLinear(heap: Heap, { weight, n, k, to, layout = "nk", row }: PackLinear): void {
  const library = gemmLibrary(heap);
  if (layout === "nk") library.packPanels(weight, (row ?? k) * 4, n, k, to);
  else library.packPanelsAcross(weight, (row ?? n) * 4, n, k, to);
}

export interface PackLinear {
  weight: number;
  n: number;
  k: number;
  to: number;
  layout?: "nk" | "kn";
  row?: number;
}

/** Rows that are packed together: with a block of k they fill a quarter of a second-level cache. */
const MAX_ROWS = 128;

export function linear(heap: Heap, spec: LinearSpec): Kernel<LinearPointers> {
  const { m, n, k } = spec;
  const library = gemmLibrary(heap);
  const finish = finishOf(heap, spec.activation);
  const xRow = (spec.xRow ?? k) * 4;
  const outRow = (spec.outRow ?? n) * 4;
  const block = blocksOf(k);
  const few = [undefined, library.rows1, library.rows2, library.rows3];

  /** Columns `[n0, n1)` of rows `[m0, m1)`. */
  const run = (p: LinearPointers, m0: number, m1: number, n0: number, n1: number): void => {
    const weight = p.weight + (n0 >> 3) * 32 * k;
    const bias = p.bias ? p.bias + n0 * 4 : 0;
    for (let row = m0; row < m1; row += MAX_ROWS) {
      const rows = Math.min(MAX_ROWS, m1 - row);
      const out = p.out + row * outRow + n0 * 4;
      const residual = p.residual ? p.residual + row * outRow + n0 * 4 : 0;
      const x = p.x + row * xRow;
      const { low, high } = finish;
      if (rows < few.length) {
        few[rows]!(n1 - n0, k, x, xRow, weight, 32 * k, out, outRow, bias, residual, low, high);
      } else {
        for (let k0 = 0; k0 === 0 || k0 < k; k0 += block) {
          const depth = Math.min(block, k - k0);
          const isFirst = k0 === 0;
          const isLast = k0 + depth >= k;
          library.packStrips(x + k0 * 4, xRow, rows, depth, p.workspace);
          library.gemm(
            rows, n1 - n0, depth, p.workspace, depth * 16, weight + k0 * 32, k * 32, 32, out, outRow,
            bias, isFirst && bias ? BIAS_OF_COLUMN : NO_BIAS, isFirst ? residual : out, 0,
            isLast ? low : -Infinity, isLast ? high : Infinity,
          ); // prettier-ignore
        }
      }
      if (!finish.apply) continue;
      if (outRow === n * 4 && n0 === 0 && n1 === n) finish.apply(out, out, rows * n);
      else
        for (let i = 0; i < rows; i += 1) finish.apply(out + i * outRow, out + i * outRow, n1 - n0);
    }
  };

  return {
    workspaceBytes: stripBytes(Math.min(m, MAX_ROWS), block),
    run: (p, part = 0, parts = 1) => {
      const mine = {
        ...p,
        workspace: p.workspace + part * stripBytes(Math.min(m, MAX_ROWS), block),
      };
      // By rows if there are enough of them: what is packed is then packed once.
      const byRows = m >= 8 * parts;
      const [m0, m1] = byRows ? share(m, part, parts, 4) : [0, m];
      const [n0, n1] = byRows ? [0, n] : share(n, part, parts, 8);
      if (n0 < n1) run(parts === 1 ? p : mine, m0, m1, n0, n1);
    },
  };
}
