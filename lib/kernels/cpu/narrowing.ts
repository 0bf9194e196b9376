/**
 * Conversions between floats and numbers of 16 or 8 bits; loaded only where weights are stored so.
 */
import type { Heap } from "./heap.js";
import type { Finish } from "./activation.js";
import type { ModuleBuilder } from "./wasm/module.js";
import type { StripWidener } from "./conv.js";
import type { LinearPointers, LinearSpec } from "./linear.js";
import type { NarrowType } from "./narrow.js";
import { widenInJs } from "./js/widen.js";
import type { storePanel } from "./wasm/gemm.js";
import { emitNarrowRow } from "./wasm/narrow-row.js";
import { emitWiden } from "./wasm/widen.js";

type Widen = (from: number, k: number, scales: number, to: number) => void;
export type WidenLibrary = Record<NarrowType, Widen>;

const widenLibrary = (heap: Heap): WidenLibrary => heap.library("widen", emitWiden, widenInJs);

/**
 * The address of the scales at the end of a run of `bytes` bytes. (Not used for bf16, which has
 * none.)
 */
const scalesOf = (run: number, bytes: number): number => run + bytes - 32;

/**
 * Widens panels of 8 columns to panels of floats.
 *
 * @param bytes - The size of a panel.
 */
export function panelWidener(
  heap: Heap,
  type: NarrowType,
  k: number,
  bytes: number,
): (from: number, panels: number, to: number) => void {
  const widen = widenLibrary(heap)[type];
  return (from, panels, to) => {
    for (let i = 0; i < panels; i += 1) {
      const panel = from + i * bytes;
      widen(panel, k, scalesOf(panel, bytes), to + i * 32 * k);
    }
  };
}

/**
 * The weight of a convolution as floats, some rows at a time.
 *
 * @param bytes - The size of a strip.
 * @param most - The largest number of columns that will be asked for at once.
 * @param room - The bytes available for widened rows.
 */
export function stripWidener(
  heap: Heap,
  type: NarrowType,
  bytes: number,
  most: number,
  room: number,
): StripWidener {
  const widen = widenLibrary(heap)[type];
  // Numbers are widened eight at a time, which are two columns of a strip.
  const wideBytes = Math.ceil((most + 2) / 2) * 32;
  const rows = 4 * Math.max(1, Math.floor(room / wideBytes));
  return {
    rows,
    stripBytes: wideBytes,
    strips: (weight, row, count, from, depth, workspace) => {
      const odd = from & 1;
      const pairs = Math.ceil((depth + odd) / 2);
      for (let i = 0; i < Math.ceil(count / 4); i += 1) {
        const strip = weight + ((row >> 2) + i) * bytes;
        const start = strip + (from - odd) * 4 * (type === "int8" ? 1 : 2);
        widen(start, pairs, scalesOf(strip, bytes), workspace + i * wideBytes);
      }
      return workspace + odd * 16;
    },
    workspaceBytes: (rows >> 2) * wideBytes,
  };
}

type Rows = Record<NarrowType, Row>;
type Row = (
  n: number, k: number, a: number, b: number, bPanel: number, c: number, bias: number,
  residual: number, low: number, high: number,
) => void; // prettier-ignore

/** Up to this many rows are multiplied one by one; for more, the weight is widened once. */
const MOST_BY_ROW = 2;

/**
 * Computes columns `[n0, n1)` of `linear` without storing the widened weight; `null` where that is
 * no faster: for many rows, and in plain JavaScript.
 *
 * @param panel - The size of a panel in bytes.
 */
export function rowByRow(
  heap: Heap,
  { m, n, k, xRow = k, weightType }: LinearSpec,
  { low, high, apply }: Finish,
  panel: number,
  store: typeof storePanel,
): ((p: LinearPointers, n0: number, n1: number) => void) | null {
  if (heap.build === "js" || m > MOST_BY_ROW) return null;
  const type = weightType as NarrowType;
  const none = (): never => {
    throw new Error("rowByRow: in WebAssembly only");
  };
  const emit = (module: ModuleBuilder): void => emitNarrowRow(module, store);
  const run = heap.library<Rows>("narrow row", emit, none)[type];
  return (p, n0, n1) => {
    for (let row = 0; row < m; row += 1) {
      const at = (row * n + n0) * 4;
      const out = p.out + at;
      run(
        n1 - n0, k, p.x + row * xRow * 4, p.weight + (n0 >> 3) * panel, panel, out,
        p.bias ? p.bias + n0 * 4 : 0, p.residual ? p.residual + at : 0, low, high,
      ); // prettier-ignore
      apply?.(out, out, n1 - n0);
    }
  };
}

/** The largest number of each type; int8 has a scale, so there is no limit. */
const LARGEST = { f16: 65504, bf16: 3.3895313892515355e38, int8: Infinity };

/** Why numbers cannot be stored in a type; `null` if they can. */
export function misfitOf(type: NarrowType, values: ArrayLike<number>): string | null {
  let most = 0;
  for (let i = 0; i < values.length; i += 1) {
    const size = Math.abs(values[i]!);
    if (size < Infinity) most = Math.max(most, size);
    else if (type !== "bf16") return "it holds NaN or infinities";
  }
  return most > LARGEST[type] ? `it holds numbers beyond ±${LARGEST[type]}` : null;
}

const bits = new Uint32Array(1);
const number = new Float32Array(bits.buffer);

function toBfloat16(value: number): number {
  number[0] = value;
  if (Number.isNaN(value)) return 0x7fc0;
  return (bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) >>> 16;
}

function toHalf(value: number): number {
  if (Number.isNaN(value)) return 0;
  number[0] = Math.max(-65504, Math.min(65504, value));
  const sign = (bits[0]! >>> 16) & 0x8000;
  number[0] = Math.abs(number[0]);
  if (number[0] < 2 ** -14) {
    // The spacing of denormals is 2⁻²⁴, as that of floats from ½ to 1: adding ½ rounds to it, ties
    // to even.
    number[0] = number[0] + 0.5;
    return sign | (bits[0]! & 0x7ff);
  }
  const rounded = bits[0]! + 0xfff + ((bits[0]! >>> 13) & 1);
  return sign | ((rounded - (112 << 23)) >>> 13);
}

/** The power of two that brings numbers into the upper half of the range of halves. */
function factorOf(values: Float32Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  if (!(most > 0)) return 1;
  return 2 ** Math.min(112, Math.max(0, 14 - Math.floor(Math.log2(most))));
}

export interface NarrowRuns {
  type: NarrowType;
  /** Consecutive runs of floats. */
  from: number;
  count: number;
  /** The length of a run in floats; narrowed, it takes `narrowRunBytes`. */
  length: number;
  bytes: number;
  /**
   * The number of interleaved rows or columns that have a scale each: 8 columns of a panel, or 4
   * rows of a strip.
   */
  lanes: 4 | 8;
  to: number;
}

/** Narrows panels or strips of floats. */
export function narrowRuns(heap: Heap, runs: NarrowRuns): void {
  const { type, count, length, lanes, bytes: size } = runs;
  const memory = heap.f32;
  const words = new Uint16Array(memory.buffer);
  const bytes = new Int8Array(memory.buffer);
  for (let run = 0; run < count; run += 1) {
    const source = (runs.from + run * length * 4) >>> 2;
    const target = runs.to + run * size;
    if (type !== "int8") {
      const by = type === "f16" ? factorOf(memory.subarray(source, source + length)) : 1;
      const narrow = type === "f16" ? toHalf : toBfloat16;
      for (let i = 0; i < length; i += 1) words[(target >>> 1) + i] = narrow(memory[source + i]! * by); // prettier-ignore
      words.fill(0, (target >>> 1) + length, (target + size) >>> 1);
      // Shifting the bits of a half to where a float has them makes it 2⁻¹¹² times as large, which
      // the scale undoes.
      if (type === "f16") memory.fill(2 ** 112 / by, (target + size - 32) >>> 2, (target + size) >>> 2); // prettier-ignore
      continue;
    }
    const scales = (target + size - 32) >>> 2; // behind the numbers
    for (let lane = 0; lane < lanes; lane += 1) {
      let most = 0;
      for (let i = lane; i < length; i += lanes) most = Math.max(most, Math.abs(memory[source + i]!)); // prettier-ignore
      const scale = most / 127;
      for (let at = lane; at < 8; at += lanes) memory[scales + at] = scale;
      for (let i = lane; i < length; i += lanes) {
        bytes[target + i] = scale === 0 ? 0 : Math.round(memory[source + i]! / scale);
      }
    }
    bytes.fill(0, target + length, scales * 4);
  }
}
