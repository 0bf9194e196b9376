/** Copies in plain JavaScript. */
import type { Heap } from "../heap.js";
import type { TransposeLibrary } from "../permute.js";

export function transposeInJs(heap: Heap): TransposeLibrary {
  return {
    transpose: (x, xRow, rows, columns, out, outRow) => {
      const memory = heap.i32; // as floats, some integers' bits would change
      for (let i = 0; i < rows; i += 1) {
        for (let k = 0; k < columns; k += 1) {
          memory[((out + k * outRow) >>> 2) + i] = memory[((x + i * xRow) >>> 2) + k]!;
        }
      }
    },
  };
}
