/**
 * The cache in browsers: the Cache API, whose `put` replaces an entry completely or not at all,
 * whatever other tabs do.
 */
import { openBlob } from "../source/blob.js";
import { readWhole } from "../source/whole.js";
import type { LoadTask } from "../task.js";
import { type CacheRecord, type CacheStore, parseRecord } from "./store.js";

const NAME = "sconce";
/** A header with the record; headers are ASCII. */
const HEADER = "x-sconce-record";

export class PageStore implements CacheStore {
  async records(): Promise<CacheRecord[]> {
    const cache = await caches.open(NAME);
    const requests = await cache.keys();
    const records = await Promise.all(requests.map(({ url }) => this.find(url)));
    return records.filter((record) => record !== null);
  }

  async find(url: string): Promise<CacheRecord | null> {
    return recordOf(await this.match(url));
  }

  async read({ url, sha256 }: CacheRecord, task: LoadTask): Promise<Uint8Array | null> {
    const response = await this.match(url);
    if (recordOf(response)?.sha256 !== sha256) return null;
    try {
      // A blob is on disk; reading it in parts takes half as long as reading it at once.
      const file = openBlob(await response!.blob(), task, url);
      return await readWhole(file);
    } catch {
      return null;
    }
  }

  async write(record: CacheRecord, bytes: Uint8Array): Promise<void> {
    const headers = { [HEADER]: encodeURIComponent(JSON.stringify(record)) };
    const cache = await caches.open(NAME);
    await cache.put(record.url, new Response(bytes as Uint8Array<ArrayBuffer>, { headers }));
  }

  async remove({ url }: CacheRecord): Promise<void> {
    await (await caches.open(NAME)).delete(url);
  }

  async clear(): Promise<void> {
    await caches.delete(NAME);
  }

  private async match(url: string): Promise<Response | undefined> {
    return (await caches.open(NAME)).match(url, { ignoreVary: true });
  }
}

function recordOf(response: Response | undefined): CacheRecord | null {
  const text = response?.headers.get(HEADER);
  return text ? parseRecord(decodeURIComponent(text)) : null;
}
