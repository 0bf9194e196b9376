/** How values between two elements are computed; `area` averages. */
export type InterpolateMode =
  | "nearest"
  | "nearest-exact"
  | "linear"
  | "bilinear"
  | "bicubic"
  | "trilinear"
  | "lanczos"
  | "area";

export interface InterpolateOptions {
  /** The output's spatial size, one for all or one for each; this or `scaleFactor` is required. */
  size?: number | readonly number[] | null;
  /** The output's size relative to the input's, rounded down. */
  scaleFactor?: number | readonly number[] | null;
  /** Default: `"nearest"`. */
  mode?: InterpolateMode;
  /**
   * Whether the centres of the corner elements are aligned, instead of their outer edges. Default:
   * `false`.
   */
  alignCorners?: boolean | null;
  /** Compute the scale from the rounded size, instead of using the given one. Default: `false`. */
  recomputeScaleFactor?: boolean | null;
  /** Smooth when scaling down: `bilinear`, `bicubic`, `lanczos` only. Default: `false`. */
  antialias?: boolean;
}

/**
 * For each output element along a dimension, the input elements that it is made of, and their
 * weights.
 */
export interface Resampling {
  positions: number[][];
  weights: number[][];
}

interface ResamplingSize {
  input: number;
  output: number;
  /** The given scale factor, if it is to be used. */
  scale: number | null;
  alignCorners: boolean;
}

// PyTorch computes positions in float32, whose rounding decides near the borders of elements.
const f = Math.fround;

const range = <T>(length: number, make: (i: number) => T): T[] =>
  Array.from({ length }, (_, i) => make(i));

const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

function pixelScale({ input, output, scale, alignCorners }: ResamplingSize): number {
  if (alignCorners) return output > 1 ? f((input - 1) / (output - 1)) : 0;
  return scale !== null && scale > 0 ? f(1 / scale) : f(input / output);
}

/** The input position of output element `i`. */
function sourceIndex(i: number, scale: number, alignCorners: boolean): number {
  return alignCorners ? f(scale * i) : f(f(scale * f(i + 0.5)) - 0.5);
}

/** Copies each element, which PyTorch does for equal sizes, whatever scale was given. */
const copy = (size: number): Resampling => ({
  positions: range(size, (i) => [i]),
  weights: range(size, () => [1]),
});

/** `⌊i · scale⌋`, as OpenCV's INTER_NEAREST. */
function nearest(size: ResamplingSize): Resampling {
  const scale = pixelScale(size);
  const at = (i: number): number => Math.min(Math.floor(f(i * scale)), size.input - 1);
  return { positions: range(size.output, (i) => [at(i)]), weights: range(size.output, () => [1]) };
}

/** {@link nearest} for images, where PyTorch has exact rules for equal and doubled sizes. */
function nearestInImage(size: ResamplingSize): Resampling {
  const isDoubled = size.output === 2 * size.input;
  return size.output === size.input || isDoubled
    ? nearest({ ...size, scale: null })
    : nearest(size);
}

/** The element whose centre is nearest, as Pillow and SciPy. */
function nearestExact(size: ResamplingSize): Resampling {
  const scale = pixelScale(size);
  const at = (i: number): number => Math.min(Math.floor(f((i + 0.5) * scale)), size.input - 1);
  return { positions: range(size.output, (i) => [at(i)]), weights: range(size.output, () => [1]) };
}

/** Two neighbours, weighted by distance. */
function linear(size: ResamplingSize): Resampling {
  const { input, output, alignCorners } = size;
  const scale = pixelScale(size);
  if (input === output) return copy(input);
  const sources = range(output, (i) => Math.max(0, sourceIndex(i, scale, alignCorners)));
  const lefts = sources.map((source) => Math.min(Math.floor(source), input - 1));
  return {
    positions: lefts.map((left) => [left, Math.min(left + 1, input - 1)]),
    weights: lefts.map((left, i) => {
      const t = clamp(f(sources[i]! - left), 0, 1);
      return [f(1 - t), t];
    }),
  };
}

/** Keys' cubic convolution kernel. */
function keys(x: number, a: number): number {
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return 0;
}

/** The weights of four neighbours in cubic interpolation, at distance `t` after the second. */
export const cubicWeights = (t: number): number[] =>
  [t + 1, t, 1 - t, 2 - t].map((x) => keys(x, -0.75));

/** Four neighbours with cubic weights; at the ends the outermost element is repeated. */
function cubic(size: ResamplingSize): Resampling {
  const { input, output, alignCorners } = size;
  const scale = pixelScale(size);
  const sources = range(output, (i) => sourceIndex(i, scale, alignCorners));
  const lefts = sources.map((source) => Math.min(Math.floor(source), input - 1));
  return {
    positions: lefts.map((left) => range(4, (k) => clamp(left + k - 1, 0, input - 1))),
    weights: lefts.map((left, i) => cubicWeights(clamp(f(sources[i]! - left), 0, 1))),
  };
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** The antialiasing filters with half their widths. */
const FILTERS: Record<string, { reach: number; filter: (x: number) => number }> = {
  bilinear: { reach: 1, filter: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { reach: 2, filter: (x) => keys(x, -0.5) },
  lanczos: { reach: 3, filter: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** All elements under a filter, which is stretched when the output is smaller, as Pillow does. */
function antialiased(mode: string, size: ResamplingSize): Resampling {
  const { input, output } = size;
  if (input === output) return copy(input);
  const { reach, filter } = FILTERS[mode]!;
  const scale = pixelScale(size);
  const stretch = Math.max(scale, 1);
  const support = f(reach * stretch);
  const positions: number[][] = [];
  const weights: number[][] = [];
  for (let i = 0; i < output; i += 1) {
    const center = f(scale * f(i + 0.5));
    const first = Math.max(Math.trunc(f(f(center - support) + 0.5)), 0);
    const end = Math.min(Math.trunc(f(f(center + support) + 0.5)), input);
    const window = range(Math.max(end - first, 1), (k) => Math.min(first + k, input - 1));
    const raw = window.map((position) => filter((position - center + 0.5) / stretch));
    const total = raw.reduce((a, b) => a + b, 0);
    positions.push(window);
    weights.push(raw.map((weight) => (total === 0 ? 0 : weight / total)));
  }
  return { positions, weights };
}

/** The resampling of each mode along a dimension; `area` is missing, as it is a pooling. */
const RESAMPLE: Partial<Record<InterpolateMode, (size: ResamplingSize) => Resampling>> = {
  nearest,
  "nearest-exact": nearestExact,
  linear,
  bilinear: linear,
  trilinear: linear,
  bicubic: cubic,
};

/** The resampling of `interpolate` along each spatial dimension. */
export function resamplings(
  spatial: readonly number[],
  output: readonly number[],
  options: InterpolateOptions = {},
): Resampling[] {
  const { scaleFactor = null, recomputeScaleFactor, mode = "nearest", antialias } = options;
  const scales = recomputeScaleFactor ? null : scaleFactor;
  return spatial.map((input, d) => {
    const scale = typeof scales === "number" ? scales : (scales?.[d] ?? null);
    const alignCorners = options.alignCorners ?? false;
    const size: ResamplingSize = { input, output: output[d]!, scale, alignCorners };
    if (antialias) return antialiased(mode, size);
    if (mode === "nearest" && spatial.length === 2) return nearestInImage(size);
    return RESAMPLE[mode]!(size);
  });
}
