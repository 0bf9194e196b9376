/** FNV-1a over 32-bit words: the hash that the goldens keep of long results. */
export function fnv1a(words: Iterable<number>): number {
  let hash = 2166136261;
  for (const word of words) hash = Math.imul(hash ^ word, 16777619);
  return hash >>> 0;
}

/** The bits of float32 values as int32. */
export const bitsOf = (values: Float32Array): Int32Array =>
  new Int32Array(values.buffer, values.byteOffset, values.length);
