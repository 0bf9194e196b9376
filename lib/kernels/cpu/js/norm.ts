/** Normalisation of rows in plain JavaScript. */
import type { Heap } from "../heap.js";
import type { NormLibrary } from "../norm.js";

function momentsOf(
  memory: Float32Array,
  row: number,
  n: number,
  centred: boolean,
): [number, number] {
  let mean = 0;
  if (centred) {
    for (let i = 0; i < n; i += 1) mean += memory[row + i]!;
    mean /= n;
  }
  let squares = 0;
  for (let i = 0; i < n; i += 1) squares += (memory[row + i]! - mean) ** 2;
  return [mean, squares / n];
}

export function normInJs(heap: Heap): NormLibrary {
  const norm =
    (centred: boolean): NormLibrary["layerNorm"] =>
    (x, rows, n, weight, bias, out, eps) => {
      const memory = heap.f32;
      for (let i = 0; i < rows; i += 1) {
        const row = (x >>> 2) + i * n;
        const [mean, variance] = momentsOf(memory, row, n, centred);
        const scale = 1 / Math.sqrt(variance + eps);
        for (let k = 0; k < n; k += 1) {
          const factor = weight ? memory[(weight >>> 2) + k]! : 1;
          const shift = weight && bias ? memory[(bias >>> 2) + k]! : 0;
          memory[(out >>> 2) + i * n + k] = (memory[row + k]! - mean) * scale * factor + shift;
        }
      }
    };
  return {
    layerNorm: norm(true),
    rmsNorm: norm(false),
    moments: (x, n, out, eps) => {
      const memory = heap.f32;
      const [mean, variance] = momentsOf(memory, x >>> 2, n, true);
      const to = out >>> 2;
      memory[to] = mean;
      memory[to + 1] = 1 / Math.sqrt(variance + eps);
      memory[to + 2] = mean - memory[to];
    },
    groupPairs: (stats, channels, weight, bias, pairs) => {
      const memory = heap.f32;
      const [mean, scale, rest] = memory.subarray(stats >>> 2, (stats >>> 2) + 3) as unknown as [number, number, number]; // prettier-ignore
      for (let c = 0; c < channels; c += 1) {
        const factor = scale * (weight ? memory[(weight >>> 2) + c]! : 1);
        const shift = bias ? memory[(bias >>> 2) + c]! : 0;
        memory.set([factor, shift, mean, rest], (pairs >>> 2) + 4 * c);
      }
    },
    scaleRows: (x, rows, n, pairs, out) => {
      const memory = heap.f32;
      for (let i = 0; i < rows; i += 1) {
        const at = (pairs >>> 2) + 4 * i;
        const [scale, shift, mean, rest] = memory.subarray(at, at + 4) as unknown as [number, number, number, number]; // prettier-ignore
        for (let k = i * n; k < (i + 1) * n; k += 1) {
          memory[(out >>> 2) + k] = (memory[(x >>> 2) + k]! - mean - rest) * scale + shift;
        }
      }
    },
  };
}
