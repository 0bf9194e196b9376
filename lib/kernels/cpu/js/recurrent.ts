/** Recurrent cells in plain JavaScript. */
import type { Heap } from "../heap.js";
import type { RecurrentLibrary } from "../recurrent.js";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export function recurrentInJs(heap: Heap): RecurrentLibrary {
  return {
    lstm: (gates, gatesRow, batch, n, width, c, out, outRow) => {
      const memory = heap.f32;
      for (let row = 0; row < batch; row += 1) {
        const at = (gates + row * gatesRow) >>> 2;
        for (let k = 0; k < n; k += 1) {
          const place = (c >>> 2) + row * width + k;
          const added = sigmoid(memory[at + k]!) * Math.tanh(memory[at + 2 * width + k]!);
          const state = sigmoid(memory[at + width + k]!) * memory[place]! + added;
          memory[place] = state;
          memory[((out + row * outRow) >>> 2) + k] =
            sigmoid(memory[at + 3 * width + k]!) * Math.tanh(state);
        }
      }
    },
    gru: (gates, gatesRow, hidden, batch, n, width, last, lastRow, out, outRow) => {
      const memory = heap.f32;
      for (let row = 0; row < batch; row += 1) {
        const x = (gates + row * gatesRow) >>> 2;
        const h = (hidden >>> 2) + row * 3 * width;
        for (let k = 0; k < n; k += 1) {
          const r = sigmoid(memory[x + k]! + memory[h + k]!);
          const z = sigmoid(memory[x + width + k]! + memory[h + width + k]!);
          const fresh = Math.tanh(memory[x + 2 * width + k]! + r * memory[h + 2 * width + k]!);
          const before = memory[((last + row * lastRow) >>> 2) + k]!;
          memory[((out + row * outRow) >>> 2) + k] = fresh + z * (before - fresh);
        }
      }
    },
    tanh: (gates, gatesRow, batch, n, out, outRow) => {
      const memory = heap.f32;
      for (let row = 0; row < batch; row += 1) {
        for (let k = 0; k < n; k += 1) {
          const value = memory[((gates + row * gatesRow) >>> 2) + k]!;
          memory[((out + row * outRow) >>> 2) + k] = Math.tanh(value);
        }
      }
    },
    move: (from, fromRow, rows, bytes, to, toRow) => {
      const memory = heap.u8;
      for (let row = 0; row < rows; row += 1) {
        const [source, target] = [from + row * fromRow, to + row * toRow];
        if (from) memory.copyWithin(target, source, source + bytes);
        else memory.fill(0, target, target + bytes);
      }
    },
  };
}
