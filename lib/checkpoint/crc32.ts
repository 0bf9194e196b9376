/** CRC-32 as ZIP uses it. */
import { foldable, foldBlocks } from "./crc32-fold.js";
import { isNode, node } from "./node.js";

/** The sum of the bytes, going on from that of those before them. */
export function crc32(bytes: Uint8Array, before = 0): number {
  const folded = foldable(bytes.length) ? foldBlocks(bytes, before) : null;
  if (folded === null) return plain(bytes, before);
  // Its first four bytes hold the sum so far: what is taken for that here must change nothing.
  return plain(folded, 0xffffffff);
}

/** Node's, else eight bytes at a step. */
const plain = (bytes: Uint8Array, before: number): number =>
  isNode ? node.zlib().crc32(bytes, before) : sliceBy8(bytes, before);

let tables: Uint32Array[] | undefined;

function makeTables(): Uint32Array[] {
  const first = Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c;
  });
  const made = [first];
  for (let t = 1; t < 8; t += 1) {
    made.push(made[t - 1]!.map((c) => first[c & 255]! ^ (c >>> 8)));
  }
  return made;
}

/** Intel's slicing-by-8, for short runs. */
export function sliceBy8(bytes: Uint8Array, before: number): number {
  tables ??= makeTables();
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    ...[Uint32Array, Uint32Array, Uint32Array, Uint32Array],
    ...[Uint32Array, Uint32Array, Uint32Array, Uint32Array],
  ];
  let c = before ^ -1;
  let i = 0;
  for (; i + 8 <= bytes.length; i += 8) {
    c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    c =
      t7[c & 255]! ^
      t6[(c >>> 8) & 255]! ^
      t5[(c >>> 16) & 255]! ^
      t4[c >>> 24]! ^
      t3[bytes[i + 4]!]! ^
      t2[bytes[i + 5]!]! ^
      t1[bytes[i + 6]!]! ^
      t0[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i += 1) c = t0[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return (c ^ -1) >>> 0;
}
