/** The format of `torch.save` before 1.6: five pickles, then the storages one after another. */
import { type ByteSource } from "../byte-source.js";
import type { Checkpoint } from "../checkpoint.js";
import { CheckpointError } from "../errors.js";
import { CutOffError, unpickle } from "../pickle/machine.js";
import type { Wanted } from "../wanted.js";
import { StorageValue, TORCH_BUILDERS } from "./rebuild.js";
import { checkpointOf } from "./state.js";
import { StorageRun, StorageView } from "./storage-run.js";
import { storageDtype } from "./storages.js";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/**
 * The size of the first read. Pickles do not contain their length; those of most models are
 * shorter.
 */
const FIRST_READ = 2 ** 18;

export async function openLegacy(file: ByteSource, wanted: Wanted): Promise<Checkpoint> {
  const { value, keys, storages, end } = await readHeader(file);
  let at = end;
  file.alignAt?.(at);
  for (const name of keys) {
    const storage = storages.get(String(name));
    if (storage === undefined) {
      throw new CheckpointError(`a storage '${String(name)}' that no tensor uses`, { offset: at });
    }
    at = storage.place(file, at);
  }
  return checkpointOf("torch legacy", value, file, wanted);
}

interface Header {
  value: unknown;
  /** The keys of the storages in the order in which they follow. */
  keys: unknown[];
  storages: ReadonlyMap<string, StorageRun>;
  end: number;
}

/** Reads more until the pickles are complete. */
async function readHeader(file: ByteSource): Promise<Header> {
  for (let length = FIRST_READ; ; length *= 8) {
    const bytes = await file.read(0, Math.min(length, file.size));
    try {
      return await parseHeader(bytes, file);
    } catch (error) {
      if (!(error instanceof CutOffError) || bytes.length === file.size) throw error;
    }
  }
}

async function parseHeader(bytes: Uint8Array, { name, task }: ByteSource): Promise<Header> {
  let at = 0;
  const next = async (persistentLoad?: (id: unknown) => unknown): Promise<unknown> => {
    const options = { file: name, builders: TORCH_BUILDERS, at, persistentLoad, task };
    const { value, end } = await unpickle(bytes, options);
    at = end;
    return value;
  };

  if ((await next()) !== MAGIC) {
    throw new CheckpointError("a pickle, but not one that torch.save wrote", { offset: 0 });
  }
  const protocol = await next();
  if (protocol !== PROTOCOL) {
    throw new CheckpointError(`PyTorch's format ${String(protocol)}; ${PROTOCOL} is read`);
  }
  await next(); // the machine that wrote the file; storages are little-endian in any case
  const storages = new Map<string, StorageRun>();
  const value = await next((id) => storageOf(id, storages));
  const keys = await next();
  if (!Array.isArray(keys)) throw new CheckpointError("the list of storages is missing");
  return { value, keys: keys as unknown[], storages, end: at };
}

/**
 * The value of a persistent id: ("module", class, …) for a whole module, saved with its source, or
 * a storage, perhaps a view.
 */
function storageOf(id: unknown, storages: Map<string, StorageRun>): unknown {
  const [kind, type, key, , numel, view] = Array.isArray(id) ? (id as unknown[]) : [];
  if (kind === "module") return type;
  if (kind !== "storage" || !Number.isSafeInteger(numel) || (numel as number) < 0) {
    throw new CheckpointError("a persistent id that is no storage");
  }
  const dtype = storageDtype(type);
  const name = String(key);
  const storage = storages.get(name) ?? new StorageRun(dtype, numel as number);
  storages.set(name, storage);
  if (storage.dtype !== dtype || storage.nbytes !== (numel as number) * storage.itemSize) {
    throw new CheckpointError(`the storage '${name}' is named with two dtypes or sizes`);
  }
  if (!Array.isArray(view)) return new StorageValue(storage);
  const [, offset, size] = view as unknown[];
  return new StorageValue(new StorageView(storage, offset, size));
}
