import { readOptions } from "../arguments.js";
import { prepareFor } from "./convert.js";
import type { Entry } from "./entry.js";
import { openCheckpoint } from "./formats.js";
import { type CheckpointInput, withSource } from "./source/open.js";
import { SOURCE_OPTIONS, type SourceOptions } from "./source/options.js";
import { checkWanted, type Wanted } from "./wanted.js";

export interface LoadOptions extends SourceOptions, Wanted {}

const OPTIONS = { filter: undefined, key: undefined, ...SOURCE_OPTIONS };

export async function load(
  source: CheckpointInput,
  options?: LoadOptions,
): Promise<Map<string, Entry>> {
  const { filter, key, ...opened } = readOptions<LoadOptions>("load", OPTIONS, options);
  checkWanted("load", { filter, key });
  const isWhole = filter === undefined && key === undefined;
  return withSource("load", source, { ...opened, isWhole }, async (file, task) => {
    const { entries } = await openCheckpoint(file, { filter, key });
    // All reads are started at once, so that adjacent ones are combined.
    const reads = [...entries].map(async ([name, lazy]): Promise<[string, Entry]> => {
      const entry = await lazy.read();
      task.complete(name);
      return [name, entry];
    });
    task.startReporting();
    const dtypes = [...entries.values()].map(({ dtype }) => dtype);
    const [read] = await Promise.all([Promise.all(reads), prepareFor(dtypes)]);
    return new Map(read);
  });
}
