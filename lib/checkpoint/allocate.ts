import { CheckpointError } from "./errors.js";

/**
 * So many zero bytes, for what a file holds or claims to.
 *
 * @throws CheckpointError if they do not fit in one piece of memory; the platform's own error says
 *   nothing of the file.
 */
export function allocate(bytes: number, file?: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    const message = `${bytes} bytes in one piece are more than the memory here holds`;
    throw new CheckpointError(message, { file, cause });
  }
}
