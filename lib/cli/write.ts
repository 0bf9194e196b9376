import { access, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { CheckpointError } from "../checkpoint/index.js";

/** Writes to a temporary file and renames it when complete, so that the input may be the output. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}.part`;
  try {
    await writeFile(draft, bytes);
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw unwritable(path, cause as NodeJS.ErrnoException);
  }
}

/** Fails early if a file could not be written there. */
export async function checkPlace(path: string): Promise<void> {
  await access(dirname(path)).catch((cause: unknown) => {
    throw unwritable(path, cause as NodeJS.ErrnoException);
  });
}

function unwritable(path: string, cause: NodeJS.ErrnoException): CheckpointError {
  const folder = dirname(path);
  const known: Record<string, string> = {
    ENOENT: `there is no folder '${folder}'`,
    ENOTDIR: `'${folder}' is no folder`,
    EISDIR: "it is a folder",
    EACCES: "permission denied",
    EPERM: "permission denied",
    EROFS: "the disk is read-only",
    ENOSPC: "there is no space left",
  };
  const why = known[cause.code ?? ""] ?? cause.message;
  return new CheckpointError(`cannot be written: ${why}`, { file: path, cause });
}
