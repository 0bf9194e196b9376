/** CRC-32 as ZIP uses it. */
import { foldable, foldBlocks } from "./crc32-fold.js";
import { isNode, node } from "./node.js";

/** The checksum of the bytes, continuing from that of the bytes before. */
export function crc32(bytes: Uint8Array, before = 0): number {
  const folded = foldable(bytes.length) ? foldBlocks(bytes, before) : null;
  if (folded === null) return plain(bytes, before);
  // The first four bytes include the checksum so far, so the initial value must have no effect.
  return plain(folded, 0xffffffff);
}

/** Node's implementation, else one that processes four bytes per step. */
const plain = (bytes: Uint8Array, before: number): number =>
  isNode ? node.zlib().crc32(bytes, before) : sliceBy4(bytes, before);

type Tables = [Int32Array, Int32Array, Int32Array, Int32Array];

let tables: Tables | undefined;

function makeTables(): Tables {
  const first = Int32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c;
  });
  const next = (table: Int32Array): Int32Array => table.map((c) => first[c & 255]! ^ (c >>> 8));
  const second = next(first);
  const third = next(second);
  return [first, second, third, next(third)];
}

/** Intel's slicing-by-4; for short runs. */
export function sliceBy4(bytes: Uint8Array, before: number): number {
  const [t0, t1, t2, t3] = (tables ??= makeTables());
  let c = ~before;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    c = t3[c & 255]! ^ t2[(c >>> 8) & 255]! ^ t1[(c >>> 16) & 255]! ^ t0[c >>> 24]!;
  }
  for (; i < bytes.length; i += 1) c = t0[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return ~c >>> 0;
}
