/**
 * Windows that slide over each plane separately: depthwise convolution and pooling, in 1 or 2
 * dimensions.
 */
import { type Activation, finishOf } from "./activation.js";
import { SLACK } from "./allocator.js";
import type { Heap } from "./heap.js";
import { imageLibrary, paddedBytes, padPlanes, type Windows, type WindowSpec, windowsOf } from "./image.js"; // prettier-ignore
import { inJs } from "./on-demand.js";
import { type Kernel, product, share } from "./kernel.js";
import { emitDepthwise } from "./wasm/depthwise.js";
import { emitWindows, type WindowShape } from "./wasm/windows.js";

export interface WindowsLibrary {
  run: (
    x: number, planes: number, plane: number, tapRow: number, lineRow: number,
    outH: number, outW: number, weight: number, bias: number, out: number, low: number, high: number,
    scale: number,
  ) => void; // prettier-ignore
}

export interface DepthwiseLibrary {
  run: (
    x: number, planes: number, height: number, width: number, top: number, left: number,
    strideH: number, dilationH: number, outH: number, outW: number,
    weight: number, bias: number, out: number, scratch: number, low: number, high: number,
  ) => void; // prettier-ignore
}

/** Processes some planes; only a convolution has a weight. */
type Sliding = (
  x: number, count: number, out: number, workspace: number, weight?: number, bias?: number,
) => void; // prettier-ignore

/**
 * Processes planes that are padded first if necessary; `workspace` has room for one padded plane.
 */
function sliding(
  heap: Heap,
  kind: WindowShape["kind"],
  windows: Windows,
  { low = -Infinity, high = Infinity, scale = 1 }: { low?: number; high?: number; scale?: number },
): Sliding {
  const { kernel, padded, stride, dilation, size, isPadded } = windows;
  const [, outH, outW] = windows.out;
  const [, kernelH, kernelW] = kernel;
  const [strideW, dilationW, lanes] = [stride[2], dilation[2], Math.min(outW, 4)];
  const shape = { kind, kernelH, kernelW, strideW, dilationW, lanes };
  const { run } = heap.library(
    `windows ${Object.values(shape).join()}`,
    (module) => emitWindows(module, shape),
    (): WindowsLibrary => inJs().windowsInJs(heap, shape),
  );
  const image = imageLibrary(heap);
  const [row, plane] = [padded[2] * 4, product(size) * 4];
  return (x, count, out, workspace, weight = 0, bias = 0) => {
    const planes = isPadded ? 1 : count;
    for (let i = 0; i < count; i += planes) {
      const from = padPlanes(image, windows, x + i * plane, 1, workspace, kind === "max" ? -Infinity : 0); // prettier-ignore
      run(
        from, planes, plane, dilation[1] * row, stride[1] * row, outH, outW,
        weight + i * kernelH * kernelW * 4, bias && bias + i * 4, out + i * outH * outW * 4,
        low, high, scale,
      ); // prettier-ignore
    }
  };
}

export interface DepthwiseSpec extends WindowSpec {
  batch?: number;
  channels: number;
  /** Output channels per input channel; 1 by default. */
  multiplier?: number;
  activation?: Activation;
}

export interface DepthwisePointers {
  /** `[batch, channels, ...size]`. */
  x: number;
  /** `[channels · multiplier, 1, ...kernel]`, as PyTorch has it. */
  weight: number;
  bias?: number;
  out: number;
  workspace: number;
}

/** Processes planes in place, without padding and without room for it. */
function inPlace(
  heap: Heap,
  { size, kernel, stride, dilation, before, out }: Windows,
  { low, high }: { low: number; high: number },
): { workspaceBytes: number; run: Sliding } {
  const [, outH, outW] = out;
  const [[, height, width], [, kernelH, kernelW], [, top, left]] = [size, kernel, before];
  const [strideW, dilationW] = [stride[2], dilation[2]];
  const masked = Array.from({ length: kernelW }, (_, j) => j).filter((j) => {
    const first = j * dilationW - left;
    return first < 0 || first + (outW - 1) * strideW >= width;
  });
  const lines = stride[1] * dilation[1] === 1 ? 2 : 1;
  const shape = { kernelH, kernelW, strideW, dilationW, lines, masked } as const;
  const { run } = heap.library(
    `depthwise ${Object.values(shape).join()}`,
    (module) => emitDepthwise(module, shape),
    (): DepthwiseLibrary => inJs().depthwiseInJs(heap, shape),
  );
  return {
    workspaceBytes: (masked.length * (outW + 4) + width + 4) * 4,
    run: (x, count, to, scratch, weight = 0, bias = 0) =>
      run(
        x, count, height, width, top, left, stride[1], dilation[1], outH, outW, weight, bias,
        to, scratch, low, high,
      ), // prettier-ignore
  };
}

/** For more taps than this, code with all taps unrolled is slower than a loop. */
const MAX_TAPS = 225;

/**
 * How many floats a kernel may read past the ends of a block: half its slack; the rest is for
 * vectors.
 */
const MAX_REACH = SLACK / 8;

/**
 * Whether planes are read in place. Not single lines, for which a mask of that length per tap would
 * be more than a padded copy; not where lines of results are shorter than a vector; and not where
 * windows would read far past the ends of a block.
 */
const isReadInPlace = ({ kernel, before, after, out }: Windows): boolean =>
  out[2] >= 4 &&
  kernel[1] > 1 &&
  product(kernel) <= MAX_TAPS &&
  Math.max(before[2], after[2]) <= MAX_REACH;

/** A convolution with as many groups as input channels. */
export function depthwise(heap: Heap, spec: DepthwiseSpec): Kernel<DepthwisePointers> {
  const { batch = 1, channels, multiplier = 1 } = spec;
  const windows = windowsOf(spec);
  const finish = finishOf(heap, spec.activation);
  const [, outH, outW] = windows.out;
  const { workspaceBytes, run } = isReadInPlace(windows)
    ? inPlace(heap, windows, finish)
    : {
        workspaceBytes: paddedBytes(windows, 1),
        run: sliding(heap, "depthwise", windows, finish),
      };
  const taps = product(windows.kernel) * 4;
  const [planeIn, planeOut] = [product(windows.size) * 4, outH * outW * 4];
  const results = channels * multiplier;
  // Planes between two calls of the finishing step, which shall find them in the cache.
  const most = multiplier > 1 ? 1 : finish.apply ? Math.ceil(FINISH_BYTES / planeOut) : Infinity;
  return {
    workspaceBytes,
    run: (p, part = 0, parts = 1) => {
      const [from, to] = planeOut > 0 ? share(batch * results, part, parts) : [0, 0];
      for (let i = from; i < to;) {
        const result = i % results;
        const count = Math.min(to - i, results - result, most);
        const out = p.out + i * planeOut;
        run(
          p.x + Math.floor(i / multiplier) * planeIn, count, out, p.workspace + part * workspaceBytes,
          p.weight + result * taps, p.bias && p.bias + result * 4,
        ); // prettier-ignore
        finish.apply?.(out, out, count * outH * outW);
        i += count;
      }
    },
  };
}

/** The part of a result that a first-level cache holds beside other data. */
const FINISH_BYTES = 16 * 1024;

export interface PoolSpec extends WindowSpec {
  kind: "max" | "avg";
  /** Batch times channels. */
  planes: number;
  /** Also count last windows that start inside and end outside. */
  ceilMode?: boolean;
  /** Whether an average counts the border; true by default, as in PyTorch. */
  countIncludePad?: boolean;
  /** The divisor of sums, instead of the number of elements. */
  divisor?: number;
}

export interface PoolPointers {
  x: number;
  out: number;
  workspace: number;
}

/** The output size of a pooled dimension, by PyTorch's rule. */
function pooledSize(spec: PoolSpec, windows: Windows, dim: 1 | 2): number {
  const { padded, kernel, stride, dilation, size, before } = windows;
  const free = padded[dim] - dilation[dim] * (kernel[dim] - 1) - 1;
  if (!spec.ceilMode) return windows.out[dim];
  const count = Math.ceil(free / stride[dim]) + 1;
  // The last window must start inside the image or in the border before it.
  return (count - 1) * stride[dim] >= size[dim] + before[dim] ? count - 1 : count;
}

/**
 * Windows of one or two dimensions; the border after the image is as wide as the last windows need.
 */
function poolWindows(spec: PoolSpec): {
  windows: Windows;
  counted: (dim: 1 | 2, at: number) => number;
} {
  const plain = windowsOf(spec);
  const { kernel, stride, dilation, before, size, padded } = plain;
  const out = [pooledSize(spec, plain, 1), pooledSize(spec, plain, 2)] as const;
  const reach = (dim: 1 | 2): number =>
    (out[dim - 1]! - 1) * stride[dim] + dilation[dim] * (kernel[dim] - 1) + 1;
  const more = ([1, 2] as const).map((dim) => Math.max(0, reach(dim) - padded[dim]));
  const after = [plain.after[1] + more[0]!, plain.after[2] + more[1]!];
  const windows = windowsOf({ ...spec, paddingAfter: after.slice(2 - spec.size.length) });
  /** How many elements of a window count along a dimension. */
  const counted = (dim: 1 | 2, at: number): number => {
    const start = at * stride[dim] - before[dim];
    const end = Math.min(start + kernel[dim], size[dim] + plain.after[dim]);
    if (spec.countIncludePad ?? true) return end - start;
    return Math.min(end, size[dim]) - Math.max(start, 0);
  };
  return { windows: { ...windows, out: [1, ...out] }, counted };
}

/** The properties of windows, with the values that have no effect. */
const PARTS = { kernel: 1, stride: 1, padding: 0, paddingAfter: 0, dilation: 1 };

/** Windows in three dimensions: first in each plane, then along the depth of what that gives. */
function poolSpace(heap: Heap, spec: PoolSpec): Kernel<PoolPointers> {
  const { planes, size, divisor } = spec;
  const [depth, ...plane] = size as [number, number, number];
  const cut = (some: (list: readonly number[], none: number) => readonly number[]) =>
    Object.fromEntries(
      Object.entries(PARTS).map(([name, none]) => {
        const list = spec[name as keyof typeof PARTS];
        return [name, list && some(list, none)];
      }),
    ) as Partial<PoolSpec>;
  const flat = { ...spec, ...cut((list) => list.slice(1)), planes: planes * depth, size: plane };
  const area = product(poolWindows(flat).windows.out);
  const along = { ...spec, ...cut(([first], none) => [first!, none]), size: [depth, area] };
  const [first, last] = [pool(heap, flat), pool(heap, { ...along, divisor: divisor && 1 })];
  const between = planes * depth * area * 4 + 64;
  return {
    onOneThread: true,
    workspaceBytes: between + Math.max(first.workspaceBytes, last.workspaceBytes),
    run: ({ x, out, workspace }) => {
      first.run({ x, out: workspace, workspace: workspace + between });
      last.run({ x: workspace, out, workspace: workspace + between });
    },
  };
}

/** Maxima (NaN if one element is NaN) or averages of windows, by PyTorch's rules. */
export function pool(heap: Heap, spec: PoolSpec): Kernel<PoolPointers> {
  if (spec.size.length > 2) return poolSpace(heap, spec);
  const { windows, counted } = poolWindows(spec);
  const { kernel } = windows;
  const [, outH, outW] = windows.out;
  const [planeIn, planeOut] = [product(windows.size) * 4, outH * outW * 4];
  const whole = spec.divisor ?? product(kernel);
  const run = sliding(heap, spec.kind === "max" ? "max" : "sum", windows, { scale: 1 / whole });
  const corrections =
    spec.kind === "max" || spec.divisor ? [] : correct(outH, outW, counted, whole);
  const workspaceBytes = paddedBytes(windows, 1);
  return {
    onOneThread: corrections.length > 0,
    workspaceBytes,
    run: (p, part = 0, parts = 1) => {
      const [from, to] = share(spec.planes, part, parts);
      if (from >= to) return;
      const workspace = p.workspace + part * workspaceBytes;
      run(p.x + from * planeIn, to - from, p.out + from * planeOut, workspace);
      if (corrections.length === 0) return;
      const memory = heap.f32;
      for (let i = from; i < to; i += 1) {
        const out = (p.out + i * planeOut) >>> 2;
        for (const { at, factor } of corrections) memory[out + at]! *= factor;
      }
    },
  };
}

/** Corrects averages of windows that have fewer elements than whole ones. */
function correct(
  outH: number,
  outW: number,
  counted: (dim: 1 | 2, at: number) => number,
  whole: number,
): { at: number; factor: number }[] {
  const corrections: { at: number; factor: number }[] = [];
  for (let y = 0; y < outH; y += 1) {
    for (let x = 0; x < outW; x += 1) {
      const count = counted(1, y) * counted(2, x);
      if (count !== whole) corrections.push({ at: y * outW + x, factor: whole / count });
    }
  }
  return corrections;
}
