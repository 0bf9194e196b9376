/** The interface of all prepared kernels, and how work is divided among threads. */

/**
 * A kernel prepared for certain sizes: run it as often as you like, on any addresses.
 *
 * To use several threads, call `run` once for each part. Parts write to different places, and each
 * needs its own workspace: that of part `i` begins at `workspace + i · workspaceBytes`.
 */
export interface Kernel<Pointers> {
  /** Scratch memory for each part, in bytes; pass its address as `workspace`. */
  readonly workspaceBytes: number;
  /** Whether it runs JavaScript, which other threads cannot share. */
  readonly onOneThread?: boolean;
  run: (pointers: Pointers, part?: number, parts?: number) => void;
  /** The same work in stages: each begins when all parts of the previous one are done. */
  stages?: (pointers: Pointers) => ((part: number, parts: number) => void)[];
}

/** The part's share `[from, to)` of `count` items, in multiples of `grain`. */
export function share(count: number, part: number, parts: number, grain = 1): [number, number] {
  if (parts === 1) return [0, count];
  const grains = Math.ceil(count / grain);
  const from = Math.floor((grains * part) / parts) * grain;
  const to = Math.min(count, Math.floor((grains * (part + 1)) / parts) * grain);
  return [Math.min(from, count), to];
}

export const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/**
 * Byte addresses at an index over some dimensions.
 *
 * @param index - Counts elements in row-major order.
 * @param strides - For each address its strides over the dimensions, in elements.
 * @param from - The addresses of the first element.
 */
export function placesAt(
  index: number,
  sizes: readonly number[],
  strides: readonly (readonly number[])[],
  from: readonly number[],
): number[] {
  const at = [...from];
  let rest = index;
  for (let dim = sizes.length - 1; dim >= 0; dim -= 1) {
    const i = rest % sizes[dim]!;
    rest = (rest - i) / sizes[dim]!;
    for (let k = 0; k < at.length; k += 1) at[k]! += i * (strides[k]![dim] ?? 0) * 4;
  }
  return at;
}
