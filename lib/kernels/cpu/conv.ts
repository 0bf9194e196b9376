/** Convolutions in 1 to 3 dimensions: patches of the input times weights, block by block. */
import { type Activation, finishOf } from "./activation.js";
import { BIAS_OF_ROW, gemm, gemmLibrary, NO_BIAS, panelBytes, stripBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { imageLibrary, paddedBytes, padPlanes, type WindowSpec, windowsOf } from "./image.js";
import { type Kernel, product, share } from "./kernel.js";
import type { WeightType } from "./linear.js";
import { narrowRunBytes, narrowStripBytes, withRoom } from "./narrow.js";
import { narrowing } from "./on-demand.js";
import type { TiledAlgorithm } from "./tiles.js";
import { packedWinogradBytes, packWinograd, winograd } from "./winograd.js";

export interface ConvSpec extends WindowSpec {
  batch?: number;
  inChannels: number;
  outChannels: number;
  /** 1 by default. */
  groups?: number;
  /**
   * `direct` by default; `fastestConv` tells which one to choose. The weight must be packed for the
   * same one.
   */
  algorithm?: ConvAlgorithm;
  /** The type of the packed weight, `f32` by default; others only with `direct`. */
  weightType?: WeightType;
  activation?: Activation;
}

/**
 * `direct` multiplies patches. The others are Winograd's algorithm with tiles of 2 × 2 or 4 × 4
 * results, for kernels of 3 × 3, stride 1, no dilation and one group: 2.25 or 4 times fewer
 * products, with 1.8 or 4 times the memory for the weight. `winograd2` is about as exact as
 * `direct`, `winograd4` has two to three times its error. Both spread a NaN or an infinity over the
 * tile that it is in.
 */
export type ConvAlgorithm = "direct" | TiledAlgorithm;

export interface ConvPointers {
  /** `[batch, inChannels, ...size]`. */
  x: number;
  /** As `packConv` left it. */
  weight: number;
  bias?: number;
  /** Added before the activation; laid out as the output, and may be the output. */
  residual?: number;
  out: number;
  workspace: number;
}

type WeightSizes = Pick<
  ConvSpec,
  "inChannels" | "outChannels" | "groups" | "kernel" | "algorithm" | "weightType"
>;

const everyIs = (sizes: readonly number[] | undefined, want: number): boolean =>
  (sizes ?? []).every((size) => size === want);

const fitsWinograd = ({ kernel, stride, dilation, groups = 1 }: ConvSpec): boolean =>
  kernel.length === 2 &&
  everyIs(kernel, 3) &&
  everyIs(stride, 1) &&
  everyIs(dilation, 1) &&
  groups === 1;

/**
 * Estimates which algorithm is fastest: products in whole tiles of the matrix kernel, plus the cost
 * of transforming each channel. `winograd4` is excluded if its weight took more than four times the
 * memory of the images.
 *
 * @param most - The largest tiles that may be used.
 */
export function fastestConv(spec: ConvSpec, most: 2 | 4 = 4): ConvAlgorithm {
  if (!fitsWinograd(spec)) return "direct";
  const { out } = windowsOf(spec);
  const { inChannels, outChannels } = spec;
  const channels = inChannels + outChannels;
  const rows = Math.ceil(outChannels / 4) * 4;
  const pixels = Math.ceil(product(out) / 8) * 8;
  const direct = inChannels * 9 * ((rows + PATCH_COST) * pixels + WEIGHT_COST * rows);
  const tiled = (size: number): number => {
    const tiles = Math.ceil((Math.ceil(out[1] / size) * Math.ceil(out[2] / size)) / 4) * 4;
    const products = tiles * (rows * inChannels + TILE_COST * channels);
    return (size + 2) ** 2 * (products + WEIGHT_COST * rows * inChannels);
  };
  const mayBeFour = most === 4 && 36 * rows * inChannels <= 4 * pixels * channels;
  const [two, four] = [tiled(2), mayBeFour ? tiled(4) : Infinity];
  if (direct <= Math.min(two, four)) return "direct";
  return two <= four ? "winograd2" : "winograd4";
}

/**
 * The cost of preparing one number of a patch (below: of a tile, of the weight), in multiply-adds.
 */
const PATCH_COST = 4;
const TILE_COST = 13;
const WEIGHT_COST = 6;

interface Groups {
  groups: number;
  /** Rows and columns of a group's weight as a matrix. */
  m: number;
  k: number;
}

function groupsOf({ inChannels, outChannels, groups = 1, kernel }: WeightSizes): Groups {
  return { groups, m: outChannels / groups, k: (inChannels / groups) * product(kernel) };
}

/** The bytes of a packed weight `[outChannels, inChannels / groups, ...kernel]`. */
export function packedConvBytes(sizes: WeightSizes): number {
  const { algorithm = "direct", outChannels, inChannels } = sizes;
  if (algorithm !== "direct") return packedWinogradBytes(algorithm, outChannels, inChannels);
  const { groups, m, k } = groupsOf(sizes);
  return groups * packedRows(sizes, m, k);
}

/** The bytes of some rows of the packed weight. */
const packedRows = ({ weightType = "f32" }: WeightSizes, rows: number, k: number): number =>
  weightType === "f32"
    ? stripBytes(rows, k)
    : Math.ceil(rows / 4) * narrowStripBytes(weightType, k);

/**
 * Packs a weight for `conv`; the size of the image does not matter.
 *
 * @param some - With one group, only these rows; `first` must be a multiple of 4, and `weight` is
 *   the address of that row.
 */
export function packConv(
  heap: Heap,
  sizes: WeightSizes,
  weight: number,
  to: number,
  some?: { first: number; count: number },
): void {
  const { algorithm = "direct" } = sizes;
  if (algorithm !== "direct") {
    packWinograd(heap, algorithm, sizes, weight, to, some);
    return;
  }
  const { groups, m, k } = groupsOf(sizes);
  const { first = 0, count = m } = some ?? {};
  const { weightType = "f32" } = sizes;
  const { packStrips } = gemmLibrary(heap);
  for (let group = 0; group < groups; group += 1) {
    const target = to + group * packedRows(sizes, m, k) + packedRows(sizes, first, k);
    const rows = weight + group * m * k * 4;
    if (weightType === "f32") packStrips(rows, k * 4, count, k, target);
    else {
      withRoom(heap, stripBytes(count, k), (from) => {
        packStrips(rows, k * 4, count, k, from);
        const runs = { from, count: Math.ceil(count / 4), length: 4 * k, lanes: 4 } as const;
        const bytes = narrowRunBytes(weightType, runs.length);
        narrowing().narrowRuns(heap, { type: weightType, ...runs, bytes, to: target });
      });
    }
  }
}

/**
 * Patches that are packed together fit into the second-level cache, as do weights that are widened
 * together.
 */
const PATCH_BYTES = 256 * 1024;

export function conv(heap: Heap, spec: ConvSpec): Kernel<ConvPointers> {
  const { algorithm = "direct" } = spec;
  return algorithm === "direct" ? direct(heap, spec) : winograd(heap, spec, algorithm);
}

/**
 * Whether a 1 × 1 convolution reads its planes in place instead of packing them: only for few
 * planes, no more than the first-level cache can hold at their distance. Reading from many places
 * is slow.
 */
export function isReadInPlace(spec: ConvSpec): boolean {
  const { kernel, stride, size, isPadded } = windowsOf(spec);
  if (product(kernel) * product(stride) !== 1 || isPadded) return false;
  const bytes = product(size) * 4;
  const places = Math.min(64, 4096 / (bytes & -bytes)); // cache sets that the planes fall into, a power of 2
  const channels = spec.inChannels / (spec.groups ?? 1);
  return bytes % 16 === 0 && channels <= Math.min(48, WAYS * places);
}

/** The ways of a first-level cache with 64 sets. */
const WAYS = 8;

function direct(heap: Heap, spec: ConvSpec): Kernel<ConvPointers> {
  const { batch = 1, inChannels, outChannels } = spec;
  const windows = windowsOf(spec);
  const { groups, m, k } = groupsOf(spec);
  const { kernel, stride, dilation, padded, out } = windows;
  const library = gemmLibrary(heap);
  const image = imageLibrary(heap);
  const finish = finishOf(heap, spec.activation);

  const channels = inChannels / groups;
  const taps = product(kernel);
  const pixels = product(out);
  const planeBytes = product(padded) * 4;
  // Blocks of whole channels, all of about the same size.
  const blocks = Math.max(1, Math.ceil(channels / Math.max(1, Math.floor(640 / taps))));
  const blockChannels = Math.ceil(channels / blocks);
  const blockK = blockChannels * taps;
  const panels = Math.min(
    Math.ceil(pixels / 8),
    Math.max(2, Math.floor(PATCH_BYTES / (blockK * 32))),
  );
  const isPointwise = taps === 1 && product(stride) === 1 && !windows.isPadded;
  const inPlace = isReadInPlace(spec);
  const padBytes = paddedBytes(windows, inChannels);
  const patchBytes = inPlace ? 0 : panelBytes(panels * 8, blockK) + 64;
  const widen = widener(heap, spec, k, blockK);
  const workspaceBytes = padBytes + patchBytes + widen.workspaceBytes;

  const pack = (x: number, count: number, first: number, pixelCount: number, to: number): void => {
    if (isPointwise) {
      library.packPanelsAcross(x + first * 4, planeBytes, pixelCount, count, to);
      return;
    }
    const [slice, row] = [padded[1] * padded[2] * 4, padded[2] * 4];
    image.patches(
      x, count, planeBytes, ...kernel, dilation[0] * slice, dilation[1] * row, dilation[2] * 4, first,
      pixelCount, out[1], out[2], stride[0] * slice, stride[1] * row, stride[2] * 4, to,
    ); // prettier-ignore
  };

  /** Rows `[m0, m1)` and pixels `[p0, p1)` of one group of one image. */
  const run = (
    p: ConvPointers,
    { m0, m1, p0, p1 }: { m0: number; m1: number; p0: number; p1: number },
    scratch: number,
  ): void => {
    const bias = p.bias ? p.bias + m0 * 4 : 0;
    for (let first = p0; first < p1; first += panels * 8) {
      const count = Math.min(panels * 8, p1 - first);
      const place = (m0 * pixels + first) * 4;
      const residual = p.residual ? p.residual + place : 0;
      const to = p.out + place;
      for (let c = 0; c < channels; c += blockChannels) {
        const some = Math.min(blockChannels, channels - c);
        const depth = some * taps;
        const isLast = c + some === channels;
        const x = p.x + c * planeBytes;
        if (!inPlace) pack(x, some, first, count, scratch);
        const [b, bPanel, bRow] = inPlace
          ? [x + first * 4, 32, planeBytes]
          : [scratch, depth * 32, 32];
        for (let row = m0; row < m1; row += widen.rows) {
          const rows = Math.min(widen.rows, m1 - row);
          const strips = widen.strips(p.weight, row, rows, c * taps, depth, scratch + patchBytes);
          const at = (row - m0) * pixels * 4;
          gemm(
            library, rows, count, depth, strips, widen.stripBytes, b, bPanel, bRow, to + at, pixels * 4,
            bias && bias + (row - m0) * 4, c === 0 && bias ? BIAS_OF_ROW : NO_BIAS,
            c > 0 ? to + at : residual && residual + at, rows * depth * 4 > PATCH_BYTES ? 1 : 0,
            isLast ? finish.low : -Infinity, isLast ? finish.high : Infinity,
          ); // prettier-ignore
        }
      }
      if (!finish.apply) continue;
      for (let i = 0; i < m1 - m0; i += 1) {
        const row = to + i * pixels * 4;
        finish.apply(row, row, count);
      }
    }
  };

  return {
    workspaceBytes,
    run: (p, part = 0, parts = 1) => {
      const workspace = p.workspace + part * workspaceBytes;
      const byPixels = pixels >= 32 * parts;
      const [p0, p1] = byPixels ? share(pixels, part, parts, 8) : [0, pixels];
      const [m0, m1] = byPixels ? [0, m] : share(m, part, parts, 4);
      if (p0 >= p1 || m0 >= m1) return;
      for (let n = 0; n < batch; n += 1) {
        const plain = p.x + n * inChannels * product(windows.size) * 4;
        const x = padPlanes(image, windows, plain, inChannels, workspace);
        for (let group = 0; group < groups; group += 1) {
          const at = (n * outChannels + group * m) * pixels * 4;
          const pointers = {
            workspace: p.workspace,
            x: x + group * channels * planeBytes,
            weight: p.weight + group * packedRows(spec, m, k),
            bias: p.bias && p.bias + group * m * 4,
            residual: p.residual && p.residual + at,
            out: p.out + at,
          };
          run(pointers, { m0, m1, p0, p1 }, workspace + padBytes);
        }
      }
    },
  };
}

/** The weight of a convolution as floats, with some rows at a time available. */
export interface StripWidener {
  /** The number of rows available at a time. */
  rows: number;
  /** Bytes from one strip of the result to the next. */
  stripBytes: number;
  /**
   * The address of columns `[from, from + depth)` of some rows as floats; the first row is a
   * multiple of 4.
   */
  strips: (
    weight: number, row: number, rows: number, from: number, depth: number, workspace: number,
  ) => number; // prettier-ignore
  workspaceBytes: number;
}

/** The weight as floats: read in place, or widened some rows at a time. */
function widener(
  heap: Heap,
  { weightType = "f32" }: ConvSpec,
  k: number,
  most: number,
): StripWidener {
  if (weightType === "f32") {
    const strips: StripWidener["strips"] = (weight, row, _, from) =>
      weight + (row * k + from * 4) * 4;
    return { rows: Infinity, stripBytes: k * 16, strips, workspaceBytes: 0 };
  }
  return narrowing().stripWidener(
    heap,
    weightType,
    narrowStripBytes(weightType, k),
    most,
    PATCH_BYTES,
  );
}
