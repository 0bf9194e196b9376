/** Loops over bytes that are too slow as JavaScript: small modules of WebAssembly with SIMD. */
import { type Code, moduleBytes, simd, sized, sleb, text, uleb, vector } from "../wasm/encode.js";

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
  /** How many addresses it takes: the first goes up to the second. */
  addresses: number;
  /** Vectors that the body may keep, numbered behind the addresses. */
  vectors: number;
  body: Code;
  /** Bytes by which each address goes on after the body; 0 for the second. */
  steps: readonly number[];
  /** Bytes of memory. */
  size: number;
}

/** Null where SIMD is missing, or a page's policy refuses WebAssembly. */
export function simdLoop({ addresses, vectors, body, steps, size }: LoopText): SimdLoop | null {
  if (typeof WebAssembly !== "object") return null;
  const advance = steps.map((step, i): Code =>
    step === 0 ? [] : [get(i), [0x41, sleb(step)], [0x6a], set(i)],
  );
  // do { … } while (first < second)
  const loop: Code = [[0x03, 0x40], body, advance, get(0), get(1), [0x49, 0x0d, 0], [0x0b]];
  const pages = Math.ceil(size / PAGE);
  try {
    const module = new WebAssembly.Module(
      moduleBytes([
        [1, vector([[0x60, vector(Array.from({ length: addresses }, () => [I32])), 0]])],
        [3, vector([[0]])],
        [5, vector([[0, uleb(pages)]])],
        [7, vector([[text("memory"), 2, 0], [text("run"), 0, 0]])], // prettier-ignore
        [10, vector([sized([vector([[uleb(vectors), V128]]), loop, [0x0b]])])],
      ]),
    );
    const { memory, run } = new WebAssembly.Instance(module).exports as {
      memory: WebAssembly.Memory;
      run: SimdLoop["run"];
    };
    return { memory: new Uint8Array(memory.buffer), run };
  } catch {
    return null;
  }
}
