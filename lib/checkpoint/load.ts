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
