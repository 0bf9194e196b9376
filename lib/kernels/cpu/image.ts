/** The functions behind convolutions: borders, and patches in the layout of the matrix product. */
import type { Heap } from "./heap.js";
import { inJs } from "./on-demand.js";
import { product } from "./kernel.js";
import { emitPad, emitPatches } from "./wasm/image.js";

/** All addresses and strides are in bytes; counts and widths are in floats. */
export interface ImageLibrary {
  pad: (
    x: number, planes: number, plane: number, rows: number, width: number, to: number, top: number,
    bottom: number, left: number, right: number, value: number,
  ) => void; // prettier-ignore
  patches: (
    x: number, channels: number, plane: number, kernelD: number, kernelH: number, kernelW: number,
    tapD: number, tapH: number, tapW: number, first: number, count: number, outH: number,
    outW: number, strideD: number, strideH: number, strideW: number, to: number,
  ) => void; // prettier-ignore
}

export function imageLibrary(heap: Heap): ImageLibrary {
  return heap.library(
    "image",
    (module) => {
      emitPad(module);
      emitPatches(module);
    },
    (own: Heap) => inJs().imageInJs(own),
  );
}

/** The sizes of windows that move over an image, in 1 to 3 dimensions. */
export interface WindowSpec {
  /** The sizes of a plane: `[w]`, `[h, w]` or `[d, h, w]`. */
  size: readonly number[];
  kernel: readonly number[];
  /** 1 by default. */
  stride?: readonly number[];
  /** Zeros before each dimension; 0 by default. */
  padding?: readonly number[];
  /** Zeros after each dimension; as before it by default. */
  paddingAfter?: readonly number[];
  /** 1 by default. */
  dilation?: readonly number[];
}

export type Triple = readonly [number, number, number];

/** The windows with missing dimensions filled up to three, and sizes derived from them. */
export interface Windows {
  size: Triple;
  kernel: Triple;
  stride: Triple;
  before: Triple;
  after: Triple;
  dilation: Triple;
  /** The size of the image with its border. */
  padded: Triple;
  out: Triple;
  isPadded: boolean;
}

function triple(sizes: readonly number[] | undefined, rank: number, missing: number): Triple {
  const all = sizes ?? Array.from({ length: rank }, () => missing);
  if (all.length !== rank || rank < 1 || rank > 3) {
    throw new Error(`windows: ${rank} numbers expected, got [${all.join(", ")}]`);
  }
  return [...Array.from({ length: 3 - rank }, () => missing), ...all] as unknown as Triple;
}

/** The padding of "same" convolutions, which give as many results as there are inputs. */
export function samePadding(
  kernel: readonly number[],
  dilation: readonly number[],
): { padding: number[]; paddingAfter: number[] } {
  const reach = kernel.map((k, i) => dilation[i]! * (k - 1));
  return {
    padding: reach.map((r) => Math.floor(r / 2)),
    paddingAfter: reach.map((r) => Math.ceil(r / 2)),
  };
}

export function windowsOf(spec: WindowSpec): Windows {
  const rank = spec.size.length;
  const size = triple(spec.size, rank, 1);
  const kernel = triple(spec.kernel, rank, 1);
  const stride = triple(spec.stride, rank, 1);
  const dilation = triple(spec.dilation, rank, 1);
  const before = triple(spec.padding, rank, 0);
  const after = triple(spec.paddingAfter ?? spec.padding, rank, 0);
  const each = (of: (dim: number) => number): Triple => [of(0), of(1), of(2)];
  const padded = each((i) => size[i]! + before[i]! + after[i]!);
  const out = each((i) =>
    Math.max(0, Math.floor((padded[i]! - dilation[i]! * (kernel[i]! - 1) - 1) / stride[i]!) + 1),
  );
  const isPadded = product(padded) !== product(size);
  return { size, kernel, stride, before, after, dilation, padded, out, isPadded };
}

/**
 * Pads whole planes `[planes, d, h, w]`.
 *
 * @returns the address of the padded planes: `to`, or `x` if there is no border.
 */
export function padPlanes(
  { pad }: ImageLibrary,
  { size, before, after, padded, isPadded }: Windows,
  x: number,
  planes: number,
  to: number,
  value = 0,
): number {
  if (!isPadded) return x;
  const [depth, height, width] = size;
  const slice = padded[1] * padded[2];
  if (depth === 1 && padded[0] === 1) {
    pad(
      x, planes, height * width * 4, height, width, to, before[1], after[1], before[2], after[2], value,
    ); // prettier-ignore
    return to;
  }
  for (let plane = 0; plane < planes; plane += 1) {
    const from = x + plane * depth * height * width * 4;
    const start = to + plane * padded[0] * slice * 4;
    // Border slices before and after a volume are written as rows of an empty image.
    const whole = (at: number, slices: number): void => {
      if (slices) pad(x, 1, 0, 0, 0, at, slices * padded[1], 0, padded[2], 0, value);
    };
    whole(start, before[0]);
    pad(
      from, depth, height * width * 4, height, width, start + before[0] * slice * 4, before[1],
      after[1], before[2], after[2], value,
    ); // prettier-ignore
    whole(start + (before[0] + depth) * slice * 4, after[0]);
  }
  return to;
}

export const paddedBytes = ({ padded, isPadded }: Windows, planes: number): number =>
  isPadded ? planes * product(padded) * 4 + 64 : 0;
