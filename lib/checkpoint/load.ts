import type { Entry } from "./entry.js";
import { openCheckpoint } from "./formats.js";
import { type CheckpointInput, type OpenOptions, withSource } from "./source/open.js";
import type { TaskOptions } from "./task.js";

export interface LoadOptions extends TaskOptions, Pick<OpenOptions, "cache" | "integrity"> {
  /** Takes only the tensors for which it gives true; the bytes of the others are not read. */
  filter?: ((key: string) => boolean) | undefined;
  /**
   * Where in the file of a trainer the state_dict is, dots between the steps: `"model"`,
   * `"ema.shadow"`. It is found without, unless there are several.
   */
  key?: string | undefined;
}

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
  options: LoadOptions = {},
): Promise<Map<string, Entry>> {
  const { filter, key, cache, integrity, onProgress, signal, ...unknown } = options;
  const [unexpected] = Object.keys(unknown);
  if (unexpected !== undefined) {
    throw new TypeError(
      `load got an unexpected option '${unexpected}'; known options: ` +
        "filter, key, cache, integrity, onProgress, signal",
    );
  }
  const isWhole = filter === undefined && key === undefined;
  const opened = { cache, integrity, onProgress, signal, isWhole };
  return withSource(source, opened, async (file, task) => {
    const checkpoint = await openCheckpoint(file, key);
    const chosen = [...checkpoint.entries].filter(([name]) => filter?.(name) ?? true);
    // All are asked for at once, so that neighbours are read together.
    const read = chosen.map(async ([name, lazy]): Promise<[string, Entry]> => {
      const entry = await lazy.read();
      task.complete(name);
      return [name, entry];
    });
    task.startReporting();
    return new Map(await Promise.all(read));
  });
}
