/** Which input positions each output position depends on, along one dimension. */
/** Sliding windows along one dimension. */
export interface Axis {
  input: number;
  kernel: number;
  stride: number;
  padding: number;
  dilation: number;
  output: number;
}

/** For each output position along a dimension, the input positions in its window. */
export type Windows = number[][];

const range = <T>(length: number, make: (i: number) => T): T[] =>
  Array.from({ length }, (_, i) => make(i));

export function slidingWindows({
  input,
  kernel,
  stride,
  padding,
  dilation,
  output,
}: Axis): Windows {
  return range(output, (o) => {
    const start = o * stride - padding;
    const first = Math.max(0, Math.ceil(-start / dilation));
    const end = Math.min(kernel, Math.ceil((input - start) / dilation));
    return range(Math.max(0, end - first), (k) => start + (first + k) * dilation);
  });
}

/** Window `i` of `output` is `⌊i·input/output⌋ … ⌈(i+1)·input/output⌉ - 1`. */
export function adaptiveWindows(input: number, output: number): Windows {
  return range(output, (o) => {
    const start = Math.floor((o * input) / output);
    const end = Math.ceil(((o + 1) * input) / output);
    return range(end - start, (k) => start + k);
  });
}

/** What `pad` can fill borders with. */
export type PadMode = "constant" | "reflect" | "replicate" | "circular";

/**
 * For each position of a padded dimension, the input position whose value it has; not for
 * `constant`.
 */
export function paddedPlaces(size: number, before: number, after: number, mode: PadMode): number[] {
  // Negative padding is removed first, so that wrapping does not reach removed elements.
  const [first, end] = [Math.max(0, -before), size - Math.max(0, -after)];
  const kept = end - first;
  const source = (place: number): number => {
    if (mode === "replicate") return Math.min(Math.max(place, 0), size - 1);
    if (mode === "circular") return first + ((((place - first) % kept) + kept) % kept);
    return place < 0 ? -place : place >= size ? 2 * (size - 1) - place : place;
  };
  return range(size + before + after, (i) => source(i - before));
}
