import { CheckpointError } from "./errors.js";

/** Random access to a file's bytes, wherever it is. */
export interface ByteSource {
  /** For messages: a path, a URL or `<bytes>`. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Bytes [begin, end), maybe a view of a bigger buffer; a CheckpointError if it cannot. */
  read(begin: number, end: number): Promise<Uint8Array>;
  /** A file beside this one (a shard); the name is already checked to be a plain file name. */
  sibling?(name: string): Promise<ByteSource>;
}

/** Bytes that are in memory already. */
export function bytesSource(bytes: Uint8Array, name = "<bytes>"): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    read(begin, end) {
      if (begin < 0 || end > bytes.byteLength || begin > end) {
        const message = `cannot read bytes ${begin} to ${end} of ${bytes.byteLength}`;
        return Promise.reject(new CheckpointError(message, { file: name, offset: begin }));
      }
      return Promise.resolve(bytes.subarray(begin, end));
    },
  };
}
