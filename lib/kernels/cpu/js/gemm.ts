/** The matrix product and its packing in plain JavaScript, on the layouts of wasm/gemm.ts. */
import type { Heap } from "../heap.js";
import type { GemmLibrary } from "../gemm.js";

export function gemmInJs(heap: Heap): GemmLibrary {
  const rows: GemmLibrary["rows1"] = (...args) => fewRows(heap.f32, 1, ...args);
  return {
    gemm: (...args) => gemm(heap.f32, ...args),
    rows1: rows,
    rows2: (...args) => fewRows(heap.f32, 2, ...args),
    rows3: (...args) => fewRows(heap.f32, 3, ...args),
    packStrips: (...args) => packAlong(heap.f32, 4, ...args),
    packPanels: (...args) => packAlong(heap.f32, 8, ...args),
    packStripsAcross: (...args) => packAcross(heap.f32, 4, ...args),
    packPanelsAcross: (...args) => packAcross(heap.f32, 8, ...args),
  };
}

/**
 * 4 × 4 results at a time, summed in float64: rounding each sum to float32 would take twice as
 * long.
 */
function gemm(
  memory: Float32Array,
  ...[
    m,
    n,
    k,
    a,
    aStrip,
    b,
    bPanel,
    bRow,
    c,
    cRow,
    bias,
    biasMode,
    residual,
    ,
    low,
    high,
  ]: Parameters<GemmLibrary["gemm"]>
): void {
  const sums = new Float64Array(16);
  const row4 = bRow >>> 2;
  for (let column = 0; column < n; column += 4) {
    const panel = (b + (column >>> 3) * bPanel + (column & 4) * 4) >>> 2;
    for (let row = 0; row < m; row += 4) {
      tile(memory, (a + (row >>> 2) * aStrip) >>> 2, panel, row4, k, sums);
      for (let i = 0; i < 4 && row + i < m; i += 1) {
        const out = (c + (row + i) * cRow) >>> 2;
        const more = (residual + (row + i) * cRow) >>> 2;
        for (let j = 0; j < 4 && column + j < n; j += 1) {
          let sum = sums[i * 4 + j]!;
          if (biasMode === 1) sum += memory[(bias >>> 2) + column + j]!;
          else if (biasMode === 2) sum += memory[(bias >>> 2) + row + i]!;
          if (residual) sum += memory[more + column + j]!;
          memory[out + column + j] = sum < low ? low : sum > high ? high : sum;
        }
      }
    }
  }
}

function tile(
  memory: Float32Array,
  from: number,
  panel: number,
  bRow: number,
  k: number,
  sums: Float64Array,
): void {
  let [a, b] = [from, panel];
  let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [s20, s21, s22, s23, s30, s31, s32, s33] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < k; i += 1) {
    const b0 = memory[b]!;
    const b1 = memory[b + 1]!;
    const b2 = memory[b + 2]!;
    const b3 = memory[b + 3]!;
    const a0 = memory[a]!;
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    const a1 = memory[a + 1]!;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
    const a2 = memory[a + 2]!;
    s20 += a2 * b0;
    s21 += a2 * b1;
    s22 += a2 * b2;
    s23 += a2 * b3;
    const a3 = memory[a + 3]!;
    s30 += a3 * b0;
    s31 += a3 * b1;
    s32 += a3 * b2;
    s33 += a3 * b3;
    a = (a + 4) | 0;
    b = (b + bRow) | 0;
  }
  sums[0] = s00;
  sums[1] = s01;
  sums[2] = s02;
  sums[3] = s03;
  sums[4] = s10;
  sums[5] = s11;
  sums[6] = s12;
  sums[7] = s13;
  sums[8] = s20;
  sums[9] = s21;
  sums[10] = s22;
  sums[11] = s23;
  sums[12] = s30;
  sums[13] = s31;
  sums[14] = s32;
  sums[15] = s33;
}

function fewRows(
  memory: Float32Array,
  m: number,
  ...[n, k, a, aRow, b, bPanel, c, cRow, bias, residual, low, high]: Parameters<
    GemmLibrary["rows1"]
  >
): void {
  for (let row = 0; row < m; row += 1) {
    const from = (a + row * aRow) >>> 2;
    for (let column = 0; column < n; column += 4) {
      let at = (b + (column >>> 3) * bPanel + (column & 4) * 4) >>> 2;
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let i = 0; i < k; i += 1) {
        const value = memory[from + i]!;
        s0 += value * memory[at]!;
        s1 += value * memory[at + 1]!;
        s2 += value * memory[at + 2]!;
        s3 += value * memory[at + 3]!;
        at += 8;
      }
      const out = (row * cRow) >>> 2;
      for (let j = 0; j < 4 && column + j < n; j += 1) {
        let sum = j === 0 ? s0 : j === 1 ? s1 : j === 2 ? s2 : s3;
        if (bias) sum += memory[(bias >>> 2) + column + j]!;
        if (residual) sum += memory[(residual >>> 2) + out + column + j]!;
        memory[(c >>> 2) + out + column + j] = sum < low ? low : sum > high ? high : sum;
      }
    }
  }
}

function packAlong(
  memory: Float32Array,
  width: number,
  ...[from, row, rows, k, to]: Parameters<GemmLibrary["packStrips"]>
): void {
  for (let first = 0; first < rows; first += width) {
    for (let lane = 0; lane < width; lane += 1) {
      const source = (from + Math.min(first + lane, rows - 1) * row) >>> 2;
      const target = (to >>> 2) + first * k + lane;
      for (let i = 0; i < k; i += 1) memory[target + i * width] = memory[source + i]!;
    }
  }
}

function packAcross(
  memory: Float32Array,
  width: number,
  ...[from, row, columns, k, to]: Parameters<GemmLibrary["packStrips"]>
): void {
  let target = to >>> 2;
  for (let column = 0; column < columns; column += width) {
    for (let i = 0; i < k; i += 1) {
      const source = ((from + i * row) >>> 2) + column;
      memory.copyWithin(target, source, source + width);
      target += width;
    }
  }
}
