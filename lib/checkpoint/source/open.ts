/** Opens sources of all kinds. */
import { type ByteSource, bytesSource } from "../byte-source.js";
import { readCached, toKey, writeCached } from "../cache/index.js";
import { CheckpointError } from "../errors.js";
import { later } from "../later.js";
import { isNode } from "../node.js";
import { LoadTask } from "../task.js";
import { openBlob } from "./blob.js";
import { readResponse } from "./collect.js";
import { HttpFile, Unreachable } from "./http.js";
import { isBlob, isBytes, isLocation, isResponse, checkInput, toBytes } from "./input.js";
import { checkIntegrity } from "./integrity.js";
import { openBytes, openCustom } from "./memory.js";
import { checkSourceOptions, type SourceOptions } from "./options.js";
import { readWhole, wholeSource } from "./whole.js";

/** A source of a checkpoint. */
export type CheckpointInput =
  string | URL | Blob | Response | ArrayBuffer | ArrayBufferView | ByteSource;

export interface OpenOptions extends Pick<SourceOptions, "cache" | "integrity"> {
  /** Whether all of it will be read. */
  isWhole?: boolean;
}

/** Not needed by pages. */
const paths = later(() => import("./path.js"));

/** Larger files are not held as one array. */
const MAX_WHOLE = 2 ** 31 - 1;

/**
 * Opens a path, URL, File or Blob, Response, or bytes, calls `read` with it, and closes it. `where`
 * is the name of the caller, for messages.
 */
export async function withSource<T>(
  where: string,
  input: CheckpointInput,
  options: SourceOptions & OpenOptions,
  read: (file: ByteSource, task: LoadTask) => Promise<T>,
): Promise<T> {
  checkInput(where, input);
  checkSourceOptions(where, options);
  const task = new LoadTask(options);
  return task.run(async () => read(await openSource(input, task, options), task));
}

async function openSource(
  input: CheckpointInput,
  task: LoadTask,
  options: OpenOptions,
): Promise<ByteSource> {
  const { integrity } = options;
  const source = await openInput(input, task, options);
  if (integrity === undefined) return source;
  const bytes = await readWhole(source);
  await checkIntegrity(bytes, integrity, source.name, task);
  return bytesSource(bytes, source.name, source);
}

async function openInput(
  input: CheckpointInput,
  task: LoadTask,
  options: OpenOptions,
): Promise<ByteSource> {
  if (isBytes(input)) return openBytes(toBytes(input), task);
  if (isBlob(input)) return openBlob(input, task);
  if (isResponse(input)) return openResponse(input, task, options);
  if (isLocation(input)) return openLocation(input, task, options);
  return openCustom(input, task);
}

async function openLocation(
  location: string | URL,
  task: LoadTask,
  options: OpenOptions,
): Promise<ByteSource> {
  const text = String(location);
  if (/^(blob|data):/i.test(text)) {
    const response = await fetch(location, { signal: task.signal }).catch((cause: unknown) => {
      task.signal.throwIfAborted();
      const file = text.length > 60 ? `${text.slice(0, 60)}…` : text;
      throw new CheckpointError("is not a URL that can be read any more", { file, cause });
    });
    const name = text.startsWith("data:") ? "<data>" : text;
    return bytesSource(await readResponse(response, task, name), name, { task });
  }
  const [, scheme] = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text) ?? [];
  if (scheme !== undefined && !/^(https?|file)$/i.test(scheme)) {
    throw new CheckpointError(`${scheme}: URLs are not read; https: ones are`, { file: text });
  }
  if (!isNode && scheme?.toLowerCase() === "file") {
    const message = 'pages read no file: URLs; let the user choose the file (<input type="file">)';
    throw new CheckpointError(message, { file: text });
  }
  if (isNode && !/^https?:/i.test(text)) {
    const { openPath, toPath } = await paths();
    return openPath(toPath(location), task, options.isWhole);
  }
  return openUrl(toKey(location), task, options);
}

async function openResponse(
  response: Response,
  task: LoadTask,
  options: OpenOptions,
): Promise<ByteSource> {
  const name = response.url || "<response>";
  const bytes = await readResponse(response, task, name);
  if (!response.url) return bytesSource(bytes, name, { task });
  return bytesSource(bytes, name, { task, sibling: siblingOf(response.url, task, options) });
}

/** Opens a shard, which is beside its index, with the same options. */
function siblingOf(url: string, task: LoadTask, options: OpenOptions): ByteSource["sibling"] {
  const beside = (name: string): string => {
    const sibling = new URL(encodeURIComponent(name), url);
    // A signature or version in the query of the index's URL applies to the shards too.
    sibling.search = new URL(url).search;
    return sibling.href;
  };
  return (name) => openUrl(beside(name), task, { ...options, integrity: undefined });
}

async function openUrl(url: string, task: LoadTask, options: OpenOptions): Promise<ByteSource> {
  const { cache = true, integrity, isWhole = true } = options;
  const more = { task, sibling: siblingOf(url, task, options) };
  const file = new HttpFile(url, task, cache === "reload" ? "reload" : "default");
  let version;
  try {
    version = await file.connect();
  } catch (error) {
    // Without a connection, a cached file is better than none.
    const isOffline = cache === true && error instanceof Unreachable;
    const kept = isOffline ? await readCached(url, null, task) : null;
    if (kept) return bytesSource(kept, url, more);
    throw error;
  }
  const isKnown = version.etag !== null || version.lastModified !== null;
  const kept = cache === true && isKnown ? await readCached(url, version, task) : null;
  if (kept) {
    file.discard();
    return bytesSource(kept, url, more);
  }
  const source = await file.open(more.sibling);
  const isPart = !isWhole && integrity === undefined;
  if (isPart || source.size > MAX_WHOLE) return source;
  const keep = (bytes: Uint8Array): void =>
    task.onSuccess(() => writeCached(url, version, bytes, task));
  // A file in one piece takes the fewest requests.
  return wholeSource(source, cache !== false && isKnown ? keep : undefined);
}
