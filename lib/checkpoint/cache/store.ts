/** What a place for downloaded files can do. */
import type { FileVersion } from "../source/answers.js";
import type { LoadTask } from "../task.js";

/** A file in the cache. */
export interface CachedFile {
  url: string;
  /** In bytes. */
  size: number;
  /** As the server called this edition. */
  etag: string | null;
  lastModified: string | null;
  savedAt: Date;
}

/** What is kept beside the bytes. */
export interface CacheRecord extends FileVersion {
  url: string;
  size: number;
  /** In base64. */
  sha256: string;
  /** Milliseconds since 1970. */
  savedAt: number;
}

export interface CacheStore {
  /** All that is kept; what is damaged is left out. */
  records(): Promise<CacheRecord[]>;
  find(url: string): Promise<CacheRecord | null>;
  /** The bytes of a record; null if they are no longer there. */
  read(record: CacheRecord, task: LoadTask): Promise<Uint8Array | null>;
  /** Takes the place of what was kept for the URL, at once or not at all. */
  write(record: CacheRecord, bytes: Uint8Array): Promise<void>;
  remove(record: CacheRecord): Promise<void>;
  /** Removes also what no record names. */
  clear(): Promise<void>;
}

export const toCachedFile = ({
  url,
  size,
  etag,
  lastModified,
  savedAt,
}: CacheRecord): CachedFile => ({
  url,
  size,
  etag,
  lastModified,
  savedAt: new Date(savedAt),
});

/** Reads a record that was written as JSON; null if it is none. */
export function parseRecord(text: string): CacheRecord | null {
  try {
    const record = JSON.parse(text) as Partial<CacheRecord> | null;
    const isRecord =
      typeof record?.url === "string" &&
      typeof record.size === "number" &&
      typeof record.sha256 === "string" &&
      typeof record.savedAt === "number" &&
      record.etag !== undefined &&
      record.lastModified !== undefined;
    return isRecord ? (record as CacheRecord) : null;
  } catch {
    return null;
  }
}
