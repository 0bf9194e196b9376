import type { ByteSource } from "../../checkpoint/byte-source.js";
import { prepareFor } from "../../checkpoint/convert.js";
import { type Dtype, isDtype, wordSize } from "../../checkpoint/dtype.js";
import type { Entry } from "../../checkpoint/entry.js";
import { CheckpointError } from "../../checkpoint/errors.js";
import { numelOf } from "../../checkpoint/sizes.js";
import { Allowance, LazyTensor, type Storage } from "../../checkpoint/tensor.js";
import { align } from "../../checkpoint/torch/while-used.js";
import type { ZipArchive, ZipMember } from "../../checkpoint/zip.js";
import { expectPayloads } from "./form.js";
import { readChecked } from "./json.js";
import type { Payloads } from "./open.js";
import { type PayloadJson, type PayloadsJson, SCALAR_TYPES, type SymJson } from "./schema.js";

/** Reads the tensors that a `…_config.json` lists; those in one member share its bytes. */
export async function readPayloads(
  file: ByteSource,
  archive: ZipArchive,
  folder: string,
  configPath: string,
): Promise<Payloads> {
  const text = new TextDecoder().decode(await archive.read(archive.members.get(configPath)!));
  const name = `${file.name}/${configPath}`;
  const { config } = readChecked<PayloadsJson>(text, name, expectPayloads);
  const refused = new Map<string, string>();
  const storages = new Map<string, Storage>();
  const allowance = new Allowance(file);
  // All reads are started at once, so that adjacent ones are combined.
  const entries = new Map<string, Promise<Entry>>();
  for (const [key, payload] of Object.entries(config)) {
    if (payload.use_pickle || !payload.tensor_meta) {
      refused.set(key, `a pickled object ('${payload.path_name}'), which is code and never run`);
      continue;
    }
    const read = async (): Promise<Entry> => {
      const tensor = describe(archive, folder, payload, storages);
      const [entry] = await Promise.all([
        tensor.toEntry(key, allowance),
        prepareFor([tensor.dtype]),
      ]);
      return entry;
    };
    const entry = keyed(file.name, key, read);
    entry.catch(() => undefined); // errors are reported to whoever waits for the entry
    entries.set(key, entry);
  }
  return { entries, refused };
}

/** Adds to an error the weight that it belongs to. */
async function keyed<T>(file: string, key: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof CheckpointError)) throw cause;
    const { offset } = cause;
    throw new CheckpointError(cause.message.replace(`${file}: `, ""), { file, offset, key, cause });
  }
}

function describe(
  archive: ZipArchive,
  folder: string,
  { path_name: path, tensor_meta: meta }: PayloadJson,
  storages: Map<string, Storage>,
): LazyTensor {
  const dtype = SCALAR_TYPES[meta!.dtype];
  if (dtype === undefined || !isDtype(dtype)) {
    throw new CheckpointError(`the weight '${path}' is of dtype number ${meta!.dtype}`);
  }
  const layout = SPARSE[meta!.layout];
  if (layout !== undefined) throw new CheckpointError(`the weight '${path}' is ${layout}`);
  const shape = meta!.sizes.map(fixed);
  let storage = storages.get(path);
  if (storage === undefined) {
    const member = archive.members.get(folder + path);
    if (member === undefined) throw new CheckpointError(`the archive has no '${folder}${path}'`);
    storage = openStorage(archive, member, dtype);
    storages.set(path, storage);
  }
  // For an empty tensor PyTorch writes no bytes, whatever its strides.
  const stride = numelOf(shape) === 0 ? shape.map(() => 0) : meta!.strides.map(fixed);
  return new LazyTensor(storage, { dtype, shape, stride, offset: fixed(meta!.storage_offset) });
}

const SPARSE: Readonly<Record<number, string>> = {
  ...{ 1: "sparse", 2: "sparse CSR", 3: "sparse CSC", 4: "sparse BSR", 5: "sparse BSC" },
};

function fixed(size: SymJson): number {
  if (typeof size.as_int === "number") return size.as_int;
  throw new CheckpointError("a weight whose size is not fixed");
}

/** A member is read only once; if it is aligned, the bytes of the file are used without a copy. */
function openStorage(archive: ZipArchive, member: ZipMember, dtype: Dtype): Storage {
  let bytes: Promise<Uint8Array> | undefined;
  const read = async (): Promise<Uint8Array> => align(await archive.read(member), wordSize(dtype));
  return { dtype, nbytes: member.size, read: () => (bytes ??= read()) };
}
