import { CheckpointError } from "./errors.js";
import type { LoadTask } from "./task.js";

/** Random access to the bytes of a file, wherever it is. */
export interface ByteSource {
  /** For messages: a path, a URL or `<bytes>`. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /**
   * The bytes [begin, end), perhaps a view of a larger buffer; a CheckpointError if that fails.
   * Calls made without awaiting the previous ones are combined into larger reads.
   */
  read(begin: number, end: number): Promise<Uint8Array>;
  /**
   * Tells from which offset on tensors are aligned, if not from the beginning. May be called for
   * several offsets.
   */
  alignAt?(offset: number): void;
  /** Tells that most of the file will be read, so that reading may start. */
  readAhead?(): void;
  /**
   * Opens a file beside this one (a shard); the caller has checked that the name is a plain file
   * name.
   */
  sibling?(name: string): Promise<ByteSource>;
  /** The call of `load` that reads the file: long work gives others a turn by its `breathe`. */
  readonly task?: LoadTask;
}

/** A source for bytes that are in memory. */
export function bytesSource(
  bytes: Uint8Array,
  name = "<bytes>",
  more: Pick<ByteSource, "sibling" | "task"> = {},
): ByteSource {
  return {
    ...more,
    name,
    size: bytes.byteLength,
    read(begin, end) {
      const error = rangeError(begin, end, bytes.byteLength, name);
      return error ? Promise.reject(error) : Promise.resolve(bytes.subarray(begin, end));
    },
  };
}

/** What is wrong with a range; null if nothing is. */
export function rangeError(
  begin: number,
  end: number,
  size: number,
  file: string,
): CheckpointError | null {
  if (begin >= 0 && end <= size && begin <= end) return null;
  const message = `cannot read bytes ${begin} to ${end} of ${size}`;
  return new CheckpointError(message, { file, offset: begin });
}
