/** `softmax(Q Kᵀ · scale + mask) V`, for a few rows of queries at a time. */
import { blocksOf, gemm, gemmLibrary, NO_BIAS, panelBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { type Kernel, share } from "./kernel.js";
import { softmaxOf } from "./softmax.js";

/**
 * The strides of a tensor's dimensions, in elements: so parts of a merged projection are read in
 * place.
 */
export interface HeadStrides {
  batch: number;
  head: number;
  row: number;
}

export interface AttentionSpec {
  batch: number;
  heads: number;
  /**
   * The number of key and value heads, each shared by `heads / keyHeads` consecutive heads; `heads`
   * by default.
   */
  keyHeads?: number;
  queries: number;
  keys: number;
  headSize: number;
  /** `headSize` by default. */
  valueSize?: number;
  /** 1 / √headSize by default. */
  scale?: number | null;
  /** Query i sees the keys 0 to i. */
  causal?: boolean;
  q: HeadStrides;
  k: HeadStrides;
  v: HeadStrides;
  out: HeadStrides;
  /** The strides of an additive mask whose rows are contiguous; 0 where it broadcasts. */
  mask?: HeadStrides;
  /** Whether numbers other than 0 in the mask take the place of scores. */
  replaces?: boolean;
  /** Whether the result for a query that sees no key at all is NaN, as softmax gives, and not 0. */
  isPlain?: boolean;
}

export interface AttentionPointers {
  q: number;
  k: number;
  v: number;
  mask?: number;
  out: number;
  workspace: number;
}

/** The scores of a block of queries fit into the second-level cache. */
const SCORE_BYTES = 128 * 1024;
/** A whole number of tiles of the second product, which have 4 or 12 rows. */
const MOST_QUERIES = 48;
const LOWEST = -3.4028234663852886e38;

/** The offset of a head of one batch entry, in bytes. */
const placeOf = (strides: HeadStrides, n: number, head: number): number =>
  (n * strides.batch + head * strides.head) * 4;

/**
 * Memory grows with the number of keys, not with its square: only the scores of one block of
 * queries exist at a time, each block with all keys, so that a plain softmax does.
 *
 * Scores are computed as `K Qᵀ`: then the lanes of a vector are four queries, and the softmax
 * writes strips as the second product reads them. With fewer than four queries, the lanes are keys.
 */
export function attention(heap: Heap, spec: AttentionSpec): Kernel<AttentionPointers> {
  const { batch, heads, keyHeads = heads, queries, keys, headSize, valueSize = headSize } = spec;
  const { causal = false } = spec;
  const scale = spec.scale ?? 1 / Math.sqrt(headSize);
  const adds = spec.replaces ? 0 : -1;
  const library = gemmLibrary(heap);
  const softmax = softmaxOf(heap).stripSoftmax;
  const fitting = Math.floor(SCORE_BYTES / (Math.max(keys, 1) * 4)) & -8;
  const block = Math.min(Math.max(fitting, 8), MOST_QUERIES, (queries + 7) & -8);
  const depth = blocksOf(keys);
  const along = queries < 4;
  // Rounded up, plus three vectors that the softmax needs.
  const keyRow = ((keys + 3) & -4) * 4 + 48;
  const keyBytes = panelBytes(keys, headSize);
  const valueBytes = panelBytes(valueSize, keys);
  const queryBytes = panelBytes(block, headSize);
  const scoreBytes = block * keyRow;
  const workspaceBytes = (keyBytes + valueBytes + queryBytes + 2 * scoreBytes + 64) & -64;
  const least = spec.isPlain ? -Infinity : LOWEST;

  return {
    workspaceBytes,
    run: (p, part = 0, parts = 1) => {
      const packedKeys = p.workspace + part * workspaceBytes;
      const packedValues = packedKeys + keyBytes;
      const panels = packedValues + valueBytes;
      const scores = panels + queryBytes;
      const strips = scores + scoreBytes;
      let packed = -1;
      // Threads share the heads, or the queries if there are fewer heads than threads.
      const byHead = batch * heads >= parts;
      const [first, end] = byHead ? share(batch * heads, part, parts) : [0, batch * heads];
      const [q0, q1] = byHead ? [0, queries] : share(queries, part, parts, 4);
      for (let index = first; index < end; index += 1) {
        const [n, head] = [Math.floor(index / heads), index % heads];
        const keyHead = Math.floor((head * keyHeads) / heads);
        if (packed !== n * keyHeads + keyHead && q0 < q1) {
          packed = n * keyHeads + keyHead;
          const pack = along ? library.packPanels : library.packStrips;
          const [k, v] = [p.k + placeOf(spec.k, n, keyHead), p.v + placeOf(spec.v, n, keyHead)];
          pack(k, spec.k.row * 4, keys, headSize, packedKeys);
          library.packPanelsAcross(v, spec.v.row * 4, valueSize, keys, packedValues);
        }
        for (let row = q0; row < q1; row += block) {
          const rows = Math.min(block, q1 - row);
          const seen = causal ? Math.min(keys, row + rows) : keys;
          const q = p.q + placeOf(spec.q, n, head) + row * spec.q.row * 4;
          const out = p.out + placeOf(spec.out, n, head) + row * spec.out.row * 4;
          const maskRow = (spec.mask?.row ?? 0) * 4;
          const mask = spec.mask ? p.mask! + placeOf(spec.mask, n, head) + row * maskRow : 0;
          if (along) {
            const product = [library.rows1, library.rows2, library.rows3][rows - 1]!;
            product(
              seen, headSize, q, spec.q.row * 4, packedKeys, headSize * 32, scores, keyRow, 0, 0,
              -Infinity, Infinity,
            ); // prettier-ignore
            for (let i = 0; i < rows; i += 1) {
              const at = scores + i * keyRow;
              softmax(
                at, 16, at, 4, (seen + 3) >> 2, scale, mask && mask + i * maskRow, 4,
                causal ? Math.min(row + i + 1, seen) : seen, least, 1, adds,
              ); // prettier-ignore
            }
            product(
              valueSize, seen, scores, keyRow, packedValues, 32 * keys, out, spec.out.row * 4, 0, 0,
              -Infinity, Infinity,
            ); // prettier-ignore
            continue;
          }
          library.packPanels(q, spec.q.row * 4, rows, headSize, panels);
          gemm(
            library, seen, rows, headSize, packedKeys, headSize * 16, panels, headSize * 32, 32, scores,
            block * 4, 0, NO_BIAS, 0, 1, -Infinity, Infinity,
          ); // prettier-ignore
          softmax(
            scores, block * 4, strips, rows, seen, scale, mask, maskRow, causal ? row + 1 : 0,
            least, 0, adds,
          ); // prettier-ignore
          for (let k = 0; k < seen; k += depth) {
            gemm(
              library, rows, valueSize, Math.min(depth, seen - k), strips + k * 16, ((seen + 3) & -4) * 16,
              packedValues + k * 32, 32 * keys, 32, out, spec.out.row * 4, 0, NO_BIAS, k && out, 0,
              -Infinity, Infinity,
            ); // prettier-ignore
          }
        }
      }
    },
  };
}
