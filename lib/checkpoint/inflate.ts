import type { LoadTask } from "./task.js";

/**
 * Unpacks to exactly `size` bytes; stops as soon as there are more. The platform's own inflater is
 * the fastest, and lets others have their turn.
 */
export async function inflate(
  packed: Uint8Array,
  size: number,
  task?: LoadTask,
): Promise<Uint8Array> {
  const stream = new DecompressionStream("deflate-raw");
  const writer = stream.writable.getWriter();
  const fed = writer.write(packed as Uint8Array<ArrayBuffer>).then(() => writer.close());
  // What is wrong with it shows at the other end.
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

/** Unpacks from what may be only the beginning: `count` bytes, or fewer if it does not have them. */
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
    // That it ends within a block is no error here.
    const next = await reader.read().catch(() => undefined);
    if (next === undefined || next.done) break;
    const chunk = next.value.subarray(0, count - at);
    out.set(chunk, at);
    at += chunk.length;
  }
  reader.cancel().catch(() => undefined);
  return out.subarray(0, at);
}
