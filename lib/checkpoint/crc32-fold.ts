/**
 * Shortens a run of bytes to some kilobytes with the same CRC-32, by xor alone.
 *
 * A CRC is the remainder of a polynomial over the field of two elements, divided by P = x³² + x²⁶ +
 * x²³ + x²² + x¹⁶ + x¹² + x¹¹ + x¹⁰ + x⁸ + x⁷ + x⁵ + x⁴ + x² + x + 1. P divides Q = x³⁰⁰ + x¹⁵⁵ +
 * x¹¹⁷ + x⁸⁹ + 1 (the polynomial of lowest degree with five terms), and so it divides Q¹²⁸, whose
 * terms are those of Q with 128 times the exponents, because in this field the square of a sum is
 * the sum of the squares. So a block of 16 bytes can be removed if it is xored into the blocks 145,
 * 183, 211 and 300 positions after it.
 *
 * The idea of using sparse multiples is from "Chorba", https://arxiv.org/abs/2412.16398.
 */
import { load, type SimdLoop, simdLoop, store, xor } from "./simd-loop.js";

const BLOCK = 16;
const DISTANCES = [145, 183, 211, 300];
/** The distance of the farthest block that a block is xored into, in bytes. */
const WINDOW = 300 * BLOCK;
const UNROLLED = 4;
const STEP = UNROLLED * BLOCK;
/** How many bytes are copied and processed at a time; they fit into the processor's cache. */
const CHUNK = 65536;
/** For shorter runs it does not pay. */
const LEAST = 32768;

export const foldable = (length: number): boolean => length >= LEAST;

// The memory: the window before the chunk, the chunk, zeros instead of a further chunk, and the
// rest.
const ZEROS = WINDOW + CHUNK;
const REST = ZEROS + WINDOW;

let made: SimdLoop | null | undefined;

/**
 * Xors into each block the blocks that reach it; `at` is where the window begins, `to` the block.
 */
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
 * Bytes with the same checksum, if one continues from the checksum 0xffffffff; null if that is not
 * possible. The array is reused by the next call.
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
  // What comes after the last chunk only receives blocks, and is not xored into others.
  run(ZEROS - WINDOW, ZEROS, REST);
  return memory.subarray(REST, REST + rest.length);
}
