/**
 * The cache in Node: a folder with two files for each URL, the bytes and a record.
 *
 * Both are written under temporary names and then renamed, the bytes first, and the name of the
 * bytes contains their hash. So even with several processes at once, a record always refers to
 * complete bytes.
 */
import { node } from "../node.js";
import { readWhole } from "../source/whole.js";
import type { LoadTask } from "../task.js";
import { type CacheRecord, type CacheStore, parseRecord } from "./store.js";

/** The system's folder for caches: XDG on Linux, the usual places on macOS and Windows. */
export function cacheFolder(): string {
  const { env, platform } = process;
  const path = node.path();
  const join = (...parts: string[]): string => path.join(...parts);
  const home = node.os().homedir();
  const xdg = env.XDG_CACHE_HOME;
  // The standard says that relative paths in it must be ignored.
  if (xdg && path.isAbsolute(xdg)) return join(xdg, "sconce");
  if (platform === "darwin") return join(home, "Library", "Caches", "sconce");
  if (platform === "win32") {
    return join(env.LOCALAPPDATA ?? join(home, "AppData", "Local"), "sconce", "Cache");
  }
  return join(home, ".cache", "sconce");
}

const sha256 = (text: string): string =>
  node.crypto().createHash("sha256").update(text).digest("hex");

const recordName = (url: string): string => `${sha256(url).slice(0, 32)}.json`;

/** Named by URL and content, so that the bytes of other URLs are never overwritten. */
const bytesName = ({ url, sha256: hash }: CacheRecord): string =>
  `${sha256(url).slice(0, 32)}-${sha256(hash).slice(0, 16)}.bin`;

/** The names of records, of bytes, and of temporary files. */
const OURS = /^[0-9a-f]{32}(\.json|-[0-9a-f]{16}\.bin)(\.[\d-]+\.part)?$/;

/** Temporary files older than a day (in milliseconds) are abandoned: no write takes that long. */
const ABANDONED = 24 * 60 * 60 * 1000;

let written = 0;

export class FolderStore implements CacheStore {
  constructor(private readonly folder = cacheFolder()) {}

  async records(): Promise<CacheRecord[]> {
    const records = (await this.names())
      .filter((name) => name.endsWith(".json"))
      .map((name) => this.readRecord(name));
    return (await Promise.all(records)).filter((record) => record !== null);
  }

  async find(url: string): Promise<CacheRecord | null> {
    const record = await this.readRecord(recordName(url));
    return record?.url === url ? record : null;
  }

  async read(record: CacheRecord, task: LoadTask): Promise<Uint8Array | null> {
    try {
      const { openPath } = await import("../source/path.js"); // not for pages
      const file = await openPath(this.path(bytesName(record)), task);
      return file.size === record.size ? await readWhole(file) : null;
    } catch {
      return null;
    }
  }

  async write(record: CacheRecord, bytes: Uint8Array): Promise<void> {
    await node.fs().mkdir(this.folder, { recursive: true });
    await this.sweep();
    const before = await this.find(record.url);
    await this.put(bytesName(record), bytes);
    await this.put(recordName(record.url), JSON.stringify(record));
    if (before && bytesName(before) !== bytesName(record)) await this.drop(bytesName(before));
  }

  async remove(record: CacheRecord): Promise<void> {
    await this.drop(recordName(record.url));
    await this.drop(bytesName(record));
  }

  async clear(): Promise<void> {
    const names = await this.names();
    await Promise.all(names.filter((name) => OURS.test(name)).map((name) => this.drop(name)));
  }

  /** Deletes temporary files of processes that were killed while writing. */
  private async sweep(): Promise<void> {
    for (const name of await this.names()) {
      const [, writtenAt] = /^[0-9a-f]{32}.*\.\d+-(\d+)-\d+\.part$/.exec(name) ?? [];
      if (Number(writtenAt) < Date.now() - ABANDONED) await this.drop(name);
    }
  }

  private names(): Promise<string[]> {
    return node
      .fs()
      .readdir(this.folder)
      .catch(() => []);
  }

  private path(name: string): string {
    return node.path().join(this.folder, name);
  }

  private async readRecord(name: string): Promise<CacheRecord | null> {
    const text = await node
      .fs()
      .readFile(this.path(name), "utf8")
      .catch(() => "");
    return parseRecord(text);
  }

  private async put(name: string, content: Uint8Array | string): Promise<void> {
    written += 1;
    const draft = this.path(`${name}.${process.pid}-${Date.now()}-${written}.part`);
    try {
      await node.fs().writeFile(draft, content);
      await node.fs().rename(draft, this.path(name));
    } catch (error) {
      await node.fs().rm(draft, { force: true });
      throw error;
    }
  }

  private async drop(name: string): Promise<void> {
    await node.fs().rm(this.path(name), { force: true });
  }
}
