/** Winograd's transformations in plain JavaScript, tile by tile. */
import type { Heap } from "../heap.js";
import type { WinogradLibrary } from "../winograd.js";

const [SIZE, SIDE] = [2, 4];

const INTO = [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]; // prettier-ignore

const OUT_OF = [[1, 1, 1, 0], [0, 1, -1, -1]]; // prettier-ignore

const WEIGHTS = [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]; // prettier-ignore

type Matrix = readonly (readonly number[])[];

/** `M X Mᵀ` for a square X. */
function bothSides(matrix: Matrix, x: Float64Array, side: number, into: Float64Array): void {
  const rows = matrix.length;
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

export function winogradInJs(heap: Heap): WinogradLibrary {
  const tile = new Float64Array(SIDE * SIDE);
  const result = new Float64Array(SIDE * SIDE);
  return {
    weights: (w, rows, channels, to, place) => {
      const memory = heap.f32;
      for (let o = 0; o < Math.ceil(rows / 4) * 4; o += 1) {
        for (let c = 0; c < channels; c += 1) {
          const from = (w >>> 2) + (Math.min(o, rows - 1) * channels + c) * 9;
          for (let i = 0; i < 9; i += 1) tile[i] = memory[from + i]!;
          bothSides(WEIGHTS, tile, 3, result);
          const target = (to >>> 2) + ((o >> 2) * channels + c) * 4 + (o & 3);
          for (let e = 0; e < SIDE * SIDE; e += 1) memory[target + e * (place >>> 2)] = result[e]!;
        }
      }
    },
    input: (x, channels, plane, row, tileRows, groups, to, place) => {
      const memory = heap.f32;
      for (let channel = 0; channel < channels; channel += 1) {
        for (let index = 0; index < tileRows * groups * 4; index += 1) {
          const [line, column] = [Math.floor(index / (groups * 4)), index % (groups * 4)];
          const from = (x + channel * plane + line * SIZE * row) >>> 2;
          for (let i = 0; i < SIDE; i += 1) {
            for (let j = 0; j < SIDE; j += 1) {
              tile[i * SIDE + j] = memory[from + i * (row >>> 2) + column * SIZE + j]!;
            }
          }
          bothSides(INTO, tile, SIDE, result);
          const target = (to >>> 2) + ((index >> 3) * channels + channel) * 8 + (index & 7);
          for (let e = 0; e < SIDE * SIDE; e += 1) memory[target + e * (place >>> 2)] = result[e]!;
        }
      }
    },
    output: (
      products,
      place,
      productRow,
      channels,
      outH,
      outW,
      tileRows,
      groups,
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
        for (let index = 0; index < tileRows * groups * 4; index += 1) {
          const [line, column] = [Math.floor(index / (groups * 4)), index % (groups * 4)];
          const from = ((products + channel * productRow) >>> 2) + index;
          for (let e = 0; e < SIDE * SIDE; e += 1) tile[e] = memory[from + e * (place >>> 2)]!;
          bothSides(OUT_OF, tile, SIDE, result);
          for (let i = 0; i < SIZE && line * SIZE + i < outH; i += 1) {
            for (let j = 0; j < SIZE && column * SIZE + j < outW; j += 1) {
              const at = (line * SIZE + i) * outW + column * SIZE + j;
              const skip = (channel * outPlane) >>> 2;
              let value = result[i * SIZE + j]! + shift;
              if (residual) value += memory[(residual >>> 2) + skip + at]!;
              memory[(out >>> 2) + skip + at] = value < low ? low : value > high ? high : value;
            }
          }
        }
      }
    },
  };
}
