/** Narrow weights widened in plain JavaScript. */
import type { Heap } from "../heap.js";
import type { WidenLibrary } from "../narrowing.js";

const bits = new Uint32Array(1);
const number = new Float32Array(bits.buffer);

export function widenInJs(heap: Heap): WidenLibrary {
  const words = (): Uint16Array => new Uint16Array(heap.f32.buffer);
  return {
    bf16: (from, k, _, to) => {
      const [source, target] = [words(), new Uint32Array(heap.f32.buffer)];
      for (let i = 0; i < 8 * k; i += 1) target[(to >>> 2) + i] = source[(from >>> 1) + i]! << 16;
    },
    f16: (from, k, scales, to) => {
      const [source, target] = [words(), heap.f32];
      const by = target[scales >>> 2]!;
      for (let i = 0; i < 8 * k; i += 1) {
        const half = source[(from >>> 1) + i]!;
        bits[0] = (half & 0x7fff) << 13;
        target[(to >>> 2) + i] = number[0]! * (half & 0x8000 ? -by : by);
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
