/** Weights stored in 16 or 8 bits: half or a quarter of the memory, at the cost of rounding. */
import type { Heap } from "./heap.js";

/**
 * - `f16`: IEEE half precision (11 significant bits) of the numbers times a power of two for each
 *   panel or strip, so that few are denormal. Numbers beyond ±65504 become ±65504, NaN becomes 0.
 * - `bf16`: the upper 16 bits of a float32 (8 significant bits).
 * - `int8`: integers from -127 to 127 times one scale per output; no NaN or infinity.
 */
export type NarrowType = "f16" | "bf16" | "int8";

/** Bytes of a number. */
const SIZE = { f16: 2, bf16: 2, int8: 1 } as const;

/** Bytes of the eight scales that follow a run; bf16 has none. */
const scaleBytes = (type: NarrowType): number => (type === "bf16" ? 0 : 32);

/** Bytes of a run of numbers, rounded up to a multiple of eight, plus its scales. */
export const narrowRunBytes = (type: NarrowType, length: number): number =>
  Math.ceil((Math.ceil(length / 8) * 8 * SIZE[type]) / 16) * 16 + scaleBytes(type);

/** Bytes of a panel of 8 columns. */
export const narrowPanelBytes = (type: NarrowType, k: number): number =>
  narrowRunBytes(type, 8 * k);

/** Bytes of a strip of 4 rows. */
export const narrowStripBytes = (type: NarrowType, k: number): number =>
  narrowRunBytes(type, 4 * k);

/** Bytes of a matrix of `n` columns. */
export const narrowBytes = (type: NarrowType, n: number, k: number): number =>
  Math.ceil(n / 8) * narrowPanelBytes(type, k);

/**
 * Calls `use` with scratch memory, zeroed first and freed afterwards, in which to pack floats
 * before they are narrowed.
 */
export function withRoom(heap: Heap, bytes: number, use: (room: number) => void): void {
  const room = heap.alloc(bytes);
  heap.f32.fill(0, room >>> 2, (room + bytes) >>> 2);
  use(room);
  heap.free(room);
}
