/** Weights in 16 or 8 bits: half or a quarter of the memory, for an error of their own. */
import { inJs } from "./fallback.js";
import type { Heap } from "./heap.js";
import { emitWiden } from "./wasm/widen.js";

/**
 * - `f16`: IEEE half precision, 11 bits; what is beyond ±65504 becomes that, and NaN 0.
 * - `bf16`: the upper half of a float, 8 bits.
 * - `int8`: whole numbers from -127 to 127 times a scale of each output; no NaN or infinity.
 */
export type NarrowType = "f16" | "bf16" | "int8";

type Widen = (from: number, k: number, scales: number, to: number) => void;
export type WidenLibrary = Record<NarrowType, Widen>;

export const widenLibrary = (heap: Heap): WidenLibrary =>
  heap.library("widen", emitWiden, (own: Heap) => inJs().widenInJs(own));

const SIZE = { f16: 2, bf16: 2, int8: 1 } as const;

/** Why a type cannot hold some numbers; `null` if it can. */
export function misfitOf(type: NarrowType, values: ArrayLike<number>): string | null {
  if (type === "bf16") return null;
  let most = 0;
  for (let i = 0; i < values.length; i += 1) {
    const size = Math.abs(values[i]!);
    if (!(size < Infinity)) return "it holds NaN or infinities";
    most = Math.max(most, size);
  }
  return type === "f16" && most > 65504 ? "it holds numbers beyond ±65504" : null;
}

/** Bytes of a number. */
export const narrowSize = (type: NarrowType): number => SIZE[type];

/** Bytes of so many numbers, in whole eights, and of 8 scales after them where the type has them. */
export const narrowRunBytes = (type: NarrowType, length: number): number =>
  Math.ceil((Math.ceil(length / 8) * 8 * SIZE[type]) / 16) * 16 + (type === "int8" ? 32 : 0);

/** Bytes of a panel of 8 columns. */
export const narrowPanelBytes = (type: NarrowType, k: number): number =>
  narrowRunBytes(type, 8 * k);

/** Bytes of a strip of 4 rows. */
export const narrowStripBytes = (type: NarrowType, k: number): number =>
  narrowRunBytes(type, 4 * k);

/** Where the scales of a run of numbers are. */
export const scalesOf = (type: NarrowType, run: number, length: number): number =>
  run + narrowRunBytes(type, length) - (type === "int8" ? 32 : 0);

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
    // The spacing of denormals is 2⁻²⁴; adding 2⁻¹ rounds to it, to even.
    number[0] = number[0] + 0.5;
    return sign | (bits[0]! & 0x7ff);
  }
  const rounded = bits[0]! + 0xfff + ((bits[0]! >>> 13) & 1);
  return sign | ((rounded - (112 << 23)) >>> 13);
}

export interface NarrowRuns {
  type: NarrowType;
  /** Runs of floats, one after the other. */
  from: number;
  count: number;
  /** Of each, in floats. */
  length: number;
  /** How many numbers in turn have a scale each: the columns of a panel, or the rows of a strip. */
  lanes: 4 | 8;
  to: number;
}

/** Narrows panels or strips of floats. */
export function narrowRuns(heap: Heap, runs: NarrowRuns): void {
  const { type, count, length, lanes } = runs;
  const memory = heap.f32;
  const words = new Uint16Array(memory.buffer);
  const bytes = new Int8Array(memory.buffer);
  const size = narrowRunBytes(type, length);
  for (let run = 0; run < count; run += 1) {
    const source = (runs.from + run * length * 4) >>> 2;
    const target = runs.to + run * size;
    if (type !== "int8") {
      const narrow = type === "f16" ? toHalf : toBfloat16;
      for (let i = 0; i < length; i += 1) words[(target >>> 1) + i] = narrow(memory[source + i]!);
      words.fill(0, (target >>> 1) + length, (target + size) >>> 1);
      continue;
    }
    const scales = scalesOf(type, target, length) >>> 2;
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

/** Bytes of a matrix of `n` columns. */
export const narrowBytes = (type: NarrowType, n: number, k: number): number =>
  Math.ceil(n / 8) * narrowPanelBytes(type, k);

/** Widens panels of 8 columns into panels of floats. */
export type WidenPanels = (from: number, panels: number, to: number) => void;

export function panelWidener(heap: Heap, type: NarrowType, k: number): WidenPanels {
  const widen = widenLibrary(heap)[type];
  const bytes = narrowPanelBytes(type, k);
  return (from, panels, to) => {
    for (let i = 0; i < panels; i += 1) {
      const panel = from + i * bytes;
      widen(panel, k, scalesOf(type, panel, 8 * k), to + i * 32 * k);
    }
  };
}

/** Room for floats that the callback packs, to be narrowed by it; cleared first, and freed afterwards. */
export function withRoom(heap: Heap, bytes: number, use: (room: number) => void): void {
  const room = heap.alloc(bytes);
  heap.f32.fill(0, room >>> 2, (room + bytes) >>> 2);
  use(room);
  heap.free(room);
}
