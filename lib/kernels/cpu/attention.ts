/** `softmax(Q Kᵀ · scale + mask) V`, a few rows of queries at a time. */
import { gemmLibrary, multiply, panelBytes, productBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { type Kernel, share } from "./kernel.js";
import { softmaxOf } from "./softmax.js";

/** Where the heads of a tensor lie, in elements: a merged projection is read in place. */
export interface HeadStrides {
  batch: number;
  head: number;
  row: number;
}

export interface AttentionSpec {
  batch: number;
  heads: number;
  /** Heads of keys and values, each for `heads / keyHeads` heads in a row; `heads` by default. */
  keyHeads?: number;
  queries: number;
  keys: number;
  headSize: number;
  /** `headSize` by default. */
  valueSize?: number;
  /** 1 / √headSize by default. */
  scale?: number;
  /** Query i sees the keys 0 to i. */
  causal?: boolean;
  q: HeadStrides;
  k: HeadStrides;
  v: HeadStrides;
  out: HeadStrides;
  /** The strides of an additive mask whose rows are contiguous; 0 where it broadcasts. */
  mask?: HeadStrides;
  /** What a query gets that sees no key at all. */
  emptyRows?: "nan" | "zero";
}

export interface AttentionPointers {
  q: number;
  k: number;
  v: number;
  mask?: number;
  out: number;
  workspace: number;
}

/** The scores of a block of queries stay in the second-level cache. */
const SCORE_BYTES = 128 * 1024;
const MOST_QUERIES = 64;

/** Where a head of one of the batch begins, in bytes. */
const placeOf = (strides: HeadStrides, n: number, head: number): number =>
  (n * strides.batch + head * strides.head) * 4;

/**
 * Memory grows with the number of keys, not with its square: scores are kept for a block of queries
 * at a time, whose softmax is therefore the plain one.
 */
export function attention(heap: Heap, spec: AttentionSpec): Kernel<AttentionPointers> {
  const { batch, heads, keyHeads = heads, queries, keys, headSize, valueSize = headSize } = spec;
  const { scale = 1 / Math.sqrt(headSize), causal = false, emptyRows = "nan" } = spec;
  const library = gemmLibrary(heap);
  const softmax = softmaxOf(heap);
  const fitting = Math.floor(SCORE_BYTES / (Math.max(keys, 1) * 4)) & -4;
  const block = Math.min(Math.max(fitting, 4), MOST_QUERIES, Math.max(queries, 1));
  const keyBytes = panelBytes(keys, headSize);
  const valueBytes = panelBytes(valueSize, keys);
  const scoreBytes = block * keys * 4 + 64;
  const stripBytes = Math.max(productBytes(block, headSize), productBytes(block, keys));
  const workspaceBytes = (keyBytes + valueBytes + scoreBytes + stripBytes + 128) & -64;

  return {
    workspaceBytes,
    run: (p, part = 0, parts = 1) => {
      const packedKeys = p.workspace + part * workspaceBytes;
      const packedValues = packedKeys + keyBytes;
      const scores = packedValues + valueBytes;
      const strips = scores + scoreBytes;
      let packed = -1;
      // Several threads share the heads, or the queries where those are too few.
      const byHead = batch * heads >= parts;
      const [first, end] = byHead ? share(batch * heads, part, parts) : [0, batch * heads];
      const [q0, q1] = byHead ? [0, queries] : share(queries, part, parts, 4);
      for (let index = first; index < end; index += 1) {
        const [n, head] = [Math.floor(index / heads), index % heads];
        const keyHead = Math.floor((head * keyHeads) / heads);
        if (packed !== n * keyHeads + keyHead && q0 < q1) {
          packed = n * keyHeads + keyHead;
          const [k, v] = [p.k + placeOf(spec.k, n, keyHead), p.v + placeOf(spec.v, n, keyHead)];
          library.packPanels(k, spec.k.row * 4, keys, headSize, packedKeys);
          library.packPanelsAcross(v, spec.v.row * 4, valueSize, keys, packedValues);
        }
        for (let row = q0; row < q1; row += block) {
          const rows = Math.min(block, q1 - row);
          const seen = causal ? Math.min(keys, row + rows) : keys;
          multiply(library, {
            m: rows,
            n: seen,
            k: headSize,
            a: p.q + placeOf(spec.q, n, head) + row * spec.q.row * 4,
            aRow: spec.q.row * 4,
            b: packedKeys,
            c: scores,
            cRow: seen * 4,
            strips,
          });
          const strides = spec.mask;
          const masked = p.mask && strides;
          const mask = masked ? p.mask! + placeOf(strides, n, head) + row * strides.row * 4 : 0;
          softmax(
            scores, scores, rows, seen, seen * 4, seen * 4, scale, mask,
            masked ? strides.row * 4 : 0, causal ? row + 1 : seen, causal ? 1 : 0,
            emptyRows === "zero" ? 1 : 0,
          ); // prettier-ignore
          multiply(library, {
            m: rows,
            n: valueSize,
            k: seen,
            a: scores,
            aRow: seen * 4,
            b: packedValues,
            bPanel: 32 * keys,
            c: p.out + placeOf(spec.out, n, head) + row * spec.out.row * 4,
            cRow: spec.out.row * 4,
            strips,
          });
        }
      }
    },
  };
}
