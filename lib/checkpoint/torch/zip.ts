/**
 * The format of `torch.save` since 1.6: a ZIP archive with a pickle and one member for each
 * storage.
 *
 * Source: https://docs.pytorch.org/docs/stable/notes/serialization.html
 */
import type { ByteSource } from "../byte-source.js";
import type { Checkpoint } from "../checkpoint.js";
import { wordSize } from "../dtype.js";
import { CheckpointError } from "../errors.js";
import { unpickle } from "../pickle/machine.js";
import type { Storage } from "../tensor.js";
import type { Wanted } from "../wanted.js";
import type { ZipArchive } from "../zip.js";
import { StorageValue, TORCH_BUILDERS } from "./rebuild.js";
import { isTorchScript, scriptStateDict } from "./script.js";
import { checkpointOf } from "./state.js";
import { storageDtype, storageItemSize } from "./storages.js";
import { align, whileUsed } from "./while-used.js";

/** The newest version that PyTorch itself reads. */
const MAX_VERSION = 10;

/**
 * The size of a compressed pickle may be this many bytes, or that many times the compressed size.
 */
const FREE_PICKLE = 2 ** 20;
const MAX_PICKLE_RATIO = 100;

/** The folder of the first member if it is such an archive; else null. */
export function torchRoot(archive: ZipArchive): string | null {
  const [first = ""] = archive.members.keys();
  const root = first.slice(0, first.indexOf("/") + 1);
  return root !== "" && archive.members.has(`${root}data.pkl`) ? root : null;
}

export async function openTorchZip(
  file: ByteSource,
  archive: ZipArchive,
  root: string,
  wanted: Wanted,
): Promise<Checkpoint> {
  archive.readAhead(`${root}data/`);
  const value = await readTorchZip(file, archive, root);
  if (!isTorchScript(archive, root)) return checkpointOf("torch", value, file, wanted);
  const state = await scriptStateDict(archive, root, value);
  return checkpointOf("torchscript", state, file, wanted);
}

/** The saved value; its tensors have not been read. */
async function readTorchZip(file: ByteSource, archive: ZipArchive, root: string): Promise<unknown> {
  // Started together, so that they are read at once; the first error is reported.
  const parts = [
    checkVersion(archive, root),
    readPickle(archive, root),
    readByteOrder(archive, root),
  ] as const;
  for (const part of parts) part.catch(() => undefined);
  await parts[0];
  const [pickle, isBigEndian] = [await parts[1], await parts[2]];
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
    const word = dtype === null ? 8 : wordSize(dtype);
    if (!reads.has(key))
      reads.set(
        key,
        whileUsed(async () => align(await archive.read(member), word)),
      );
    const storage: Storage = { dtype, nbytes, isBigEndian, read: reads.get(key)! };
    return new StorageValue(storage);
  };

  const { name, task } = file;
  const options = { file: name, builders: TORCH_BUILDERS, persistentLoad, task };
  return (await unpickle(pickle, options)).value;
}

async function readPickle(archive: ZipArchive, root: string): Promise<Uint8Array> {
  const member = archive.members.get(`${root}data.pkl`)!;
  const { size, packedSize } = member;
  if (size > FREE_PICKLE && size > MAX_PICKLE_RATIO * packedSize) {
    throw new CheckpointError(
      `its pickle claims ${size} bytes out of ${packedSize}: none is so repetitive`,
      { offset: member.header },
    );
  }
  return archive.read(member);
}

async function readByteOrder(archive: ZipArchive, root: string): Promise<boolean> {
  const order = await readText(archive, `${root}byteorder`);
  if (order === null || order === "little" || order === "big") return order === "big";
  throw new CheckpointError(`unknown byte order ${JSON.stringify(order.slice(0, 20))}`);
}

async function checkVersion(archive: ZipArchive, root: string): Promise<void> {
  const text = await readText(archive, `${root}version`);
  // As PyTorch parses it: what follows the digits is ignored.
  const version = parseInt(text ?? "", 10);
  if (text !== null && version >= 1 && version <= MAX_VERSION) return;
  throw new CheckpointError(
    text === null
      ? `the archive has no '${root}version', which every file of torch.save has`
      : `a PyTorch file with version ${text.trim().slice(0, 20)}; 1 to ${MAX_VERSION} are read`,
  );
}

async function readText(archive: ZipArchive, name: string): Promise<string | null> {
  const member = archive.members.get(name);
  return member ? new TextDecoder("latin1").decode(await archive.read(member)) : null;
}
