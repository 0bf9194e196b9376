/**
 * What `torch.save` has written since 1.6: a ZIP archive of a pickle and of one member a storage.
 *
 * Source: https://docs.pytorch.org/docs/stable/notes/serialization.html
 */
import type { ByteSource } from "../byte-source.js";
import type { Checkpoint } from "../checkpoint.js";
import { CheckpointError } from "../errors.js";
import { unpickle } from "../pickle/machine.js";
import type { Storage } from "../tensor.js";
import type { ZipArchive, ZipMember } from "../zip.js";
import { StorageValue, TORCH_BUILDERS } from "./rebuild.js";
import { isTorchScript, scriptStateDict } from "./script.js";
import { checkpointOf } from "./state.js";
import { storageDtype, storageItemSize } from "./storages.js";

/** The folder that all of it is in, or null if this is no such archive. */
export function torchRoot(archive: ZipArchive): string | null {
  for (const name of archive.members.keys()) {
    const found = /^([^/]+\/)data\.pkl$/.exec(name);
    if (found) return found[1]!;
  }
  return null;
}

export async function openTorchZip(
  file: ByteSource,
  archive: ZipArchive,
  root: string,
  key: string | undefined,
): Promise<Checkpoint> {
  const value = await readTorchZip(file, archive, root);
  if (!isTorchScript(archive, root)) return checkpointOf("torch", value, file, key);
  const state = await scriptStateDict(archive, root, value);
  return checkpointOf("torchscript", state, file, key);
}

/** The value that was saved; its tensors still unread. */
async function readTorchZip(file: ByteSource, archive: ZipArchive, root: string): Promise<unknown> {
  const pickle = await archive.read(archive.members.get(`${root}data.pkl`)!);
  const isBigEndian = await readByteOrder(file, archive, root);
  const reads = new Map<string, () => Promise<Uint8Array>>();

  const persistentLoad = (id: unknown): StorageValue => {
    const [kind, type, key, , numel] = Array.isArray(id) ? (id as unknown[]) : [];
    if (kind !== "storage" || typeof key !== "string" || typeof numel !== "number") {
      throw new CheckpointError("a persistent id that is no storage");
    }
    const dtype = storageDtype(type);
    const nbytes = numel * storageItemSize(dtype);
    const member = archive.members.get(`${root}data/${key}`);
    if (member === undefined) {
      throw new CheckpointError(`the storage '${root}data/${key}' is not in the archive`);
    }
    if (member.size !== nbytes) {
      throw new CheckpointError(
        `the storage '${member.name}' has ${member.size} bytes, but should have ${nbytes}`,
      );
    }
    if (!reads.has(key)) reads.set(key, readOnce(archive, member));
    const storage: Storage = { dtype, nbytes, isBigEndian, read: reads.get(key)! };
    return new StorageValue(storage);
  };

  return unpickle(pickle, { file: file.name, builders: TORCH_BUILDERS, persistentLoad }).value;
}

async function readByteOrder(
  file: ByteSource,
  archive: ZipArchive,
  root: string,
): Promise<boolean> {
  const member = archive.members.get(`${root}byteorder`);
  if (member === undefined) return false;
  const order = new TextDecoder("latin1").decode(await archive.read(member));
  if (order === "little" || order === "big") return order === "big";
  throw new CheckpointError(`unknown byte order ${JSON.stringify(order.slice(0, 20))}`, {
    file: file.name,
  });
}

function readOnce(archive: ZipArchive, member: ZipMember): () => Promise<Uint8Array> {
  let bytes: Promise<Uint8Array> | undefined;
  return () => (bytes ??= archive.read(member).then(align));
}

/** Bytes that any dtype can view: moved once, not for every tensor. */
export function align(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
}
