/** What every prepared kernel is, and how work is divided. */

/**
 * A kernel with its sizes settled: run it on addresses as often as you like.
 *
 * To use several threads, call `run` once for each part; parts write to different places, and each
 * needs a workspace of its own: part `i` takes `workspace + i · workspaceBytes`.
 */
export interface Kernel<Pointers> {
  /** Scratch memory for each part, in bytes; pass its address as `workspace`. */
  readonly workspaceBytes: number;
  /** Whether it works in JavaScript, so that other threads cannot take part in it. */
  readonly onOneThread?: boolean;
  run: (pointers: Pointers, part?: number, parts?: number) => void;
  /** The same in stages, where threads meet on the way: each begins when all parts of the one before are done. */
  stages?: (pointers: Pointers) => ((part: number, parts: number) => void)[];
}

/** The share of a part: `[from, to)` of `count`, in multiples of `grain`. */
export function share(count: number, part: number, parts: number, grain = 1): [number, number] {
  if (parts === 1) return [0, count];
  const grains = Math.ceil(count / grain);
  const from = Math.floor((grains * part) / parts) * grain;
  const to = Math.min(count, Math.floor((grains * (part + 1)) / parts) * grain);
  return [Math.min(from, count), to];
}

export const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/**
 * Addresses at a place of some dimensions.
 *
 * @param index - Which place, row by row.
 * @param strides - Of each address over these dimensions, in elements.
 * @param from - The addresses of the first place.
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
