/** Convolutions of 3 × 3 and stride 1 with a fraction of the multiplications. */
import { finishOf } from "./activation.js";
import type { ConvPointers, ConvSpec } from "./conv.js";
import { gemmLibrary, stripBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { imageLibrary, paddedBytes, padPlanes, windowsOf } from "./image.js";
import { inJs } from "./on-demand.js";
import { type Kernel, product, share } from "./kernel.js";
import { emitWinograd, SIDE, SIZE } from "./wasm/winograd.js";

export interface WinogradLibrary {
  weights: (w: number, rows: number, channels: number, to: number, place: number) => void;
  input: (
    x: number, channels: number, plane: number, row: number, tileRows: number, groups: number,
    to: number, place: number,
  ) => void; // prettier-ignore
  output: (
    products: number, place: number, productRow: number, channels: number, outH: number,
    outW: number, tileRows: number, groups: number, bias: number, out: number, outPlane: number,
    residual: number, low: number, high: number,
  ) => void; // prettier-ignore
}

const PLACES = SIDE ** 2;

/** Bytes of a weight `[outChannels, inChannels, 3, 3]` packed for its tiles. */
export const packedWinogradBytes = (outChannels: number, inChannels: number): number =>
  PLACES * stripBytes(outChannels, inChannels);

export function packWinograd(
  heap: Heap,
  { outChannels, inChannels }: { outChannels: number; inChannels: number },
  weight: number,
  to: number,
  { first, count } = { first: 0, count: outChannels },
): void {
  const place = stripBytes(outChannels, inChannels);
  const start = to + stripBytes(first, inChannels);
  libraryOf(heap).weights(weight, count, inChannels, start, place);
}

const libraryOf = (heap: Heap): WinogradLibrary =>
  heap.library("winograd", emitWinograd, () => inJs().winogradInJs(heap));

/** Keeps the places of a tile from falling into the same set of the first cache. */
const APART = 64;

/** Tiles of a block and its products stay in the second-level cache. */
const BLOCK_BYTES = 700 * 1024;

export function winograd(heap: Heap, spec: ConvSpec): Kernel<ConvPointers> {
  const { batch = 1, inChannels, outChannels } = spec;
  const plain = windowsOf(spec);
  const [, outH, outW] = plain.out;
  const library = gemmLibrary(heap);
  const image = imageLibrary(heap);
  const finish = finishOf(heap, spec.activation);
  const { input, output } = libraryOf(heap);
  const tileRows = Math.ceil(outH / SIZE);
  const groups = Math.ceil(outW / SIZE / 4);
  // The border is as wide as the tiles at the edge reach.
  const after = [tileRows * SIZE + 2, groups * 4 * SIZE + 2].map((end, i) =>
    Math.max(plain.after[i + 1]!, end - plain.size[i + 1]! - plain.before[i + 1]!),
  );
  const windows = windowsOf({ ...spec, paddingAfter: after });
  const { padded } = windows;
  const [planeIn, planeOut] = [product(plain.size) * 4, outH * outW * 4];
  const perTile = PLACES * 4 * (inChannels + outChannels);
  const blockRows = Math.max(
    1,
    Math.min(tileRows, Math.floor(BLOCK_BYTES / (perTile * groups * 4))),
  );
  const tilesOf = (rows: number): number => Math.ceil((rows * groups * 4) / 8) * 8;
  const padBytes = paddedBytes(windows, inChannels);
  const workspaceBytes = padBytes + perTile * tilesOf(blockRows) + 2 * PLACES * APART;

  return {
    workspaceBytes,
    run: (p, part = 0, parts = 1) => {
      const workspace = p.workspace + part * workspaceBytes;
      const byRows = tileRows >= 4 * parts;
      const [r0, r1] = byRows ? share(tileRows, part, parts) : [0, tileRows];
      const [o0, o1] = byRows ? [0, outChannels] : share(outChannels, part, parts, 4);
      if (r0 >= r1 || o0 >= o1) return;
      const channels = o1 - o0;
      for (let n = 0; n < batch; n += 1) {
        const plane = padded[1] * padded[2] * 4;
        const x = padPlanes(image, windows, p.x + n * inChannels * planeIn, inChannels, workspace);
        for (let r = r0; r < r1; r += blockRows) {
          const rows = Math.min(blockRows, r1 - r);
          const tiles = tilesOf(rows);
          const panels = workspace + padBytes;
          const panelPlace = tiles * inChannels * 4 + APART;
          const products = panels + PLACES * panelPlace;
          const productPlace = tiles * channels * 4 + APART;
          const row = padded[2] * 4;
          input(x + r * SIZE * row, inChannels, plane, row, rows, groups, panels, panelPlace);
          const rowsFirst = channels * inChannels * 4 > 256 * 1024 ? 1 : 0;
          for (let e = 0; e < PLACES; e += 1) {
            const weight = p.weight + e * stripBytes(outChannels, inChannels) + o0 * inChannels * 4;
            library.gemm(
              channels, tiles, inChannels, weight, inChannels * 16, panels + e * panelPlace,
              inChannels * 32, 32, products + e * productPlace, tiles * 4, 0, 0, 0, rowsFirst,
              -Infinity, Infinity,
            ); // prettier-ignore
          }
          const place = (n * outChannels + o0) * planeOut + r * SIZE * outW * 4;
          const lines = Math.min(rows * SIZE, outH - r * SIZE);
          output(
            products, productPlace, tiles * 4, channels, lines, outW, rows, groups,
            p.bias ? p.bias + o0 * 4 : 0, p.out + place, planeOut,
            p.residual ? p.residual + place : 0, finish.low, finish.high,
          ); // prettier-ignore
          for (let o = 0; finish.apply && o < channels; o += 1) {
            const at = p.out + place + o * planeOut;
            finish.apply(at, at, lines * outW);
          }
        }
      }
    },
  };
}
