/**
 * Reading and writing checkpoints. What does it is loaded when it is called, so that a page that has
 * its weights from elsewhere never fetches it.
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
 * Reads a checkpoint: key → entry, each in the file's own dtype, row-major. What format it is, its
 * bytes tell: `.safetensors`; what `torch.save` wrote, whichever version (`.pt`, `.pth`, `.bin`,
 * `.ckpt`); the parameters and buffers of a TorchScript archive; `.npz`; `.npy` (one entry, under the
 * key `array`); or an `*.index.json` of shards beside it. Nothing in a file is run: its pickles are
 * read as data.
 *
 * From the web, a file that is read whole is kept in `cache` and asked for again only if it has
 * changed; with a `filter` or `key`, range requests fetch only what is asked for.
 *
 * @param source a path, URL, File or Blob, Response, or bytes.
 * @throws CheckpointError, whatever is wrong with the file; nothing is half-loaded. If the signal
 *   fires, its reason.
 */
export async function load(
  source: CheckpointInput,
  options?: LoadOptions,
): Promise<Map<string, Entry>> {
  return (await loader()).load(source, options);
}

/**
 * What is in a checkpoint, without reading its tensors: from the web, range requests fetch the
 * headers alone.
 *
 * @param source a path, URL, File or Blob, Response, or bytes.
 * @throws CheckpointError, whatever is wrong with the headers.
 */
export async function inspect(
  source: CheckpointInput,
  options?: InspectOptions,
): Promise<CheckpointInfo> {
  return (await inspector()).inspect(source, options);
}

/**
 * The bytes of a `.safetensors` file that holds a state_dict: `model.stateDict()`, or the entries
 * that `load` gave, each in its own dtype. A tensor that has two keys is written under both.
 *
 * @throws CheckpointError for what the format has no dtype for: complex128, quantised tensors unless
 *   a `dtype` is given, sparse ones.
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
  /** The files in it, the newest first. */
  async list(): Promise<CachedFile[]> {
    return (await import("./cache/index.js")).list();
  },

  /** Deletes the file of a URL; without one, all. Gives how many there were. */
  async delete(url?: string | URL): Promise<number> {
    return (await import("./cache/index.js")).remove(url);
  },

  /** Bytes that its files take. */
  async size(): Promise<number> {
    return (await import("./cache/index.js")).size();
  },
};
