/** Loops over bytes that are too slow as JavaScript: small modules of WebAssembly with SIMD. */
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
/** An instruction on vectors, after its operands. */
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

/** What a loop does. */
export interface LoopText {
  /** How many vectors the body keeps, numbered behind the addresses. */
  vectors: number;
  body: Code;
  /**
   * Bytes by which each of the addresses that it takes goes on after the body; it ends when the first
   * has come to the second.
   */
  steps: readonly number[];
  /** Bytes of memory. */
  size: number;
}

/** Null where SIMD is missing, or a page's policy refuses WebAssembly. */
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
        // Of names of one letter: the memory is m, the function f.
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
