/** The files that `load` fetched before: found again by their URL and edition. */
import { type FileVersion, hasChanged } from "../source/answers.js";
import { CheckpointError } from "../errors.js";
import { digest } from "../source/integrity.js";
import { isNode } from "../node.js";
import type { LoadTask } from "../task.js";
import { FolderStore } from "./folder.js";
import { PageStore } from "./pages.js";
import { type CachedFile, type CacheRecord, type CacheStore, toCachedFile } from "./store.js";

/** Null where there is none: pages that are not served by https have no storage of this kind. */
function openStore(): CacheStore | null {
  if (isNode) return new FolderStore();
  return typeof caches === "object" && typeof crypto.subtle === "object" ? new PageStore() : null;
}

/** The bytes kept for a URL, if they are whole and of this edition (null: whatever edition). */
export async function readCached(
  url: string,
  version: FileVersion | null,
  task: LoadTask,
): Promise<Uint8Array | null> {
  // A cache that fails is as good as none.
  const store = openStore();
  const record = (await store?.find(url).catch(() => null)) ?? null;
  if (!store || !record || (version && hasChanged(record, version))) return null;
  const bytes = await store.read(record, task).catch(() => null);
  if (bytes !== null && (await digest("sha256", bytes, task)) === record.sha256) return bytes;
  task.signal.throwIfAborted();
  await store.remove(record).catch(() => undefined);
  return null;
}

/** Keeps a file. Nothing is said if there is no room or no permission: the load has succeeded. */
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

/** The files of the cache, the newest first. */
export async function list(): Promise<CachedFile[]> {
  const records = (await openStore()?.records()) ?? [];
  return records.sort((a, b) => b.savedAt - a.savedAt).map(toCachedFile);
}

/** Deletes the file of a URL; without one, all. Gives how many there were. */
export async function remove(url?: string | URL): Promise<number> {
  const key = url === undefined ? undefined : toKey(url);
  const store = openStore();
  const records = (await store?.records()) ?? [];
  const chosen = records.filter((record) => key === undefined || record.url === key);
  for (const record of chosen) await store!.remove(record);
  if (key === undefined) await store?.clear();
  return chosen.length;
}

/** Bytes that all files take. */
export async function size(): Promise<number> {
  const records = (await openStore()?.records()) ?? [];
  return records.reduce((sum, { size }) => sum + size, 0);
}

/**
 * A URL as the cache calls it: absolute, without the fragment.
 *
 * @throws CheckpointError if it is none.
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
