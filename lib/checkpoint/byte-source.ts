import { CheckpointError } from "./errors.js";
import type { LoadTask } from "./task.js";

/** Random access to a file's bytes, wherever it is. */
export interface ByteSource {
  /** For messages: a path, a URL or `<bytes>`. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /**
   * Bytes [begin, end), maybe a view of a bigger buffer; a CheckpointError if it cannot. What is
   * asked for without waiting for the answer before is read together.
   */
  read(begin: number, end: number): Promise<Uint8Array>;
  /** Says from which offset on tensors are aligned, if not from the beginning; it may be several. */
  alignAt?(offset: number): void;
  /** Says that most of it will be asked for, so that reading may begin. */
  readAhead?(): void;
  /** A file beside this one (a shard); the name is already checked to be a plain file name. */
  sibling?(name: string): Promise<ByteSource>;
  /** The call of `load` that reads it: long work lets others have a turn by its `breathe`. */
  readonly task?: LoadTask;
}

/** Bytes that are in memory already. */
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

/** What is wrong with a range, null if nothing is. */
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
