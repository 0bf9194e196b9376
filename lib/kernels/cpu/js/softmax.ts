/** Softmax of rows in plain JavaScript. */
import type { Heap } from "../heap.js";
import type { SoftmaxLibrary } from "../softmax.js";

export function softmaxInJs(heap: Heap): SoftmaxLibrary {
  return {
    softmax: (
      x,
      out,
      rows,
      n,
      xRow,
      outRow,
      scale,
      mask,
      maskRow,
      valid,
      validStep,
      emptyIsZero,
    ) => {
      const memory = heap.f32;
      for (let i = 0; i < rows; i += 1) {
        const from = (x + i * xRow) >>> 2;
        const to = (out + i * outRow) >>> 2;
        const add = (mask + i * maskRow) >>> 2;
        let count = Math.max(0, Math.min(n, valid + i * validStep));
        let most = -Infinity;
        let isEmpty = true;
        for (let k = 0; k < count; k += 1) {
          memory[to + k] = memory[from + k]! * scale + (mask ? memory[add + k]! : 0);
          const value = memory[to + k]!; // as it is rounded: large scores are far from what they were
          if (value > most) most = value;
          if (value !== -Infinity) isEmpty = false;
        }
        if (isEmpty && emptyIsZero) count = 0;
        let sum = 0;
        for (let k = 0; k < count; k += 1) {
          const value = Math.exp(memory[to + k]! - most);
          memory[to + k] = value;
          sum += value;
        }
        for (let k = 0; k < count; k += 1) memory[to + k]! /= sum;
        memory.fill(0, to + count, to + n);
      }
    },
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
