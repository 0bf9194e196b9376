/** What `torch.save` wrote before 1.6: five pickles, then the storages one after another. */
import type { ByteSource } from "../byte-source.js";
import type { Checkpoint } from "../checkpoint.js";
import { CheckpointError } from "../errors.js";
import { unpickle } from "../pickle/machine.js";
import type { Storage } from "../tensor.js";
import { StorageValue, TORCH_BUILDERS } from "./rebuild.js";
import { checkpointOf } from "./state.js";
import { storageDtype, storageItemSize } from "./storages.js";
import { align } from "./zip.js";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/** A storage whose bytes are known only after the pickle that speaks of it. */
export class LegacyStorage implements Storage {
  readonly itemSize: number;
  readonly nbytes: number;
  private bytes: Uint8Array | undefined;

  constructor(
    readonly dtype: Storage["dtype"],
    numel: number,
    private readonly file: string,
  ) {
    this.itemSize = storageItemSize(dtype);
    this.nbytes = numel * this.itemSize;
  }

  read(): Promise<Uint8Array> {
    if (this.bytes === undefined) {
      const message = "a storage that its tensors name is not there";
      return Promise.reject(new CheckpointError(message, { file: this.file }));
    }
    this.bytes = align(this.bytes);
    return Promise.resolve(this.bytes);
  }

  /** Takes its bytes, the count of its elements before them. Gives where they end. */
  fill(bytes: Uint8Array, at: number): number {
    const place = { file: this.file, offset: at };
    const begin = at + 8;
    if (begin > bytes.length) throw new CheckpointError("a storage is cut off", place);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = Number(view.getBigInt64(at, true)) * this.itemSize;
    if (size !== this.nbytes) {
      const message = `a storage has ${size} bytes, but should have ${this.nbytes}`;
      throw new CheckpointError(message, place);
    }
    if (begin + size > bytes.length) throw new CheckpointError("a storage is cut off", place);
    this.bytes = bytes.subarray(begin, begin + size);
    return begin + size;
  }
}

/** A part of another storage, as torch 0.x shared them. */
export class StorageView implements Storage {
  readonly dtype: Storage["dtype"];
  readonly nbytes: number;
  private readonly begin: number;
  private bytes: Promise<Uint8Array> | undefined;

  constructor(
    private readonly root: LegacyStorage,
    offset: unknown,
    numel: unknown,
  ) {
    this.dtype = root.dtype;
    this.begin = Number(offset) * root.itemSize;
    this.nbytes = Number(numel) * root.itemSize;
    const isInside = this.begin >= 0 && this.nbytes >= 0 && this.begin + this.nbytes <= root.nbytes;
    if (!isInside) throw new CheckpointError("a part of a storage lies outside it");
  }

  read(): Promise<Uint8Array> {
    this.bytes ??= this.root
      .read()
      .then((bytes) => align(bytes.subarray(this.begin, this.begin + this.nbytes)));
    return this.bytes;
  }
}

export const looksLikePickle = (head: Uint8Array): boolean => head[0] === 0x80;

export async function openLegacy(file: ByteSource, key: string | undefined): Promise<Checkpoint> {
  const value = readLegacy(await file.read(0, file.size), file);
  return checkpointOf("torch legacy", value, file, key);
}

/** The value that was saved. */
function readLegacy(bytes: Uint8Array, { name: file }: ByteSource): unknown {
  const storages = new Map<string, LegacyStorage>();
  const options = { file, builders: TORCH_BUILDERS };
  let at = 0;
  const next = (persistentLoad?: (id: unknown) => unknown): unknown => {
    const { value, end } = unpickle(bytes, {
      ...options,
      at,
      ...(persistentLoad && { persistentLoad }),
    });
    at = end;
    return value;
  };

  if (next() !== MAGIC) {
    throw new CheckpointError("a pickle, but not one that torch.save wrote", { file, offset: 0 });
  }
  const protocol = next();
  if (protocol !== PROTOCOL) {
    throw new CheckpointError(`PyTorch's format ${String(protocol)}; ${PROTOCOL} is read`, {
      file,
    });
  }
  next(); // The machine that wrote it; storages are little-endian whatever it was.
  const value = next((id) => storageOf(id, storages, file));
  const keys = next();
  if (!Array.isArray(keys)) throw new CheckpointError("the list of storages is missing", { file });
  for (const key of keys as unknown[]) {
    const storage = storages.get(String(key));
    if (storage === undefined) {
      throw new CheckpointError(`a storage '${String(key)}' that no tensor uses`, { file });
    }
    at = storage.fill(bytes, at);
  }
  return value;
}

/** A whole module is saved with its source, as ("module", class, …), a storage with its view. */
function storageOf(id: unknown, storages: Map<string, LegacyStorage>, file: string): unknown {
  const [kind, type, key, , numel, view] = Array.isArray(id) ? (id as unknown[]) : [];
  if (kind === "module") return type;
  if (kind !== "storage" || !Number.isSafeInteger(numel) || (numel as number) < 0) {
    throw new CheckpointError("a persistent id that is no storage");
  }
  const dtype = storageDtype(type);
  const name = String(key);
  const storage = storages.get(name) ?? new LegacyStorage(dtype, numel as number, file);
  storages.set(name, storage);
  if (storage.dtype !== dtype || storage.nbytes !== (numel as number) * storage.itemSize) {
    throw new CheckpointError(`the storage '${name}' is named with two dtypes or sizes`);
  }
  if (!Array.isArray(view)) return new StorageValue(storage);
  const [, offset, size] = view as unknown[];
  return new StorageValue(new StorageView(storage, offset, size));
}
