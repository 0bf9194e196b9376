import { CheckpointError } from "./errors.js";

/**
 * Allocates zeroed bytes for what a file contains, or claims to contain.
 *
 * @throws CheckpointError if they do not fit into memory; the platform's own error would not name
 *   the file.
 */
export function allocate(bytes: number, file?: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    const message = `${bytes} bytes in one piece are more than the memory here holds`;
    throw new CheckpointError(message, { file, cause });
  }
}
