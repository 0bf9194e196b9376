/**
 * Reading and writing checkpoints. The code for it is loaded on demand, so that a page that gets
 * its weights in another way never downloads it.
 */
import type { CachedFile } from "./cache/store.js";
import type { Entry } from "./entry.js";
import type { CheckpointInfo, InspectOptions } from "./inspect.js";
import type { LoadOptions } from "./load.js";
import { later } from "./later.js";
import type { SavableState, SaveOptions } from "./save.js";
import type { CheckpointInput } from "./source/open.js";

export type { ByteSource } from "./byte-source.js";
export type { CachedFile } from "./cache/store.js";
export type { Dtype } from "./dtype.js";
export type { Entry } from "./entry.js";
export { CheckpointError } from "./errors.js";
export type { CheckpointInfo, InspectOptions, TensorInfo } from "./inspect.js";
export type { LoadOptions } from "./load.js";
export type { SavableState, SavableTensor, SaveOptions } from "./save.js";
export type { CheckpointInput } from "./source/open.js";
export type { LoadProgress } from "./task.js";

const loader = /* @__PURE__ */ later(() => import("./load.js"));
const inspector = /* @__PURE__ */ later(() => import("./inspect.js"));

/**
 * Reads a checkpoint: key → entry, each in the file's own dtype, row-major. The format is
 * recognised by the bytes: `.safetensors`; files of `torch.save` of any version (`.pt`, `.pth`,
 * `.bin`, `.ckpt`); the parameters and buffers of a TorchScript archive; `.npz`; `.npy` (one entry,
 * under the key `array`); or an `*.index.json` with its shards beside it. Nothing in a file is
 * executed: pickles are read as data.
 *
 * A file from the web that is read completely is stored in `cache`, and downloaded again only if it
 * has changed. With a `filter` or `key`, range requests download only the tensors that are asked
 * for.
 *
 * @param source a path, URL, File or Blob, Response, or bytes.
 * @throws CheckpointError if anything is wrong with the file; if the signal fires, its reason.
 */
export async function load(
  source: CheckpointInput,
  options?: LoadOptions,
): Promise<Map<string, Entry>> {
  return (await loader()).load(source, options);
}

/**
 * Lists the contents of a checkpoint without reading its tensors: from the web, range requests
 * download only the headers.
 *
 * @param source a path, URL, File or Blob, Response, or bytes.
 * @throws CheckpointError if anything is wrong with the headers.
 */
export async function inspect(
  source: CheckpointInput,
  options?: InspectOptions,
): Promise<CheckpointInfo> {
  return (await inspector()).inspect(source, options);
}

/**
 * The bytes of a `.safetensors` file with a state_dict: `model.stateDict()`, or entries that `load`
 * returned, each in its own dtype. A tensor with two keys is written twice.
 *
 * @throws CheckpointError for dtypes that the format lacks: complex128, quantised tensors (unless a
 *   `dtype` is given), sparse ones.
 */
export async function save(
  state: SavableState,
  options?: SaveOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  return (await import("./save.js")).save(state, options);
}

/**
 * The cache of downloaded checkpoints: in browsers the Cache API's `sconce`; in Node a folder
 * (`$XDG_CACHE_HOME/sconce` or `~/.cache/sconce`; `~/Library/Caches/sconce` on macOS;
 * `%LOCALAPPDATA%\sconce\Cache` on Windows).
 */
export const cache = {
  /** The cached files, the newest first. */
  async list(): Promise<CachedFile[]> {
    return (await import("./cache/index.js")).list();
  },

  /** Deletes the file of a URL, or all files if none is given. Returns how many there were. */
  async delete(url?: string | URL): Promise<number> {
    return (await import("./cache/index.js")).remove(url);
  },

  /** The bytes of all files together. */
  async size(): Promise<number> {
    return (await import("./cache/index.js")).size();
  },
};
