/** Files in a file system, in Node. */
import type { ByteSource } from "../byte-source.js";
import { CheckpointError } from "../errors.js";
import { node } from "../node.js";
import type { LoadTask } from "../task.js";
import { Turns } from "../turns.js";
import { Ahead } from "./ahead.js";
import { OpenFile } from "./open-file.js";
import { RangeSource } from "./ranges.js";

/**
 * The size of reads: large enough to be fast, small enough to cancel and report in between. Three
 * at a time are fastest.
 */
const PART = 8 * 2 ** 20;

/** The bytes of the first read, which contain the headers of most checkpoints. */
const HEAD = 65536;

/** The path in a `file:` URL or path. */
export function toPath(location: string | URL): string {
  const isUrl = location instanceof URL || location.startsWith("file:");
  if (!isUrl) return location;
  try {
    return node.url().fileURLToPath(location);
  } catch (cause) {
    const message = `is not the URL of a file: ${(cause as Error).message}`;
    throw new CheckpointError(message, { file: String(location), cause });
  }
}

/** @param isWhole whether all of it will be read. */
export async function openPath(path: string, task: LoadTask, isWhole = false): Promise<ByteSource> {
  const { O_RDONLY, O_NONBLOCK } = node.files().constants;
  const failed = (cause: unknown): never => {
    throw unreadable(path, cause);
  };
  // So that opening a pipe without a writer does not block; it has no other effect.
  const file = await OpenFile.open(path, O_RDONLY | O_NONBLOCK).catch(failed);
  task.atEnd(() => file.close());
  // Reads at a position, which fails for a pipe instead of taking bytes from it.
  const first = new Uint8Array(HEAD);
  const reading = file.read(first, 0);
  reading.catch(() => undefined); // What is no file is told as such.
  const stat = await file.stat();
  if (!stat.isFile()) {
    const what = stat.isDirectory() ? "a folder" : "a pipe or device";
    throw new CheckpointError(`is ${what}, not a file`, { file: path });
  }
  const fill = async (begin: number, target: Uint8Array): Promise<void> => {
    for (let at = 0; at < target.length;) {
      const count = await file.read(target.subarray(at), begin + at).catch(failed);
      if (count === 0) {
        const message = `ends at byte ${begin + at}: it became shorter while it was read`;
        throw new CheckpointError(message, { file: path, offset: begin + at });
      }
      at += count;
      task.advance(count, path);
    }
  };
  const sibling = (name: string): Promise<ByteSource> => {
    const paths = node.path();
    return openPath(paths.join(paths.dirname(path), name), task, isWhole);
  };
  // Read before it is cut: the size may be known first.
  const count = await reading.catch(failed);
  const head = stat.size < HEAD ? first.slice(0, stat.size) : first;
  const come = Math.min(count, head.length);
  task.expect(head.length);
  task.advance(come, path);
  await fill(come, head.subarray(come));
  const ahead = isWhole
    ? (...of: ConstructorParameters<typeof Ahead>): Ahead => new Ahead(...of)
    : undefined;
  const reader = { name: path, size: stat.size, head, fill, sibling, ahead };
  return new RangeSource({ ...reader, maxGap: 65536, partSize: PART, turns: new Turns(3) }, task);
}

function unreadable(path: string, cause: unknown): CheckpointError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    ENOENT: "there is no such file",
    EACCES: "may not be read: permission denied",
    EPERM: "may not be read: permission denied",
    EISDIR: "is a folder, not a file",
  };
  const text = known[code ?? ""] ?? `cannot be read: ${message}`;
  return new CheckpointError(text, { file: path, cause });
}
