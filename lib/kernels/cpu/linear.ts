/** `out = activation(x Wᵀ + bias + residual)`: the weight packed once, any number of rows. */
import { type Activation, finishOf } from "./activation.js";
import { gemmLibrary, MAX_ROWS, multiply, panelBytes, productBytes } from "./gemm.js";
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

export function linear(heap: Heap, spec: LinearSpec): Kernel<LinearPointers> {
  const { m, n, k } = spec;
  const library = gemmLibrary(heap);
  const finish = finishOf(heap, spec.activation);
  const xRow = (spec.xRow ?? k) * 4;
  const outRow = (spec.outRow ?? n) * 4;
  const workspaceBytes = productBytes(m, k);

  /** Columns `[n0, n1)` of rows `[m0, m1)`. */
  const run = (p: LinearPointers, m0: number, m1: number, n0: number, n1: number): void => {
    const weight = p.weight + (n0 >> 3) * 32 * k;
    const bias = p.bias ? p.bias + n0 * 4 : 0;
    for (let row = m0; row < m1; row += MAX_ROWS) {
      const rows = Math.min(MAX_ROWS, m1 - row);
      const out = p.out + row * outRow + n0 * 4;
      const residual = p.residual ? p.residual + row * outRow + n0 * 4 : 0;
      multiply(library, {
        m: rows,
        n: n1 - n0,
        k,
        a: p.x + row * xRow,
        aRow: xRow,
        b: weight,
        c: out,
        cRow: outRow,
        bias,
        residual,
        low: finish.low,
        high: finish.high,
        strips: p.workspace,
      });
      if (!finish.apply) continue;
      if (outRow === n * 4 && n0 === 0 && n1 === n) finish.apply(out, out, rows * n);
      else
        for (let i = 0; i < rows; i += 1) finish.apply(out + i * outRow, out + i * outRow, n1 - n0);
    }
  };

  return {
    workspaceBytes,
    run: (p, part = 0, parts = 1) => {
      const mine = { ...p, workspace: p.workspace + part * workspaceBytes };
      // By rows if there are enough of them: what is packed is then packed once.
      const byRows = m >= 8 * parts;
      const [m0, m1] = byRows ? share(m, part, parts, 4) : [0, m];
      const [n0, n1] = byRows ? [0, n] : share(n, part, parts, 8);
      if (n0 < n1) run(parts === 1 ? p : mine, m0, m1, n0, n1);
    },
  };
}
