/** The functions under every product of matrices: packing, and the product of packed matrices. */
import type { Heap } from "./heap.js";
import { gemmInJs } from "./js/gemm.js";
import { emitFewRows, emitGemm } from "./wasm/gemm.js";
import { emitPack } from "./wasm/pack.js";

type FewRows = (
  n: number, k: number, a: number, aRow: number, b: number, bPanel: number, c: number, cRow: number,
  bias: number, residual: number, low: number, high: number,
) => void; // prettier-ignore
type Pack = (from: number, row: number, count: number, k: number, to: number) => void;

/** All addresses and strides are bytes; an address of 0 means: none. */
export interface GemmLibrary {
  gemm(
    m: number, n: number, k: number, a: number, aStrip: number, b: number, bPanel: number,
    bRow: number, c: number, cRow: number, bias: number, biasMode: number, residual: number,
    rowsFirst: number, low: number, high: number,
  ): void; // prettier-ignore
  rows1: FewRows;
  rows2: FewRows;
  rows3: FewRows;
  packStrips: Pack;
  packPanels: Pack;
  packStripsAcross: Pack;
  packPanelsAcross: Pack;
}

export const NO_BIAS = 0;
export const BIAS_OF_COLUMN = 1;
export const BIAS_OF_ROW = 2;

export function gemmLibrary(heap: Heap): GemmLibrary {
  return heap.library(
    "gemm",
    (module) => {
      emitGemm(module);
      emitFewRows(module);
      emitPack(module);
    },
    gemmInJs,
  );
}

/** Bytes of a matrix in strips of 4 rows. */
export const stripBytes = (rows: number, k: number): number => Math.ceil(rows / 4) * 16 * k;
/** Bytes of a matrix in panels of 8 columns. */
export const panelBytes = (columns: number, k: number): number => Math.ceil(columns / 8) * 32 * k;

/** k in blocks of about 512 that stay in the first cache; one block where k is not much longer. */
export function blocksOf(k: number): number {
  if (k <= 768) return Math.max(k, 1);
  return Math.ceil(k / Math.ceil(k / 512));
}
