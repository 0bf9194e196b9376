/** Small WebAssembly SIMD modules for loops over bytes that are too slow in JavaScript. */
import { flat, moduleBytes, type Nested as Code, simd, sized, sleb, uleb } from "../wasm/encode.js";

/** A loop, and the memory that it works on. */
export interface SimdLoop {
  readonly memory: Uint8Array;
  /** Takes addresses in the memory. */
  readonly run: (...addresses: number[]) => void;
}

const PAGE = 65536;
const I32 = 0x7f;
const V128 = 0x7b;

export const get = (variable: number): Code => [0x20, variable];
export const set = (variable: number): Code => [0x21, variable];
/** A vector instruction after its operands. */
export const op = (code: number, ...operands: Code[]): Code => [...operands, simd(code)];
export const load = (address: number, offset = 0): Code => [
  ...[get(address), simd(0)],
  ...[4, uleb(offset)],
];
export const store = (address: number, value: Code, offset = 0): Code => [
  ...[get(address), value, simd(11)],
  ...[4, uleb(offset)],
];
export const xor = (a: Code, b: Code): Code => op(0x51, a, b);

/** An integer in all four lanes. */
export const lanes = (value: number): Code => {
  const bytes = [...new Uint8Array(Int32Array.of(value, value, value, value).buffer)];
  return [simd(12), bytes];
};

/** The description of a loop. */
export interface LoopText {
  /** The number of vector variables; they are numbered after the addresses. */
  vectors: number;
  body: Code;
  /**
   * By how many bytes each address advances after the body. The loop ends when the first address
   * reaches the second.
   */
  steps: readonly number[];
  /** The bytes of memory. */
  size: number;
}

/** Null if SIMD is missing, or a page's policy forbids WebAssembly. */
export function simdLoop({ vectors, body, steps, size }: LoopText): SimdLoop | null {
  const advance = steps.map((step, i): Code =>
    step === 0 ? [] : [get(i), [0x41, sleb(step), 0x6a], set(i)],
  );
  // do { … } while (first < second)
  const loop: Code = [0x03, 0x40, body, advance, get(0), get(1), 0x49, 0x0d, 0, 0x0b];
  try {
    const module = new WebAssembly.Module(
      moduleBytes([
        [1, [1, 0x60, steps.length, ...steps.map(() => I32), 0]],
        [3, [1, 0]],
        [5, [1, 0, ...uleb(Math.ceil(size / PAGE))]],
        // Exports have names of one letter: m for the memory, f for the function.
        [7, [2, 1, 0x6d, 2, 0, 1, 0x66, 0, 0]],
        [10, [1, ...sized(flat([1, vectors, V128, loop, 0x0b]))]],
      ]),
    );
    const { m, f } = new WebAssembly.Instance(module).exports as {
      m: WebAssembly.Memory;
      f: SimdLoop["run"];
    };
    return { memory: new Uint8Array(m.buffer), run: f };
  } catch {
    return null;
  }
}
