/** Weights in 16 or 8 bits: half or a quarter of the memory, for an error of their own. */
import { panelBytes } from "./gemm.js";
import type { Heap } from "./heap.js";
import { emitWiden } from "./wasm/widen.js";

/**
 * - `f16`: IEEE half precision, 11 bits; what is beyond ±65504 becomes that.
 * - `bf16`: the upper half of a float, 8 bits.
 * - `int8`: whole numbers from -127 to 127 times a scale of each column.
 */
export type NarrowType = "f16" | "bf16" | "int8";

type Widen = (from: number, k: number, scales: number, to: number) => void;
export type WidenLibrary = Record<NarrowType, Widen>;

export const widenLibrary = (heap: Heap): WidenLibrary =>
  heap.library("widen", emitWiden, widenInJs);

const SIZE = { f16: 2, bf16: 2, int8: 1 } as const;

/** Bytes of a panel of 8 columns: its numbers, and 8 scales where the type has them. */
export const narrowPanelBytes = (type: NarrowType, k: number): number =>
  Math.ceil((8 * k * SIZE[type]) / 16) * 16 + (type === "int8" ? 32 : 0);

/** Where the scales of a panel are. */
export const scalesOf = (type: NarrowType, panel: number, k: number): number =>
  panel + narrowPanelBytes(type, k) - (type === "int8" ? 32 : 0);

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

/** Narrows panels of floats. */
export function narrowPanels(
  heap: Heap,
  { type, from, n, k, to }: { type: NarrowType; from: number; n: number; k: number; to: number },
): void {
  const memory = heap.f32;
  const words = new Uint16Array(memory.buffer);
  const bytes = new Int8Array(memory.buffer);
  const size = narrowPanelBytes(type, k);
  for (let panel = 0; panel < Math.ceil(n / 8); panel += 1) {
    const source = (from + panel * 32 * k) >>> 2;
    const target = to + panel * size;
    const count = 8 * k;
    if (type !== "int8") {
      const narrow = type === "f16" ? toHalf : toBfloat16;
      for (let i = 0; i < count; i += 1) words[(target >>> 1) + i] = narrow(memory[source + i]!);
      continue;
    }
    const scales = scalesOf(type, target, k) >>> 2;
    for (let column = 0; column < 8; column += 1) {
      let most = 0;
      for (let i = column; i < count; i += 8) most = Math.max(most, Math.abs(memory[source + i]!));
      const scale = most / 127;
      memory[scales + column] = scale;
      for (let i = column; i < count; i += 8) {
        bytes[target + i] = scale === 0 ? 0 : Math.round(memory[source + i]! / scale);
      }
    }
  }
}

/** Bytes of a matrix of `n` columns. */
export const narrowBytes = (type: NarrowType, n: number, k: number): number =>
  Math.ceil(n / 8) * narrowPanelBytes(type, k);

/** Floats of a matrix in panels, packed by the callback; cleared first, and freed afterwards. */
export function withPanels(heap: Heap, n: number, k: number, use: (panels: number) => void): void {
  const panels = heap.alloc(panelBytes(n, k));
  heap.f32.fill(0, panels >>> 2, (panels + panelBytes(n, k)) >>> 2);
  use(panels);
  heap.free(panels);
}

function widenInJs(heap: Heap): WidenLibrary {
  const words = (): Uint16Array => new Uint16Array(heap.f32.buffer);
  return {
    bf16: (from, k, _, to) => {
      const [source, target] = [words(), new Uint32Array(heap.f32.buffer)];
      for (let i = 0; i < 8 * k; i += 1) target[(to >>> 2) + i] = source[(from >>> 1) + i]! << 16;
    },
    f16: (from, k, _, to) => {
      const [source, target] = [words(), heap.f32];
      for (let i = 0; i < 8 * k; i += 1) {
        const half = source[(from >>> 1) + i]!;
        bits[0] = (half & 0x7fff) << 13;
        target[(to >>> 2) + i] = number[0]! * (half & 0x8000 ? -(2 ** 112) : 2 ** 112);
      }
    },
    int8: (from, k, scales, to) => {
      const [source, target] = [new Int8Array(heap.f32.buffer), heap.f32];
      for (let i = 0; i < 8 * k; i += 1) {
        target[(to >>> 2) + i] = source[from + i]! * target[(scales >>> 2) + (i & 7)]!;
      }
    },
  };
}
