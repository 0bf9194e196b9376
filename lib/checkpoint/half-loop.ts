/** Converts float16 to float32 where WebAssembly has SIMD: eight at a time, without a table. */
import type { Nested as Code } from "../wasm/encode.js";
import { get, lanes, load, op, set, type SimdLoop, simdLoop, store } from "./simd-loop.js";

/** How many bytes of halves are processed at a time; they fit into the processor's cache. */
const CHUNK = 16384;

const AND = 0x4e;
const OR = 0x50;
const SELECT = 0x52;
const LESS = 0x39;
const GREATER = 0x3b;
const ADD = 0xae;
const shifted = (value: Code, bits: number): Code => [value, [0x41, bits], op(0xab)];

let made: SimdLoop | null | undefined;

function makeLoop(): SimdLoop | null {
  const [from, , to, eight, bits, size, float] = [0, 1, 2, 3, 4, 5, 6];
  const body = [0xa9, 0xaa].map((extend, half) => [
    ...[op(extend, get(eight)), set(bits)],
    // Exponent and fraction, shifted to where a float has them; the exponent is 112 too low.
    ...[shifted(op(AND, get(bits), lanes(0x7fff)), 13), set(size)],
    ...[op(ADD, get(size), lanes(112 << 23)), set(float)],
    op(
      SELECT,
      lanes(0x7fc00000), // NaN
      op(
        OR,
        op(
          SELECT,
          // Subnormals: exponent 0 means the same scale as 1, but without the leading 1.
          op(0xe5, op(ADD, get(float), lanes(1 << 23)), lanes(113 << 23)),
          // The highest exponent (infinity, NaN) becomes the highest of float32.
          op(ADD, get(float), op(AND, op(GREATER, get(size), lanes((31 << 23) - 1)), lanes(112 << 23))), // prettier-ignore
          op(LESS, get(size), lanes(1 << 23)),
        ),
        shifted(op(AND, get(bits), lanes(0x8000)), 16),
      ),
      op(GREATER, get(size), lanes(31 << 23)),
    ),
    set(float),
    store(to, get(float), 16 * half),
  ]);
  return simdLoop({
    ...{ vectors: 4, steps: [16, 0, 32], size: 3 * CHUNK },
    body: [load(from), set(eight), body],
  });
}

/** Null where that is not available. */
export function widenHalves(codes: Uint16Array): Float32Array | null {
  const loop = (made ??= makeLoop());
  if (loop === null) return null;
  const { memory, run } = loop;
  const bytes = new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);
  const floats = new Float32Array(codes.length);
  const out = new Uint8Array(floats.buffer);
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const part = bytes.subarray(at, at + CHUNK);
    memory.set(part);
    run(0, part.length, CHUNK);
    out.set(memory.subarray(CHUNK, CHUNK + 2 * part.length), 2 * at);
  }
  return floats;
}
