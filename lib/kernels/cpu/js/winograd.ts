/** Winograd's transformations in plain JavaScript, tile by tile. */
import type { Heap } from "../heap.js";
import type { Matrix, pairs, Tiles } from "../tiles.js";
import type { WinogradLibrary } from "../winograd.js";

/** `M X Mᵀ` for a square X. */
function bothSides(matrix: Matrix, x: Float64Array, into: Float64Array): void {
  const [rows, side] = [matrix.length, matrix[0]!.length];
  const half = new Float64Array(rows * side);
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < side; j += 1) {
      let sum = 0;
      for (let k = 0; k < side; k += 1) sum += matrix[i]![k]! * x[k * side + j]!;
      half[i * side + j] = sum;
    }
  }
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < rows; j += 1) {
      let sum = 0;
      for (let k = 0; k < side; k += 1) sum += half[i * side + k]! * matrix[j]![k]!;
      into[i * rows + j] = sum;
    }
  }
}

/**
 * @param combine - Passed as an argument, because a shared import would become one more file to
 *   load.
 */
export function winogradInJs(heap: Heap, matrices: Tiles, combine: typeof pairs): WinogradLibrary {
  const inPairs = (values: readonly number[]): number[] =>
    combine(
      values,
      (a, b) => a + b,
      (a, b) => a - b,
    );
  /** The rows of a matrix, combined likewise. */
  const rowsInPairs = (rows: Matrix): Matrix => {
    const columns = rows[0]!.map((_, j) => inPairs(rows.map((row) => row[j]!)));
    return rows.map((_, i) => columns.map((column) => column[i]!));
  };
  const [into, weights] = [rowsInPairs(matrices.into), rowsInPairs(matrices.weights)];
  const outOf = matrices.outOf.map(inPairs);
  const [side, size] = [into.length, outOf.length];
  const places = side * side;
  const tile = new Float64Array(places);
  const result = new Float64Array(places);
  return {
    weights: (w, rows, channels, to, place) => {
      const memory = heap.f32;
      for (let o = 0; o < Math.ceil(rows / 4) * 4; o += 1) {
        for (let c = 0; c < channels; c += 1) {
          const from = (w >>> 2) + (Math.min(o, rows - 1) * channels + c) * 9;
          for (let i = 0; i < 9; i += 1) tile[i] = memory[from + i]!;
          bothSides(weights, tile, result);
          const target = (to >>> 2) + ((o >> 2) * channels + c) * 4 + (o & 3);
          for (let e = 0; e < places; e += 1) memory[target + e * (place >>> 2)] = result[e]!;
        }
      }
    },
    input: (x, channels, plane, row, column, across, tiles, to, place) => {
      const memory = heap.f32;
      for (let channel = 0; channel < channels; channel += 1) {
        for (let index = 0; index < tiles; index += 1) {
          const line = Math.floor((column + index) / across);
          const skip = (index - line * across) * size;
          const from = ((x + channel * plane + line * size * row) >>> 2) + skip;
          for (let i = 0; i < side; i += 1) {
            for (let j = 0; j < side; j += 1) {
              tile[i * side + j] = memory[from + i * (row >>> 2) + j]!;
            }
          }
          bothSides(into, tile, result);
          const target = (to >>> 2) + ((index >> 3) * channels + channel) * 8 + (index & 7);
          for (let e = 0; e < places; e += 1) memory[target + e * (place >>> 2)] = result[e]!;
        }
      }
    },
    output: (
      products,
      place,
      productRow,
      channels,
      column,
      across,
      tiles,
      lines,
      outW,
      bias,
      out,
      outPlane,
      residual,
      low,
      high,
    ) => {
      const memory = heap.f32;
      for (let channel = 0; channel < channels; channel += 1) {
        const shift = bias ? memory[(bias >>> 2) + channel]! : 0;
        for (let index = 0; index < tiles; index += 1) {
          const from = ((products + channel * productRow) >>> 2) + index;
          for (let e = 0; e < places; e += 1) tile[e] = memory[from + e * (place >>> 2)]!;
          bothSides(outOf, tile, result);
          const line = Math.floor((column + index) / across) * size;
          const left = ((column + index) % across) * size;
          for (let i = 0; i < size && line + i < lines; i += 1) {
            for (let j = 0; j < size && left + j < outW; j += 1) {
              const at = (line + i) * outW + left + j - column * size;
              const skip = (channel * outPlane) >>> 2;
              let value = result[i * size + j]! + shift;
              if (residual) value += memory[(residual >>> 2) + skip + at]!;
              memory[(out >>> 2) + skip + at] = value < low ? low : value > high ? high : value;
            }
          }
        }
      }
    },
  };
}
