/**
 * Which reader takes a file: its bytes tell, never its name. Readers of what is not safetensors are
 * loaded when such a file comes.
 */
import type { ByteSource } from "./byte-source.js";
import type { Checkpoint, LazyEntry } from "./checkpoint.js";
import { Entry } from "./entry.js";
import { CheckpointError, placed } from "./errors.js";
import { readSafetensorsHeader } from "./safetensors.js";
import * as signs from "./signs.js";

/** What tells the formats apart; a tar says so in its first block. */
const HEAD = 512;

/** Reads the headers of a checkpoint; `key` is where in a pickle its state_dict is. */
export function openCheckpoint(file: ByteSource, key?: string): Promise<Checkpoint> {
  return placed(file.name, () => openFormat(file, key));
}

async function openFormat(file: ByteSource, key: string | undefined): Promise<Checkpoint> {
  const head = await file.read(0, Math.min(HEAD, file.size));
  // Before all others: the length that it begins with may look like any of their marks.
  if (signs.isSurelySafetensors(head)) return openSafetensors(file);
  if (signs.looksLikeIndex(head)) {
    const { openShards } = await import("./shards.js");
    return openShards(file, (shard) => openCheckpoint(shard));
  }
  if (signs.looksLikePickle(head)) {
    return (await import("./torch/legacy.js")).openLegacy(file, key);
  }
  if (signs.looksLikeTar(head)) return (await import("./torch/tar.js")).openTorchTar(file, key);
  if (signs.looksLikeZip(head)) return openZip(file, key);
  if (signs.looksLikeNpy(head)) return (await import("./numpy/npy.js")).openNpy(file);
  if (signs.looksLikeSafetensors(head)) return openSafetensors(file);
  throw new CheckpointError(whatItIs(head, file.size), { file: file.name, offset: 0 });
}

async function openZip(file: ByteSource, key: string | undefined): Promise<Checkpoint> {
  const archive = await (await import("./zip.js")).ZipArchive.open(file);
  const torch = await import("./torch/zip.js");
  const root = torch.torchRoot(archive);
  if (root !== null) return torch.openTorchZip(file, archive, root, key);
  return (await import("./numpy/npz.js")).openNpz(file, archive);
}

async function openSafetensors(file: ByteSource): Promise<Checkpoint> {
  const { tensors, metadata } = await readSafetensorsHeader(file);
  const entries = new Map<string, LazyEntry>();
  for (const { key, dtype, shape, begin, end } of tensors) {
    const read = async (): Promise<Entry> =>
      new Entry(dtype, shape, await file.read(begin, end), key);
    entries.set(key, { dtype, shape, read });
  }
  return { format: "safetensors", entries, metadata };
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
  return (
    "not a checkpoint that is read: neither .safetensors, nor of torch.save or torch.jit.save, " +
    "nor .npz or .npy, nor an index of shards"
  );
}
