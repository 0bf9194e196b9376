/**
 * Transposed convolutions in 1 to 3 dimensions: a matrix product whose results are added up where
 * windows overlap.
 */
import { blocksOf, gemm, gemmLibrary, panelBytes, stripBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { windowsOf } from "./image.js";
import { inJs } from "./on-demand.js";
import { type Kernel, product, share } from "./kernel.js";
import { emitScatter } from "./wasm/scatter.js";

export interface ScatterLibrary {
  fill: (out: number, planes: number, n: number, values: number) => void;
  scatter: (
    patches: number, patchRow: number, channels: number, kernelD: number, kernelH: number,
    kernelW: number, dilationD: number, dilationH: number, dilationW: number, strideD: number,
    strideH: number, strideW: number, paddingD: number, paddingH: number, paddingW: number,
    first: number, count: number, inH: number, inW: number, outD: number, outH: number,
    outW: number, out: number,
  ) => void; // prettier-ignore
}

export interface ConvTransposeSpec {
  batch?: number;
  inChannels: number;
  outChannels: number;
  groups?: number;
  /** The sizes of a plane of the input: `[w]`, `[h, w]` or `[d, h, w]`. */
  size: readonly number[];
  kernel: readonly number[];
  stride?: readonly number[];
  padding?: readonly number[];
  outputPadding?: readonly number[];
  dilation?: readonly number[];
}

export interface ConvTransposePointers {
  x: number;
  /** As `packConvTranspose` left it. */
  weight: number;
  bias?: number;
  out: number;
  workspace: number;
}

type WeightSizes = Pick<ConvTransposeSpec, "inChannels" | "outChannels" | "groups" | "kernel">;

/** The matrix of a group: rows are channels and taps of the output, columns are input channels. */
function matrixOf({ inChannels, outChannels, groups = 1, kernel }: WeightSizes): {
  groups: number;
  m: number;
  k: number;
} {
  return { groups, m: (outChannels / groups) * product(kernel), k: inChannels / groups };
}

/** The bytes of a packed weight `[inChannels, outChannels / groups, ...kernel]`. */
export function packedConvTransposeBytes(sizes: WeightSizes): number {
  const { groups, m, k } = matrixOf(sizes);
  return groups * stripBytes(m, k);
}

export function packConvTranspose(
  heap: Heap,
  sizes: WeightSizes,
  weight: number,
  to: number,
): void {
  const { groups, m, k } = matrixOf(sizes);
  for (let group = 0; group < groups; group += 1) {
    const from = weight + group * m * k * 4;
    gemmLibrary(heap).packStripsAcross(from, m * 4, m, k, to + group * stripBytes(m, k));
  }
}

/** Panels of the input, and patches, fit into the second-level cache. */
const PANEL_BYTES = 256 * 1024;
const PATCH_BYTES = 512 * 1024;

export function convTranspose(heap: Heap, spec: ConvTransposeSpec): Kernel<ConvTransposePointers> {
  const { batch = 1, inChannels, outChannels } = spec;
  const { groups, k } = matrixOf(spec);
  const library = gemmLibrary(heap);
  const { fill, scatter } = heap.library("scatter", emitScatter, (own: Heap) =>
    inJs().scatterInJs(own),
  );
  // The windows are those of the convolution from the output to the input.
  const { size, kernel, stride, dilation, before } = windowsOf({
    ...spec,
    paddingAfter: undefined,
  });
  const rank = spec.size.length;
  const out = size.map((n, i) => {
    const extra = spec.outputPadding?.[i - 3 + rank] ?? 0;
    return (n - 1) * stride[i]! - 2 * before[i]! + dilation[i]! * (kernel[i]! - 1) + extra + 1;
  }) as [number, number, number];
  const [pixels, planeOut, taps] = [product(size), product(out), product(kernel)];
  const [channels, perGroup] = [inChannels / groups, outChannels / groups];
  const fitting = Math.max(1, Math.floor(PANEL_BYTES / (32 * Math.max(k, 1))));
  const panels = Math.min(Math.ceil(pixels / 8), fitting);
  const width = panels * 8;
  // A multiple of 4 channels, so that each block begins with a strip.
  const some = Math.max(4, Math.floor(PATCH_BYTES / (taps * width * 4)) & -4);
  const blockChannels = Math.min(some, Math.ceil(perGroup / 4) * 4);
  const depth = blocksOf(k);
  const panelSize = panelBytes(width, k);
  const workspaceBytes = panelSize + blockChannels * taps * width * 4 + 64;

  const group = (
    x: number,
    weight: number,
    to: number,
    scratch: number,
    [c0, c1]: [number, number],
  ): void => {
    const patches = scratch + panelSize;
    for (let first = 0; first < pixels; first += width) {
      const count = Math.min(width, pixels - first);
      library.packPanelsAcross(x + first * 4, pixels * 4, count, k, scratch);
      for (let c = c0; c < c1; c += blockChannels) {
        const now = Math.min(blockChannels, c1 - c);
        for (let k0 = 0; k0 === 0 || k0 < k; k0 += depth) {
          gemm(
            library, now * taps, count, Math.min(depth, k - k0), weight + c * taps * k * 4 + k0 * 16, k * 16,
            scratch + k0 * 32, k * 32, 32, patches, width * 4, 0, 0, k0 === 0 ? 0 : patches, 0,
            -Infinity, Infinity,
          ); // prettier-ignore
        }
        scatter(
          patches, width * 4, now, ...kernel, ...dilation, ...stride, ...before, first, count,
          size[1], size[2], ...out, to + c * planeOut * 4,
        ); // prettier-ignore
      }
    }
  };

  return {
    workspaceBytes,
    run: (p, part = 0, parts = 1) => {
      const mine = share(perGroup, part, parts, 4);
      const [c0, c1] = mine;
      if (c0 >= c1) return;
      for (let n = 0; n < batch; n += 1) {
        for (let g = 0; g < groups; g += 1) {
          const to = p.out + (n * outChannels + g * perGroup) * planeOut * 4;
          const start = to + c0 * planeOut * 4;
          fill(start, c1 - c0, planeOut, p.bias ? p.bias + (g * perGroup + c0) * 4 : 0);
          const x = p.x + (n * inChannels + g * channels) * pixels * 4;
          const weight = p.weight + g * stripBytes(perGroup * taps, k);
          group(x, weight, to, p.workspace + part * workspaceBytes, mine);
        }
      }
    },
  };
}
