/** Softmax of rows in plain JavaScript. */
import type { Heap } from "../heap.js";
import type { SoftmaxLibrary } from "../softmax.js";

export function softmaxInJs(heap: Heap): SoftmaxLibrary {
  return {
    softmax: (x, out, rows, n) => {
      const memory = heap.f32;
      for (let i = 0; i < rows; i += 1) {
        const [from, to] = [(x >>> 2) + i * n, (out >>> 2) + i * n];
        let [most, sum] = [-Infinity, 0];
        for (let k = 0; k < n; k += 1) if (memory[from + k]! > most) most = memory[from + k]!;
        for (let k = 0; k < n; k += 1) {
          const value = Math.exp(memory[from + k]! - most);
          memory[to + k] = value;
          sum += value;
        }
        for (let k = 0; k < n; k += 1) memory[to + k]! /= sum;
      }
    },
    stripSoftmax: (...args) => stripSoftmax(heap.f32, ...args),
    logSoftmax: (x, out, rows, n) => {
      const memory = heap.f32;
      for (let i = 0; i < rows; i += 1) {
        const from = (x >>> 2) + i * n;
        let [most, sum] = [-Infinity, 0];
        for (let k = 0; k < n; k += 1) if (memory[from + k]! > most) most = memory[from + k]!;
        for (let k = 0; k < n; k += 1) sum += Math.exp(memory[from + k]! - most);
        const total = Math.log(sum);
        for (let k = 0; k < n; k += 1) {
          memory[(out >>> 2) + i * n + k] = memory[from + k]! - most - total;
        }
      }
    },
  };
}

function stripSoftmax(
  memory: Float32Array,
  ...[x, xRow, out, queries, keys, scale, mask, maskRow, seen, least, along, adds]: Parameters<
    SoftmaxLibrary["stripSoftmax"]
  >
): void {
  const strip = ((keys + 3) & -4) * 4;
  for (let query = 0; query < queries; query += 1) {
    // Each lane is a query; with `along`, the four lanes are four keys of one query.
    const lanes = along ? 4 : 1;
    const to = (out >>> 2) + (along ? 0 : (query >>> 2) * strip + (query & 3));
    const end = along ? seen : seen ? Math.min(keys, seen + query) : keys;
    const place = (i: number): number => to + Math.floor(i / lanes) * 4 + (i % lanes);
    let most = least;
    for (let i = 0; i < keys * lanes; i += 1) {
      const key = Math.floor(i / lanes);
      const from = ((x + key * xRow) >>> 2) + (along ? i % 4 : query);
      const added =
        mask && i < end ? memory[((mask + (along ? 0 : query * maskRow)) >>> 2) + i]! : 0;
      const seen = added && !adds ? added : memory[from]! * scale + added;
      memory[place(i)] = i < end ? seen : -Infinity;
      const value = memory[place(i)]!; // read back as rounded to float32, which matters for large scores
      if (value > most) most = value;
    }
    let sum = 0;
    for (let i = 0; i < keys * lanes; i += 1) {
      const value = Math.exp(memory[place(i)]! - most);
      memory[place(i)] = value;
      sum += value;
    }
    const factor = 1 / Math.max(sum, 1e-30);
    for (let i = 0; i < keys * lanes; i += 1) memory[place(i)]! *= factor;
    if (along) return;
  }
}
