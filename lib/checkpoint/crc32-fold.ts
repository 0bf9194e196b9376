/**
 * Shortens a run of bytes to one of some kilobytes with the same CRC-32, by nothing but xor.
 *
 * A CRC is the remainder of a polynomial over the field of two elements by
 * P = x³² + x²⁶ + x²³ + x²² + x¹⁶ + x¹² + x¹¹ + x¹⁰ + x⁸ + x⁷ + x⁵ + x⁴ + x² + x + 1. P divides
 * Q = x³⁰⁰ + x¹⁵⁵ + x¹¹⁷ + x⁸⁹ + 1 (the least of five terms), and so Q¹²⁸, whose terms are those of Q
 * at 128 times the powers: in such fields, squaring a sum squares its terms. So a block of 16 bytes
 * may be taken away if it is xored into those 145, 183, 211 and 300 blocks behind it.
 *
 * The idea of sparse multiples is that of "Chorba", https://arxiv.org/abs/2412.16398.
 */
import { load, type SimdLoop, simdLoop, store, xor } from "./simd-loop.js";

const BLOCK = 16;
const DISTANCES = [145, 183, 211, 300];
/** What a block may reach. */
const WINDOW = 300 * BLOCK;
const UNROLLED = 4;
const STEP = UNROLLED * BLOCK;
/** Bytes that are copied and worked on at a time: they stay in the processor's cache. */
const CHUNK = 65536;
/** Shorter ones are not worth it. */
const LEAST = 32768;

export const foldable = (length: number): boolean => length >= LEAST;

// The memory: the window before the chunk, the chunk, zeros in the place of a chunk, and what follows.
const ZEROS = WINDOW + CHUNK;
const REST = ZEROS + WINDOW;

let made: SimdLoop | null | undefined;

/** Xors into each block those that reach it; `at` is the window's beginning, `to` the block's place. */
function makeLoop(): SimdLoop | null {
  const [at, , to] = [0, 1, 2];
  const body = Array.from({ length: UNROLLED }, (_, u) => {
    const reaching = DISTANCES.map((distance) => load(at, WINDOW + (u - distance) * BLOCK));
    return store(to, reaching.reduce(xor, load(to, u * BLOCK)), u * BLOCK);
  });
  return simdLoop({
    ...{ vectors: 0, body, steps: [STEP, 0, STEP] },
    size: REST + WINDOW + STEP,
  });
}

/**
 * Bytes of the same sum, if one goes on from the sum 0xffffffff; null where it cannot be done. They
 * are the loop's own, until the next call.
 */
export function foldBlocks(bytes: Uint8Array, before: number): Uint8Array | null {
  const loop = (made ??= makeLoop());
  if (loop === null) return null;
  const { memory, run } = loop;
  const count = Math.floor((bytes.length - WINDOW) / STEP) * STEP;
  memory.fill(0, 0, WINDOW);
  for (let at = 0; at < count; at += CHUNK) {
    const size = Math.min(CHUNK, count - at);
    memory.set(bytes.subarray(at, at + size), WINDOW);
    if (at === 0) for (let i = 0; i < 4; i += 1) memory[WINDOW + i]! ^= ~before >>> (8 * i);
    run(0, size, WINDOW);
    memory.copyWithin(0, size, size + WINDOW);
  }
  const rest = bytes.subarray(count);
  memory.copyWithin(ZEROS - WINDOW, 0, WINDOW);
  memory.fill(0, ZEROS, REST);
  memory.set(rest, REST);
  // What follows gets what reaches it, and nothing of it goes on.
  run(ZEROS - WINDOW, ZEROS, REST);
  return memory.subarray(REST, REST + rest.length);
}
