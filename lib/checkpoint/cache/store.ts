/** The interface of a store for downloaded files. */
import type { FileVersion } from "../source/answers.js";
import type { LoadTask } from "../task.js";

/** A file in the cache. */
export interface CachedFile {
  url: string;
  /** In bytes. */
  size: number;
  /** The server's identifier of this version. */
  etag: string | null;
  lastModified: string | null;
  savedAt: Date;
}

/** What is stored beside the bytes. */
export interface CacheRecord extends FileVersion {
  url: string;
  size: number;
  /** In base64. */
  sha256: string;
  /** Milliseconds since 1970. */
  savedAt: number;
}

export interface CacheStore {
  /** All records; damaged ones are left out. */
  records(): Promise<CacheRecord[]>;
  find(url: string): Promise<CacheRecord | null>;
  /** The bytes of a record; null if they have been deleted. */
  read(record: CacheRecord, task: LoadTask): Promise<Uint8Array | null>;
  /** Replaces the file of a URL, completely or not at all. */
  write(record: CacheRecord, bytes: Uint8Array): Promise<void>;
  remove(record: CacheRecord): Promise<void>;
  /** Also deletes files that no record refers to. */
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

/** Parses a record stored as JSON; null if it is not a valid record. */
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
