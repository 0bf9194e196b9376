/** Bytes in memory, and sources that a user has implemented. */
import { type ByteSource, bytesSource, rangeError } from "../byte-source.js";
import { CheckpointError } from "../errors.js";
import type { LoadTask } from "../task.js";

/** A source for bytes, all of which count as loaded. */
export function openBytes(bytes: Uint8Array, task: LoadTask): ByteSource {
  const source = bytesSource(bytes, undefined, { task });
  task.expect(source.size);
  task.advance(source.size, source.name);
  return source;
}

/**
 * A source that a user has implemented: its results are checked, and its errors get the name of the
 * file.
 */
export function openCustom(source: ByteSource, task: LoadTask): ByteSource {
  const { name, size } = source;
  const ask = async <T>(offset: number | undefined, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      task.signal.throwIfAborted();
      if (cause instanceof CheckpointError) throw cause;
      throw new CheckpointError(`cannot be read: ${String(cause)}`, { file: name, offset, cause });
    }
  };
  return {
    name,
    size,
    task,
    async read(begin, end) {
      const error = rangeError(begin, end, size, name);
      if (error) throw error;
      task.expect(end - begin);
      const bytes = await ask(begin, () => source.read(begin, end));
      if (!(bytes instanceof Uint8Array) || bytes.length !== end - begin) {
        const message = `its read(${begin}, ${end}) gave no Uint8Array of ${end - begin} bytes`;
        throw new CheckpointError(message, { file: name, offset: begin });
      }
      task.advance(bytes.length, name);
      return bytes;
    },
    alignAt: (offset) => source.alignAt?.(offset),
    ...(source.sibling && {
      sibling: async (other) =>
        openCustom(await ask(undefined, () => source.sibling!(other)), task),
    }),
  };
}
