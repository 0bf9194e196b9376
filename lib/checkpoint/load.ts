import type { Entry } from "./entry.js";
import { openCheckpoint } from "./formats.js";
import { type CheckpointInput, openSource } from "./source/open.js";

export interface LoadOptions {
  /** Takes only the tensors for which it gives true; the bytes of the others are not read. */
  filter?: (key: string) => boolean;
  /**
   * Where in the file of a trainer the state_dict is, dots between the steps: `"model"`,
   * `"ema.shadow"`. It is found without, unless there are several.
   */
  key?: string;
}

/**
 * Reads a checkpoint: key → entry, each in the file's own dtype, row-major. What format it is, its
 * bytes tell: `.safetensors`; what `torch.save` wrote, whichever version (`.pt`, `.pth`, `.bin`,
 * `.ckpt`); the parameters and buffers of a TorchScript archive; `.npz`; `.npy` (one entry, under the
 * key `array`); or an `*.index.json` of shards beside it. Nothing in a file is run: its pickles are
 * read as data.
 *
 * @param source a path, URL, File or Blob, Response, or bytes.
 * @throws CheckpointError, whatever is wrong with the file; nothing is half-loaded.
 */
export async function load(
  source: CheckpointInput,
  options: LoadOptions = {},
): Promise<Map<string, Entry>> {
  const { filter = () => true, key, ...unknown } = options;
  const [unexpected] = Object.keys(unknown);
  if (unexpected !== undefined) {
    throw new TypeError(
      `load got an unexpected option '${unexpected}'; known options: filter, key`,
    );
  }
  const file = await openSource(source);
  const checkpoint = await openCheckpoint(file, key);
  const entries = new Map<string, Entry>();
  for (const [name, entry] of checkpoint.entries) {
    if (filter(name)) entries.set(name, await entry.read());
  }
  return entries;
}
