/** Convolutions in 1 to 3 dimensions: patches times weights, block by block. */
import { type Activation, finishOf } from "./activation.js";
import { BIAS_OF_ROW, gemmLibrary, NO_BIAS, panelBytes, stripBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { imageLibrary, paddedBytes, padPlanes, type WindowSpec, windowsOf } from "./image.js";
import { type Kernel, product, share } from "./kernel.js";

export interface ConvSpec extends WindowSpec {
  batch?: number;
  inChannels: number;
  outChannels: number;
  /** 1 by default. */
  groups?: number;
  activation?: Activation;
}

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

type WeightSizes = Pick<ConvSpec, "inChannels" | "outChannels" | "groups" | "kernel">;

interface Groups {
  groups: number;
  /** Rows and columns of the weight of a group as a matrix. */
  m: number;
  k: number;
}

function groupsOf({ inChannels, outChannels, groups = 1, kernel }: WeightSizes): Groups {
  if (inChannels % groups || outChannels % groups) {
    throw new Error(`conv: ${inChannels} and ${outChannels} channels in ${groups} groups`);
  }
  return { groups, m: outChannels / groups, k: (inChannels / groups) * product(kernel) };
}

/** The bytes of a packed weight `[outChannels, inChannels / groups, ...kernel]`. */
export function packedConvBytes(sizes: WeightSizes): number {
  const { groups, m, k } = groupsOf(sizes);
  return groups * stripBytes(m, k);
}

/** Packs a weight for `conv`, whatever the size of the image. */
export function packConv(heap: Heap, sizes: WeightSizes, weight: number, to: number): void {
  const { groups, m, k } = groupsOf(sizes);
  for (let group = 0; group < groups; group += 1) {
    const target = to + group * stripBytes(m, k);
    gemmLibrary(heap).packStrips(weight + group * m * k * 4, k * 4, m, k, target);
  }
}

/** Patches that are packed together stay in the second-level cache. */
const PATCH_BYTES = 256 * 1024;

export function conv(heap: Heap, spec: ConvSpec): Kernel<ConvPointers> {
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
  // Blocks of whole channels, all about as large.
  const blocks = Math.max(1, Math.ceil(channels / Math.max(1, Math.floor(640 / taps))));
  const blockChannels = Math.ceil(channels / blocks);
  const blockK = blockChannels * taps;
  const panels = Math.min(
    Math.ceil(pixels / 8),
    Math.max(2, Math.floor(PATCH_BYTES / (blockK * 32))),
  );
  const isPointwise = taps === 1 && product(stride) === 1 && !windows.isPadded;
  const padBytes = paddedBytes(windows, inChannels);
  const workspaceBytes = padBytes + panelBytes(panels * 8, blockK) + 64;

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
    const weight = p.weight + m0 * k * 4;
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
        pack(p.x + c * planeBytes, some, first, count, scratch);
        library.gemm(
          m1 - m0, count, depth, weight + c * taps * 16, k * 16, scratch, depth * 32, 32, to,
          pixels * 4, bias, c === 0 && bias ? BIAS_OF_ROW : NO_BIAS, c === 0 ? residual : to,
          (m1 - m0) * depth * 4 > PATCH_BYTES ? 1 : 0, isLast ? finish.low : -Infinity,
          isLast ? finish.high : Infinity,
        ); // prettier-ignore
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
            ...p,
            x: x + group * channels * planeBytes,
            weight: p.weight + group * stripBytes(m, k),
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
