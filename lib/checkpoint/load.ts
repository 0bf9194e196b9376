import type { ByteSource } from "./byte-source.js";
import { Entry } from "./entry.js";
import { CheckpointError } from "./errors.js";
import { looksLikeNpy, readNpy } from "./npy.js";
import { looksLikeSafetensors, readSafetensorsHeader } from "./safetensors.js";
import { type CheckpointInput, openSource } from "./source/open.js";
import { bytesSource } from "./byte-source.js";
import { looksLikeZip, ZipArchive } from "./zip.js";

export interface LoadOptions {
  /** Takes only the tensors for which it gives true; the bytes of the others are not read. */
  filter?: (key: string) => boolean;
}

/**
 * Reads a checkpoint: key → entry, each in the file's own dtype, row-major. What format it is, its
 * bytes tell: `.safetensors`, `.npz`, or `.npy` (one entry, under the key `array`).
 *
 * @param source a path, URL, File or Blob, Response, or bytes.
 * @throws CheckpointError, whatever is wrong with the file; nothing is half-loaded.
 */
export async function load(
  source: CheckpointInput,
  options: LoadOptions = {},
): Promise<Map<string, Entry>> {
  const { filter = () => true, ...unknown } = options;
  const [name] = Object.keys(unknown);
  if (name !== undefined) {
    throw new TypeError(`load got an unexpected option '${name}'; known options: filter`);
  }
  const file = await openSource(source);
  const head = await file.read(0, Math.min(64, file.size));
  if (looksLikeZip(head)) return readNpz(file, filter);
  if (looksLikeNpy(head)) return new Map([["array", await readNpy(file, "array")]]);
  if (looksLikeSafetensors(head)) return readSafetensors(file, filter);
  throw new CheckpointError(whatItIs(head, file.size), { file: file.name, offset: 0 });
}

async function readSafetensors(
  file: ByteSource,
  filter: (key: string) => boolean,
): Promise<Map<string, Entry>> {
  const { tensors } = await readSafetensorsHeader(file);
  const entries = new Map<string, Entry>();
  for (const { key, dtype, shape, begin, end } of tensors) {
    if (!filter(key)) continue;
    entries.set(key, new Entry(dtype, shape, await file.read(begin, end), key));
  }
  return entries;
}

async function readNpz(
  file: ByteSource,
  filter: (key: string) => boolean,
): Promise<Map<string, Entry>> {
  const archive = await ZipArchive.open(file);
  const entries = new Map<string, Entry>();
  for (const member of archive.members.values()) {
    if (!member.name.endsWith(".npy")) {
      throw new CheckpointError(
        `a ZIP archive with '${member.name}': only .npz (of .npy members) is read so far`,
        { file: file.name },
      );
    }
    const key = member.name.slice(0, -".npy".length);
    if (!filter(key)) continue;
    const array = bytesSource(await archive.read(member), `${file.name}/${member.name}`);
    entries.set(key, await readNpy(array, key));
  }
  return entries;
}

/** A sentence for what is no checkpoint, or none that we read. */
function whatItIs(head: Uint8Array, size: number): string {
  if (size === 0) return "the file is empty";
  const text = new TextDecoder().decode(head);
  if (text.startsWith("version https://git-lfs")) {
    return "a Git LFS pointer, not the weights: fetch the file itself (git lfs pull)";
  }
  if (/^\s*<(!doctype|html)/i.test(text)) {
    return "an HTML page, probably an error page, not a checkpoint";
  }
  if (size < 9) return `${size} bytes, too few for a checkpoint`;
  return "not a checkpoint that is read: neither .safetensors nor .npz nor .npy";
}
