/** Along one dimension, each place of the output of some places of the input: resampling, borders. */
import type { Heap } from "./heap.js";
import { type Kernel, product } from "./kernel.js";
import { type CopyPointers, gather } from "./permute.js";

export interface TapsSpec {
  /** Of x, and the dimension of it. */
  shape: readonly number[];
  dim: number;
  /** For each place of the output, the places of x that it is made of. */
  positions: readonly (readonly number[])[];
  /** What each of several is multiplied with before they are added up; absent: the largest of them. */
  weights?: readonly (readonly number[])[];
}

/** How many numbers there are before, along and behind a dimension. */
const around = (shape: readonly number[], dim: number): [number, number, number] => [
  product(shape.slice(0, dim)),
  shape[dim]!,
  product(shape.slice(dim + 1)),
];

/** In JavaScript: it reads a few numbers for each that it writes. */
export function taps(heap: Heap, spec: TapsSpec): Kernel<CopyPointers> {
  const { shape, dim, positions, weights } = spec;
  const [outer, size, inner] = around(shape, dim);
  if (positions.every((window) => window.length === 1)) {
    const indices = Int32Array.from(positions.flat());
    const chosen = { tables: outer, rows: size, n: inner, count: positions.length };
    const { run } = gather(heap, chosen);
    return {
      onOneThread: true,
      workspaceBytes: 0,
      run: ({ x, out }, ...parts) => run({ table: x, indices, out }, ...parts),
    };
  }
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
