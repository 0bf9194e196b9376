/**
 * What `torch.save` wrote in torch 0.1: a tar of pickles, where tensors are told by their ids.
 *
 * Source: `legacy_load` in https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
 */
import { type ByteSource, bytesSource } from "../byte-source.js";
import type { Checkpoint } from "../checkpoint.js";
import { CheckpointError } from "../errors.js";
import { unpickle } from "../pickle/machine.js";
import type { LoadTask } from "../task.js";
import { LazyTensor, type Storage } from "../tensor.js";
import type { Wanted } from "../wanted.js";
import { StorageValue, TORCH_BUILDERS } from "./rebuild.js";
import { checkpointOf } from "./state.js";
import { StorageRun, StorageView } from "./storage-run.js";
import { storageDtype } from "./storages.js";

const BLOCK = 512;

export async function openTorchTar(file: ByteSource, wanted: Wanted): Promise<Checkpoint> {
  const value = await readTorchTar(await file.read(0, file.size), file);
  return checkpointOf("torch tar", value, file, wanted);
}

/** The value that was saved. */
async function readTorchTar(bytes: Uint8Array, { name: file, task }: ByteSource): Promise<unknown> {
  const members = readMembers(bytes, file);
  const part = (name: string): Cursor => {
    const data = members.get(name);
    if (data !== undefined) return new Cursor(data, `${file}/${name}`, task);
    throw new CheckpointError(`a tar archive without '${name}': not one that PyTorch wrote`, {
      file,
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

function readMembers(bytes: Uint8Array, file: string): Map<string, Uint8Array> {
  const members = new Map<string, Uint8Array>();
  const text = (begin: number, length: number): string =>
    new TextDecoder("latin1").decode(bytes.subarray(begin, begin + length)).replace(/\0.*$/s, "");
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0;) {
    const size = parseInt(text(at + 124, 12).trim() || "0", 8);
    const begin = at + BLOCK;
    if (!(size >= 0) || begin + size > bytes.length) {
      throw new CheckpointError("the tar archive is cut off or damaged", { file, offset: at });
    }
    const kind = text(at + 156, 1);
    const isFile = kind === "" || kind === "0";
    if (isFile)
      members.set(text(at, 100).replace(/^\.\//, ""), bytes.subarray(begin, begin + size));
    at = begin + Math.ceil(size / BLOCK) * BLOCK;
  }
  return members;
}

/** A member that pickles and raw numbers follow each other in. */
class Cursor {
  at = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly file: string,
    private readonly task: LoadTask | undefined,
  ) {}

  async unpickle(persistentLoad?: (id: unknown) => unknown): Promise<unknown> {
    const { bytes, file, at, task } = this;
    const options = { file, builders: TORCH_BUILDERS, at, persistentLoad, task };
    const { value, end } = await unpickle(bytes, options);
    this.at = end;
    return value;
  }

  /** A pickled tuple, or list of tuples. */
  async unpickleArray(): Promise<unknown[]> {
    const value = await this.unpickle();
    return Array.isArray(value) ? (value as unknown[]) : this.fail("a tuple is missing");
  }

  async count(): Promise<number> {
    const value = await this.unpickle();
    return typeof value === "number" ? value : this.fail("a count is missing");
  }

  int64s(count: number): number[] {
    const begin = this.at;
    this.at += 8 * count;
    if (!(count >= 0) || this.at > this.bytes.length) this.fail("it is cut off");
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset);
    return Array.from({ length: count }, (_, i) => Number(view.getBigInt64(begin + 8 * i, true)));
  }

  /** The next one, which stays the next. */
  peekInt64(): number {
    const [value] = this.int64s(1) as [number];
    this.at -= 8;
    return value;
  }

  fail(problem: string): never {
    throw new CheckpointError(problem, { file: this.file, offset: this.at });
  }
}

async function readStorages(from: Cursor): Promise<Map<string, Storage>> {
  const roots = new Map<string, StorageRun>();
  const source = bytesSource(from.bytes, from.file);
  const count = await from.count();
  for (let i = 0; i < count; i += 1) {
    const [key, , type] = await from.unpickleArray();
    const numel = from.peekInt64();
    const storage = new StorageRun(storageDtype(type), numel);
    from.at = storage.place(source, from.at);
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

/** Storages and tensors, by their ids. */
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
    const ndim = from.int64s(1)[0]! % 2 ** 32;
    const shape = from.int64s(ndim);
    const stride = from.int64s(ndim);
    const [offset] = from.int64s(1) as [number];
    const dtype = storage.dtype ?? from.fail("a storage without a dtype");
    objects.set(String(key), new LazyTensor(storage, { dtype, shape, stride, offset }));
  }
  return objects;
}
