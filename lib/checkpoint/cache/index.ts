/** The cache of downloaded files, by their URL and version. */
import { type FileVersion, hasChanged } from "../source/answers.js";
import { CheckpointError } from "../errors.js";
import { digest } from "../source/integrity.js";
import { isNode } from "../node.js";
import type { LoadTask } from "../task.js";
import { FolderStore } from "./folder.js";
import { PageStore } from "./pages.js";
import { type CachedFile, type CacheRecord, type CacheStore, toCachedFile } from "./store.js";

/** The platform's store; null if there is none: pages not served by https have none. */
function openStore(): CacheStore | null {
  if (isNode) return new FolderStore();
  return typeof caches === "object" && typeof crypto.subtle === "object" ? new PageStore() : null;
}

/**
 * The bytes cached for a URL, if they are complete and of the given version (null: of any version).
 */
export async function readCached(
  url: string,
  version: FileVersion | null,
  task: LoadTask,
): Promise<Uint8Array | null> {
  // A failing cache is treated as an empty one.
  const store = openStore();
  const record = (await store?.find(url).catch(() => null)) ?? null;
  if (!store || !record || (version && hasChanged(record, version))) return null;
  const bytes = await store.read(record, task).catch(() => null);
  if (bytes !== null && (await digest("sha256", bytes, task)) === record.sha256) return bytes;
  task.signal.throwIfAborted();
  await store.remove(record).catch(() => undefined);
  return null;
}

/**
 * Stores a file. Fails silently if there is no room or no permission, because the load has
 * succeeded.
 */
export async function writeCached(
  url: string,
  version: FileVersion,
  bytes: Uint8Array,
  task: LoadTask,
): Promise<void> {
  const store = openStore();
  if (!store) return;
  const sha256 = await digest("sha256", bytes, task);
  const record: CacheRecord = {
    ...{ url, size: bytes.length, sha256, savedAt: Date.now() },
    ...version,
  };
  await store.write(record, bytes).catch(() => undefined);
}

/** The cached files, the newest first. */
export async function list(): Promise<CachedFile[]> {
  const records = (await openStore()?.records()) ?? [];
  return records.sort((a, b) => b.savedAt - a.savedAt).map(toCachedFile);
}

/** Deletes the file of a URL, or all files if none is given. Returns how many there were. */
export async function remove(url?: string | URL): Promise<number> {
  const key = url === undefined ? undefined : toKey(url);
  const store = openStore();
  const records = (await store?.records()) ?? [];
  const chosen = records.filter((record) => key === undefined || record.url === key);
  for (const record of chosen) await store!.remove(record);
  if (key === undefined) await store?.clear();
  return chosen.length;
}

/** The bytes of all files together. */
export async function size(): Promise<number> {
  const records = (await openStore()?.records()) ?? [];
  return records.reduce((sum, { size }) => sum + size, 0);
}

/**
 * The key of a URL in the cache: absolute, without the fragment.
 *
 * @throws CheckpointError if it is not a URL.
 */
export function toKey(url: string | URL): string {
  const base = typeof document === "object" ? document.baseURI : globalThis.location?.href;
  let absolute: URL;
  try {
    absolute = new URL(url, base);
  } catch (cause) {
    throw new CheckpointError("is not a URL", { file: String(url), cause });
  }
  absolute.hash = "";
  return absolute.href;
}
