/**
 * The format of `torch.save` in torch 0.1: a tar of pickles, in which tensors have ids.
 *
 * Source: `legacy_load` in https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
 */
import type { ByteSource } from "../byte-source.js";
import type { Checkpoint } from "../checkpoint.js";
import { CheckpointError } from "../errors.js";
import { LazyTensor, type Storage } from "../tensor.js";
import type { Wanted } from "../wanted.js";
import { Cursor } from "./cursor.js";
import { StorageValue } from "./rebuild.js";
import { checkpointOf } from "./state.js";
import { StorageRun, StorageView } from "./storage-run.js";
import { storageDtype } from "./storages.js";

const BLOCK = 512;

/** PyTorch writes four members, and an endless tar would take long to read. */
const MAX_MEMBERS = 64;

export async function openTorchTar(file: ByteSource, wanted: Wanted): Promise<Checkpoint> {
  return checkpointOf("torch tar", await readTorchTar(file), file, wanted);
}

/** The saved value. */
async function readTorchTar(file: ByteSource): Promise<unknown> {
  const members = await readMembers(file);
  const part = (name: string): Cursor => {
    const place = members.get(name);
    if (place !== undefined) return new Cursor(file, place.begin, place.end);
    throw new CheckpointError(`a tar archive without '${name}': not one that PyTorch wrote`, {
      file: file.name,
    });
  };
  const storages = await readStorages(part("storages"));
  const objects = await readTensors(part("tensors"), storages);
  return part("pickle").unpickle((id) => {
    if (Array.isArray(id)) return (id as unknown[])[0];
    const object = objects.get(String(id));
    if (object !== undefined) return object;
    throw new CheckpointError(`the persistent id '${String(id)}' is no tensor of this file`);
  });
}

/** The position of a member's bytes. */
interface Place {
  begin: number;
  end: number;
}

async function readMembers(file: ByteSource): Promise<Map<string, Place>> {
  const members = new Map<string, Place>();
  for (let at = 0; at + BLOCK <= file.size && members.size < MAX_MEMBERS;) {
    const block = await file.read(at, at + BLOCK);
    if (block[0] === 0) break;
    const text = (begin: number, length: number): string =>
      new TextDecoder("latin1").decode(block.subarray(begin, begin + length)).replace(/\0.*$/s, "");
    const size = parseInt(text(124, 12).trim() || "0", 8);
    const begin = at + BLOCK;
    if (!(size >= 0) || begin + size > file.size) {
      throw new CheckpointError("the tar archive is cut off or damaged", {
        ...{ file: file.name, offset: at },
      });
    }
    const kind = text(156, 1);
    const isFile = kind === "" || kind === "0";
    // Entries that are not files count too.
    const name = isFile ? text(0, 100).replace(/^\.\//, "") : `${at}/`;
    members.set(name, { begin, end: begin + size });
    at = begin + Math.ceil(size / BLOCK) * BLOCK;
  }
  return members;
}

async function readStorages(from: Cursor): Promise<Map<string, Storage>> {
  const roots = new Map<string, StorageRun>();
  const count = await from.count();
  for (let i = 0; i < count; i += 1) {
    const [key, , type] = await from.unpickleArray();
    const [numel] = (await from.peekInt64s(1)) as [number];
    const storage = new StorageRun(storageDtype(type), numel);
    from.at = storage.place(from.file, from.at);
    roots.set(String(key), storage);
  }
  const storages = new Map<string, Storage>(roots);
  for (const view of await from.unpickleArray()) {
    const [key, root, offset, numel] = Array.isArray(view) ? (view as unknown[]) : [];
    const storage = roots.get(String(root)) ?? from.fail(`a part of no storage`);
    storages.set(String(key), new StorageView(storage, offset, numel));
  }
  return storages;
}

/** Reads storages and tensors, by their ids. */
async function readTensors(
  from: Cursor,
  storages: Map<string, Storage>,
): Promise<Map<string, LazyTensor | StorageValue>> {
  const objects = new Map<string, LazyTensor | StorageValue>();
  for (const [key, storage] of storages) objects.set(key, new StorageValue(storage));
  const count = await from.count();
  for (let i = 0; i < count; i += 1) {
    const [key, storageKey] = await from.unpickleArray();
    const storage = storages.get(String(storageKey)) ?? from.fail("a tensor without its storage");
    const [dims] = (await from.int64s(1)) as [number];
    const ndim = dims % 2 ** 32;
    const shape = await from.int64s(ndim);
    const stride = await from.int64s(ndim);
    const [offset] = (await from.int64s(1)) as [number];
    const dtype = storage.dtype ?? from.fail("a storage without a dtype");
    objects.set(String(key), new LazyTensor(storage, { dtype, shape, stride, offset }));
  }
  return objects;
}
