/** The functions behind every matrix product: packing, and products of packed matrices. */
import type { Heap } from "./heap.js";
import { inJs } from "./on-demand.js";
import { emitFewRows, emitGemm } from "./wasm/gemm.js";
import { emitPack } from "./wasm/pack.js";

type FewRows = (
  n: number, k: number, a: number, aRow: number, b: number, bPanel: number, c: number, cRow: number,
  bias: number, residual: number, low: number, high: number,
) => void; // prettier-ignore
type Pack = (from: number, row: number, count: number, k: number, to: number) => void;

type Gemm = (
  m: number, n: number, k: number, a: number, aStrip: number, b: number, bPanel: number,
  bRow: number, c: number, cRow: number, bias: number, biasMode: number, residual: number,
  order: number, low: number, high: number, column?: number,
) => void; // prettier-ignore

/** All addresses and strides are in bytes; address 0 means "absent". */
export interface GemmLibrary {
  gemm: Gemm;
  /** As many columns as the name says, `columns4` also 3; absent in builds whose `gemm` takes any number. */
  columns4?: Gemm;
  columns2?: Gemm;
  columns1?: Gemm;
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
    (own: Heap) => inJs().gemmInJs(own),
  );
}

/**
 * `C = clamp(A·B + bias + residual)` for packed matrices. The last columns, up to 6, have tiles of
 * their own in functions of their own: engines optimise small functions sooner, and few models need
 * all.
 */
export function gemm(library: GemmLibrary, ...all: Parameters<Gemm>): void {
  const n = all[1];
  const last = library.columns4 ? (n - 1) & 7 : 7;
  const whole = last < 6 ? n - 1 - last : n;
  if (whole > 0) {
    all[1] = whole;
    library.gemm(...all);
    all[1] = n;
  }
  for (let column = whole; column < n; column += 4) {
    all[16] = column;
    const left = n - column;
    library[left > 2 ? "columns4" : left === 2 ? "columns2" : "columns1"]!(...all);
  }
}

const warm = new Set<string>();

/**
 * Makes the engine optimise the product. Engines first run a function unoptimised, several times
 * slower, and optimise it on another thread once it has been busy for a millisecond or two. If this
 * is called before weights are packed, the product is fast by the first run. Needed once per build,
 * because heaps share code.
 */
export function warmUp(heap: Heap): void {
  const key = `${heap.build} ${heap.shared}`;
  if (heap.build === "js" || warm.has(key)) return;
  warm.add(key);
  const library = gemmLibrary(heap);
  const [m, n, k, times] = [12, 8, 256, 140];
  const a = heap.alloc((m + n) * k * 4 + m * n * 4);
  const b = a + m * k * 4;
  const c = b + n * k * 4;
  heap.f32.fill(0, a >>> 2, c >>> 2);
  for (let i = 0; i < times; i += 1) {
    gemm(
      library, m, n, k, a, k * 16, b, k * 32, 32, c, n * 4, 0, NO_BIAS, 0, 0, -Infinity, Infinity,
    ); // prettier-ignore
  }
  heap.free(a);
}

/** The bytes of a matrix in strips of 4 rows. */
export const stripBytes = (rows: number, k: number): number => Math.ceil(rows / 4) * 16 * k;
/** The bytes of a matrix in panels of 8 columns. */
export const panelBytes = (columns: number, k: number): number => Math.ceil(columns / 8) * 32 * k;

/**
 * The size of blocks of k that stay in the first-level cache: about 512, or all of k if it is not
 * much longer.
 */
export function blocksOf(k: number): number {
  if (k <= 768) return Math.max(k, 1);
  return Math.ceil(k / Math.ceil(k / 512));
}

export interface Product {
  /** Rows; at most `MAX_ROWS`. */
  m: number;
  n: number;
  k: number;
  /** Addresses, and the distance between rows in bytes. */
  a: number;
  aRow: number;
  /** Whether A is stored transposed, as k rows of m numbers. */
  across?: boolean;
  /** B in panels of 8 columns, `32 · k` bytes apart unless given. */
  b: number;
  bPanel?: number;
  c: number;
  cRow: number;
  bias?: number;
  residual?: number;
  low?: number;
  high?: number;
  /** Scratch memory for the strips of a block of A. */
  strips: number;
}

/** Rows that are packed together: with a block of k they fill a quarter of a second-level cache. */
export const MAX_ROWS = 128;

/** The scratch memory of products of up to `m` rows. */
export const productBytes = (m: number, k: number): number =>
  stripBytes(Math.min(m, MAX_ROWS), blocksOf(k));

/**
 * `C = clamp(A·B + bias + residual)` for a plain A and a B in panels. Rows that do not fill a strip
 * are read in place.
 *
 * Callers should write all properties out: spreading another object takes longer than a small
 * product.
 */
export function multiply(library: GemmLibrary, p: Product): void {
  const { n, k, a, aRow, b, c, cRow, strips } = p;
  const { bias = 0, residual = 0, low = -Infinity, high = Infinity } = p;
  const bPanel = p.bPanel ?? 32 * k;
  const rest = p.across ? 0 : p.m & 3;
  const m = p.m - rest;
  if (rest > 0) {
    const few = [library.rows1, library.rows2, library.rows3][rest - 1]!;
    const [skip, from] = [m * cRow, residual && residual + m * cRow];
    few(n, k, a + m * aRow, aRow, b, bPanel, c + skip, cRow, bias, from, low, high);
    if (m === 0) return;
  }
  const block = blocksOf(k);
  for (let k0 = 0; k0 === 0 || k0 < k; k0 += block) {
    const depth = Math.min(block, k - k0);
    const isFirst = k0 === 0;
    const isLast = k0 + depth >= k;
    if (p.across) library.packStripsAcross(a + k0 * aRow, aRow, m, depth, strips);
    else library.packStrips(a + k0 * 4, aRow, m, depth, strips);
    gemm(
      library, m, n, depth, strips, depth * 16, b + k0 * 32, bPanel, 32, c, cRow, bias,
      isFirst && bias ? BIAS_OF_COLUMN : NO_BIAS, isFirst ? residual : c, 2,
      isLast ? low : -Infinity, isLast ? high : Infinity,
    ); // prettier-ignore
  }
}
