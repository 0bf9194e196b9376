/** Hugging Face's `*.index.json`, which lists which tensor is in which of the files beside it. */
import type { ByteSource } from "./byte-source.js";
import type { Checkpoint, LazyEntry } from "./checkpoint.js";
import { CheckpointError } from "./errors.js";
import { parseFlatJson } from "./header-json.js";
import { choose, list, type Wanted } from "./wanted.js";

/** The name of a tensor, and that of its shard. */
interface Place {
  key: string;
  name: string;
}

const MAX_INDEX = 100_000_000;

export async function openShards(
  file: ByteSource,
  wanted: Wanted,
  open: (shard: ByteSource) => Promise<Checkpoint>,
): Promise<Checkpoint> {
  const places = choose(await readIndex(file), wanted);
  const names = [...new Set([...places.values()].map(({ name }) => name))];
  // All tensors are located first, so that the total size is known before reading begins.
  file.task?.stopReporting();
  const sources = await Promise.all(names.map((name) => openBeside(file, name)));
  const opened = await Promise.all(sources.map(open));
  const shards = new Map(names.map((name, i) => [name, opened[i]!]));
  const entries = new Map<string, LazyEntry>();
  for (const [shown, { key, name }] of places) {
    const entry = shards.get(name)!.entries.get(key);
    if (entry === undefined) {
      const message = `the shard '${name}' has no '${key}', which the index says is there`;
      throw new CheckpointError(message, { file: file.name, key });
    }
    entries.set(shown, entry);
  }
  return { format: "shards", entries };
}

async function openBeside(file: ByteSource, name: string): Promise<ByteSource> {
  if (file.sibling === undefined) {
    const message =
      `an index of shards ('${name}' and others), which lie beside it: give its path or URL, ` +
      "not its bytes";
    throw new CheckpointError(message, { file: file.name });
  }
  try {
    return await file.sibling(name);
  } catch (cause) {
    if (!(cause instanceof CheckpointError)) throw cause;
    throw new CheckpointError(`its shard '${name}' cannot be opened: ${cause.message}`, {
      file: file.name,
      cause,
    });
  }
}

async function readIndex(file: ByteSource): Promise<Map<string, Place>> {
  const fail = (message: string): never => {
    throw new CheckpointError(`not an index of shards: ${message}`, { file: file.name });
  };
  if (file.size > MAX_INDEX) fail(`${file.size} bytes of JSON`);
  const bytes = await file.read(0, file.size);
  let json: unknown;
  try {
    json = parseFlatJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    fail(`it is not valid JSON: ${(error as Error).message}`);
  }
  const map = (json as { weight_map?: unknown }).weight_map;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    fail(
      `it has no weight_map, but ${list(Object.keys(json as object).map((name) => `'${name.slice(0, 60)}'`))}`,
    );
  }
  const places = new Map<string, Place>();
  for (const [key, name] of Object.entries(map as Record<string, unknown>)) {
    if (typeof name !== "string" || !isPlainName(name)) {
      return fail(`'${key}' is in ${JSON.stringify(name)}, which is no file name beside it`);
    }
    places.set(key, { key, name });
  }
  return places;
}

/** Whether a name has no folder in it, in any system's notation, and is not a URL. */
const isPlainName = (name: string): boolean =>
  name.length <= 255 && !/[/\\:%?#]|\p{Cc}/u.test(name) && !/^\.*$/.test(name.trim());
