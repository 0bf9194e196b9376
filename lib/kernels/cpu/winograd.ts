/**
 * Convolutions of 3 × 3 and stride 1 with a fraction of the multiplications (Winograd's algorithm).
 */
import { finishOf } from "./activation.js";
import type { ConvPointers, ConvSpec } from "./conv.js";
import { gemm, gemmLibrary, stripBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { imageLibrary, paddedBytes, padPlanes, windowsOf } from "./image.js";
import { inJs } from "./on-demand.js";
import { type Kernel, product, share } from "./kernel.js";
import { pairs, TILES, type TiledAlgorithm } from "./tiles.js";
import { emitWinograd } from "./wasm/winograd.js";

/** `across` tiles are side by side; the first of `tiles` tiles is in column `column`. */
export interface WinogradLibrary {
  weights: (w: number, rows: number, channels: number, to: number, place: number) => void;
  input: (
    x: number, channels: number, plane: number, row: number, column: number, across: number,
    tiles: number, to: number, place: number,
  ) => void; // prettier-ignore
  output: (
    products: number, place: number, productRow: number, channels: number, column: number,
    across: number, tiles: number, lines: number, outW: number, bias: number, out: number,
    outPlane: number, residual: number, low: number, high: number,
  ) => void; // prettier-ignore
}

const placesOf = (algorithm: TiledAlgorithm): number => TILES[algorithm].into.length ** 2;

/**
 * Extra bytes between the matrices of a tile, so that they are not a power of 2 apart, which would
 * map them to the same cache sets.
 */
const APART = 64;

/** The bytes of the weight's matrix for one element of a tile. */
const weightPlaceOf = (outChannels: number, inChannels: number): number =>
  stripBytes(outChannels, inChannels) + APART;

/** The bytes of a weight `[outChannels, inChannels, 3, 3]` packed for its tiles. */
export const packedWinogradBytes = (
  algorithm: TiledAlgorithm,
  outChannels: number,
  inChannels: number,
): number => placesOf(algorithm) * weightPlaceOf(outChannels, inChannels);

export function packWinograd(
  heap: Heap,
  algorithm: TiledAlgorithm,
  { outChannels, inChannels }: { outChannels: number; inChannels: number },
  weight: number,
  to: number,
  { first, count } = { first: 0, count: outChannels },
): void {
  const place = weightPlaceOf(outChannels, inChannels);
  const start = to + stripBytes(first, inChannels);
  libraryOf(heap, algorithm).weights(weight, count, inChannels, start, place);
}

const libraryOf = (heap: Heap, algorithm: TiledAlgorithm): WinogradLibrary =>
  heap.library(
    algorithm,
    (module) => emitWinograd(module, TILES[algorithm]),
    () => inJs().winogradInJs(heap, TILES[algorithm], pairs),
  );

/** The tiles of a block and their products fit into the second-level cache. */
const BLOCK_BYTES = 700 * 1024;

export function winograd(
  heap: Heap,
  spec: ConvSpec,
  algorithm: TiledAlgorithm,
): Kernel<ConvPointers> {
  const { batch = 1, inChannels, outChannels } = spec;
  const plain = windowsOf(spec);
  const [, outH, outW] = plain.out;
  const library = gemmLibrary(heap);
  const image = imageLibrary(heap);
  const finish = finishOf(heap, spec.activation);
  const { input, output } = libraryOf(heap, algorithm);
  const [places, size] = [placesOf(algorithm), TILES[algorithm].outOf.length];
  const [down, across] = [Math.ceil(outH / size), Math.ceil(outW / size)];
  const all = down * across;
  // The border is as wide as the tiles at the edge need.
  const paddingAfter = [down, across].map(
    (tiles, i) => tiles * size + 2 - plain.size[i + 1]! - plain.before[i + 1]!,
  );
  const windows = windowsOf({ ...spec, paddingAfter });
  const { padded } = windows;
  const [planeIn, planeOut] = [product(plain.size) * 4, outH * outW * 4];
  const row = padded[2] * 4;
  const plane = padded[1] * row;
  const blocks = Math.ceil((all * places * 4 * (inChannels + outChannels)) / BLOCK_BYTES);
  const block = Math.ceil(all / blocks / 8) * 8;
  const padBytes = paddedBytes(windows, inChannels);
  const weightPlace = weightPlaceOf(outChannels, inChannels);
  const panelPlace = block * inChannels * 4 + APART;
  const productPlace = block * outChannels * 4 + APART;
  const workspaceBytes = padBytes + places * (panelPlace + productPlace);

  return {
    workspaceBytes,
    run: (p, part = 0, parts = 1) => {
      const workspace = p.workspace + part * workspaceBytes;
      // Activations that run after the sums need whole lines.
      const grain = finish.apply ? across : 8;
      const byTiles = all >= 4 * grain * parts;
      const [t0, t1] = byTiles ? share(all, part, parts, grain) : [0, all];
      const [o0, o1] = byTiles ? [0, outChannels] : share(outChannels, part, parts, 4);
      if (t0 >= t1 || o0 >= o1) return;
      const channels = o1 - o0;
      const panels = workspace + padBytes;
      const products = panels + places * panelPlace;
      for (let n = 0; n < batch; n += 1) {
        const x = padPlanes(image, windows, p.x + n * inChannels * planeIn, inChannels, workspace);
        const outs = (n * outChannels + o0) * planeOut;
        for (let first = t0; first < t1; first += block) {
          const tiles = Math.min(block, t1 - first);
          const [line, column] = [Math.floor(first / across) * size, first % across];
          const from = x + line * row + column * size * 4;
          input(from, inChannels, plane, row, column, across, tiles, panels, panelPlace);
          const rowsFirst = channels * inChannels * 4 > 256 * 1024 ? 1 : 0;
          for (let e = 0; e < places; e += 1) {
            const weight = p.weight + e * weightPlace + o0 * inChannels * 4;
            gemm(
              library, channels, tiles, inChannels, weight, inChannels * 16, panels + e * panelPlace,
              inChannels * 32, 32, products + e * productPlace, block * 4, 0, 0, 0, rowsFirst,
              -Infinity, Infinity,
            ); // prettier-ignore
          }
          const place = outs + (line * outW + column * size) * 4;
          output(
            products, productPlace, block * 4, channels, column, across, tiles, outH - line, outW,
            p.bias ? p.bias + o0 * 4 : 0, p.out + place, planeOut,
            p.residual ? p.residual + place : 0, finish.low, finish.high,
          ); // prettier-ignore
        }
        if (!finish.apply) continue;
        const [from, end] = [t0, t1].map((t) => Math.min((t / across) * size, outH) * outW);
        for (let o = 0; o < channels; o += 1) {
          const at = p.out + outs + o * planeOut + from! * 4;
          finish.apply(at, at, end! - from!);
        }
      }
    },
  };
}
