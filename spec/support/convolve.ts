/** Convolution by its definition, in float64. */
export interface ConvCase {
  batch: number;
  inChannels: number;
  outChannels: number;
  groups: number;
  size: readonly number[];
  kernel: readonly number[];
  stride?: readonly number[];
  padding?: readonly number[];
  paddingAfter?: readonly number[];
  dilation?: readonly number[];
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** All indices of a shape, in order. */
function* indices(shape: readonly number[]): Generator<number[]> {
  const count = product(shape);
  for (let flat = 0; flat < count; flat += 1) {
    let rest = flat;
    const index = shape.map(() => 0);
    for (let dim = shape.length - 1; dim >= 0; dim -= 1) {
      index[dim] = rest % shape[dim]!;
      rest = Math.floor(rest / shape[dim]!);
    }
    yield index;
  }
}

export function outputSize(
  one: Omit<ConvCase, "batch" | "inChannels" | "outChannels" | "groups">,
): number[] {
  return one.size.map((size, i) => {
    const before = one.padding?.[i] ?? 0;
    const after = one.paddingAfter?.[i] ?? before;
    const reach = (one.dilation?.[i] ?? 1) * (one.kernel[i]! - 1) + 1;
    return Math.max(0, Math.floor((size + before + after - reach) / (one.stride?.[i] ?? 1)) + 1);
  });
}

/** Calls back for each place of the output with the input places (or -1 outside) of its taps. */
export function windows(
  one: Omit<ConvCase, "batch" | "inChannels" | "outChannels" | "groups">,
  visit: (at: number, taps: Int32Array) => void,
): void {
  const taps = new Int32Array(product(one.kernel));
  let at = 0;
  for (const place of indices(outputSize(one))) {
    let tap = 0;
    for (const offset of indices(one.kernel)) {
      let from = 0;
      one.size.forEach((size, i) => {
        const step = place[i]! * (one.stride?.[i] ?? 1) + offset[i]! * (one.dilation?.[i] ?? 1);
        const index = step - (one.padding?.[i] ?? 0);
        if (index < 0 || index >= size) from = NaN;
        from = from * size + index;
      });
      taps[tap] = Number.isNaN(from) ? -1 : from;
      tap += 1;
    }
    visit(at, taps);
    at += 1;
  }
}

export function convolve(
  one: ConvCase,
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  bias?: ArrayLike<number>,
): Float64Array {
  const { batch, inChannels, outChannels, groups, size, kernel } = one;
  const [perGroup, outPerGroup] = [inChannels / groups, outChannels / groups];
  const [plane, taps, pixels] = [product(size), product(kernel), product(outputSize(one))];
  const out = new Float64Array(batch * outChannels * pixels);
  windows(one, (at, places) => {
    for (let n = 0; n < batch; n += 1) {
      for (let o = 0; o < outChannels; o += 1) {
        const group = Math.floor(o / outPerGroup);
        let sum = bias?.[o] ?? 0;
        for (let c = 0; c < perGroup; c += 1) {
          const from = (n * inChannels + group * perGroup + c) * plane;
          for (let tap = 0; tap < taps; tap += 1) {
            if (places[tap]! >= 0)
              sum += x[from + places[tap]!]! * w[(o * perGroup + c) * taps + tap]!;
          }
        }
        out[(n * outChannels + o) * pixels + at] = sum;
      }
    }
  });
  return out;
}
