/**
 * Rebuilds a tensor along one dimension, each output from some inputs: for resampling and borders.
 */
import type { Heap } from "./heap.js";
import { type Kernel, product } from "./kernel.js";
import { copy, type CopyPointers } from "./permute.js";

export interface TapsSpec {
  /** The shape of x, and the dimension in question. */
  shape: readonly number[];
  dim: number;
  /** For each output position, the input positions that it is made from. */
  positions: readonly (readonly number[])[];
  /** The weight of each input position; without weights, the largest value is taken. */
  weights?: readonly (readonly number[])[];
}

/** The number of elements before, along and behind a dimension. */
const around = (shape: readonly number[], dim: number): [number, number, number] => [
  product(shape.slice(0, dim)),
  shape[dim]!,
  product(shape.slice(dim + 1)),
];

/** In JavaScript, since it reads few numbers for each that it writes. */
export function taps(heap: Heap, spec: TapsSpec): Kernel<CopyPointers> {
  const { shape, dim, positions, weights } = spec;
  const [outer, size, inner] = around(shape, dim);
  const runs = positions.every((window) => window.length === 1) ? runsOf(positions.flat()) : null;
  if (runs && runs.length <= MOST_COPIES) return copies(heap, [outer, size, inner], runs);
  let taken = 0;
  const ends = Int32Array.from(positions, (window) => (taken += window.length));
  const places = Int32Array.from(positions.flat(), (place) => place * inner);
  const factors = weights && Float64Array.from(weights.flat());
  const length = positions.length;
  return {
    onOneThread: true,
    workspaceBytes: 0,
    run: ({ x, out }, part = 0) => {
      if (part > 0) return;
      const memory = heap.f32;
      let to = out >>> 2;
      for (let block = 0; block < outer; block += 1) {
        const from = (x >>> 2) + block * size * inner;
        for (let i = 0, first = 0; i < length; first = ends[i]!, i += 1) {
          const end = ends[i]!;
          for (let j = from; j < from + inner; j += 1, to += 1) {
            let result = memory[j + places[first]!]! * (factors?.[first] ?? 1);
            for (let tap = first + 1; tap < end; tap += 1) {
              const value = memory[j + places[tap]!]!;
              if (factors) result += value * factors[tap]!;
              else if (value > result || value !== value) result = value;
            }
            memory[to] = result;
          }
        }
      }
    },
  };
}

/**
 * The largest number of copies that is worthwhile, since each reads all memory that its positions
 * span.
 */
const MOST_COPIES = 4;

/** Splits positions into runs with constant steps. */
function runsOf(places: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const place of places) {
    const run = runs.at(-1);
    const goesOn = run && (run.length === 1 || place - run.at(-1)! === run[1]! - run[0]!);
    if (goesOn) run.push(place);
    else runs.push([place]);
  }
  return runs;
}

/** Copies each run of positions. */
function copies(
  heap: Heap,
  [outer, size, inner]: readonly [number, number, number],
  runs: readonly number[][],
): Kernel<CopyPointers> {
  const outStrides = [runs.flat().length * inner, inner, 1];
  let to = 0;
  const all = runs.map((places) => {
    const [first, second = first] = places as [number, number?];
    const shape = [outer, places.length, inner];
    const { run } = copy(heap, { shape, strides: [size * inner, (second - first) * inner, 1], outStrides }); // prettier-ignore
    const one = { run, x: first * inner * 4, out: to };
    to += places.length * inner * 4;
    return one;
  });
  return {
    workspaceBytes: 0,
    run: (p, part, parts) => {
      for (const { run, x, out } of all) run({ x: p.x + x, out: p.out + out }, part, parts);
    },
  };
}
