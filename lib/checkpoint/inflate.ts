import type { LoadTask } from "./task.js";

/**
 * Decompresses to exactly `size` bytes, and stops if there are more. It uses the platform's
 * decompressor, which is the fastest, and lets others have their turn.
 */
export async function inflate(
  packed: Uint8Array,
  size: number,
  task?: LoadTask,
): Promise<Uint8Array> {
  const stream = new DecompressionStream("deflate-raw");
  const writer = stream.writable.getWriter();
  const fed = writer.write(packed as Uint8Array<ArrayBuffer>).then(() => writer.close());
  // Errors are reported by the reading end.
  fed.catch(() => undefined);
  const reader = stream.readable.getReader();
  const out = new Uint8Array(size);
  let at = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (at + value.length > size) throw new Error(`more than the ${size} bytes it claims`);
      out.set(value, at);
      at += value.length;
      if (task) await task.breathe();
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
  if (at !== size) throw new Error(`${at} bytes instead of ${size}`);
  return out;
}

/**
 * Decompresses the beginning of data that may be cut off: `count` bytes, or fewer if there are not
 * so many.
 */
export async function inflateHead(packed: Uint8Array, count: number): Promise<Uint8Array> {
  const stream = new DecompressionStream("deflate-raw");
  const writer = stream.writable.getWriter();
  writer
    .write(packed as Uint8Array<ArrayBuffer>)
    .then(() => writer.close())
    .catch(() => undefined);
  const reader = stream.readable.getReader();
  const out = new Uint8Array(count);
  let at = 0;
  while (at < count) {
    // The data may end within a block, which is not an error here.
    const next = await reader.read().catch(() => undefined);
    if (next === undefined || next.done) break;
    const chunk = next.value.subarray(0, count - at);
    out.set(chunk, at);
    at += chunk.length;
  }
  reader.cancel().catch(() => undefined);
  return out.subarray(0, at);
}
