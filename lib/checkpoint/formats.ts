/**
 * Chooses the reader for a file by its bytes, never by its name. Readers for other formats than
 * safetensors are loaded on demand.
 */
import type { ByteSource } from "./byte-source.js";
import type { Checkpoint, LazyEntry } from "./checkpoint.js";
import { Entry } from "./entry.js";
import { CheckpointError, placed } from "./errors.js";
import { later } from "./later.js";
import { readSafetensorsHeader } from "./safetensors.js";
import * as signs from "./signs.js";
import { choose, type Wanted } from "./wanted.js";

/** The bytes by which formats are recognised; a tar needs its first block. */
const HEAD = 512;

const zips = later(() => import("./zip.js"));
const torchZips = later(() => import("./torch/zip.js"));

/** Reads the headers of a checkpoint, as far as needed for the tensors that are wanted. */
export function openCheckpoint(file: ByteSource, wanted: Wanted = {}): Promise<Checkpoint> {
  return placed(file.name, () => openFormat(file, wanted));
}

/** Opens a shard, which is no index: one that names itself would be read without end. */
const openShard = (file: ByteSource): Promise<Checkpoint> =>
  placed(file.name, () => openFormat(file, {}, true));

async function openFormat(file: ByteSource, wanted: Wanted, isShard = false): Promise<Checkpoint> {
  const head = await file.read(0, Math.min(HEAD, file.size));
  // First, because the length at the beginning of a safetensors file may look like another format's
  // magic number.
  if (signs.isSurelySafetensors(head)) return openSafetensors(file, wanted);
  if (signs.looksLikeIndex(head)) {
    if (isShard) {
      throw new CheckpointError("a shard that is an index of shards itself", { file: file.name });
    }
    const { openShards } = await import("./shards.js");
    return openShards(file, wanted, openShard);
  }
  if (signs.looksLikePickle(head)) {
    return (await import("./torch/legacy.js")).openLegacy(file, wanted);
  }
  if (signs.looksLikeTar(head)) return (await import("./torch/tar.js")).openTorchTar(file, wanted);
  if (signs.looksLikeZip(head)) return openZip(file, wanted);
  if (signs.looksLikeNpy(head)) return (await import("./numpy/npy.js")).openNpy(file, wanted);
  if (signs.looksLikeSafetensors(head)) return openSafetensors(file, wanted);
  throw new CheckpointError(whatItIs(head, file.size), { file: file.name, offset: 0 });
}

async function openZip(file: ByteSource, wanted: Wanted): Promise<Checkpoint> {
  const archive = await (await zips()).ZipArchive.open(file);
  const names = [...archive.members.keys()];
  if (
    names.some((name) => /(^|\/)archive_format$|^serialized_exported_program\.json$/.test(name))
  ) {
    throw new CheckpointError("is a program of torch.export.save: nn.loadExported loads it");
  }
  const torch = await torchZips();
  const root = torch.torchRoot(archive);
  if (root !== null) return torch.openTorchZip(file, archive, root, wanted);
  return (await import("./numpy/npz.js")).openNpz(file, archive, wanted);
}

async function openSafetensors(file: ByteSource, wanted: Wanted): Promise<Checkpoint> {
  const { tensors, metadata } = await readSafetensorsHeader(file);
  const found = new Map<string, LazyEntry>();
  for (const { key, dtype, shape, begin, end } of tensors) {
    const read = async (): Promise<Entry> =>
      new Entry(dtype, shape, await file.read(begin, end), key, undefined, file.name);
    found.set(key, { dtype, shape, read });
  }
  return { format: "safetensors", entries: choose(found, wanted), metadata };
}

const ascii = (text: string): number[] => Array.from(text, (char) => char.charCodeAt(0));

/** Other formats that people take for PyTorch checkpoints, by their first bytes. */
const OTHERS: readonly [magic: readonly number[], name: string][] = [
  [[0x1f, 0x8b], "compressed by gzip"],
  [ascii("GGUF"), "a GGUF file (llama.cpp)"],
  [[0x89, ...ascii("HDF")], "an HDF5 file (Keras)"],
];

/** Describes a file that is not a checkpoint, or not one that we can read. */
function whatItIs(head: Uint8Array, size: number): string {
  if (size === 0) return "the file is empty";
  const text = new TextDecoder().decode(head);
  if (text.startsWith("version https://git-lfs")) {
    return "a Git LFS pointer, not the weights: fetch the file itself (git lfs pull)";
  }
  if (/^\ufeff?\s*<(!doctype|html|head|!--|\?xml)/i.test(text)) {
    return "an HTML page, probably an error page, not a checkpoint";
  }
  const [, name] = OTHERS.find(([magic]) => magic.every((byte, i) => head[i] === byte)) ?? [];
  if (name !== undefined) return `${name}, not a checkpoint that is read`;
  if (size < 9) return `${size} bytes, too few for a checkpoint`;
  return (
    "not a checkpoint that is read: neither .safetensors, nor of torch.save or torch.jit.save, " +
    "nor .npz or .npy, nor an index of shards"
  );
}
