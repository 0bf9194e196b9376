/** Weights in 16 or 8 bits: half or a quarter of the memory, for an error of their own. */
import type { Heap } from "./heap.js";

/**
 * - `f16`: IEEE half precision, 11 bits, of the numbers times a power of two for each panel or strip, so
 *   that few are denormal; what is beyond ±65504 becomes that, and NaN 0.
 * - `bf16`: the upper half of a float, 8 bits.
 * - `int8`: whole numbers from -127 to 127 times a scale of each output; no NaN or infinity.
 */
export type NarrowType = "f16" | "bf16" | "int8";

/** Bytes of a number. */
const SIZE = { f16: 2, bf16: 2, int8: 1 } as const;

/** Bytes of the scales behind a run, of 8 numbers. */
const scaleBytes = (type: NarrowType): number => (type === "bf16" ? 0 : 32);

/** Bytes of so many numbers, in whole eights, and of 8 scales after them where the type has them. */
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

/** Room for floats that the callback packs, to be narrowed by it; cleared first, and freed afterwards. */
export function withRoom(heap: Heap, bytes: number, use: (room: number) => void): void {
  const room = heap.alloc(bytes);
  heap.f32.fill(0, room >>> 2, (room + bytes) >>> 2);
  use(room);
  heap.free(room);
}
