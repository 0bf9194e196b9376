/** Interprets servers' answers, and describes their errors. */
import { CheckpointError } from "../errors.js";

/** The version of a file, as far as the server tells. */
export interface FileVersion {
  etag: string | null;
  lastModified: string | null;
}

const TOKEN =
  "if it takes a token, fetch it yourself: nn.load(await fetch(url, { headers: { authorization } }))";

const MEANINGS: Record<number, string> = {
  0: "the response has no status and no body that can be read: it is of a fetch in the mode no-cors, or of one that failed",
  401: `the server asks who you are (401): the file is private or gated; ${TOKEN}`,
  403: `the server refuses access (403): the file is private or gated, or the link has expired; ${TOKEN}`,
  404: "there is no such file on the server (404): is the URL right?",
  410: "the file is no longer on the server (410)",
  429: "the server has had too many requests (429): try again later",
};

/** The error for an answer that is not the file. */
export function refusal({ status, statusText }: Response, file: string): CheckpointError {
  const name = `${status}${statusText && ` ${statusText}`}`;
  const meaning =
    MEANINGS[status] ??
    (status >= 500
      ? `the server failed (${name}): the fault is on its side, try again later`
      : `the server answered ${name} instead of the file`);
  return new CheckpointError(meaning, { file });
}

/** Whether the same request may succeed later. */
export const isPassing = (status: number): boolean =>
  status === 408 || status === 425 || status === 429 || status >= 500;

export const versionOf = ({ headers }: Response): FileVersion => ({
  etag: headers.get("etag"),
  lastModified: headers.get("last-modified"),
});

/** Whether two answers are of different versions. Headers that one of them lacks are ignored. */
export function hasChanged(before: FileVersion, now: FileVersion): boolean {
  if (before.etag !== null && now.etag !== null) return before.etag !== now.etag;
  const { lastModified } = before;
  return lastModified !== null && now.lastModified !== null && lastModified !== now.lastModified;
}

/**
 * Whether the body is compressed for transfer: then lengths and ranges are not those of the file.
 */
export function isEncoded({ headers }: Response): boolean {
  const encoding = headers.get("content-encoding");
  return encoding !== null && encoding !== "" && encoding !== "identity";
}

/** The length of the file in a complete answer; undefined if it is not given. */
export function lengthOf(response: Response): number | undefined {
  const text = response.headers.get("content-length");
  if (text === null || !/^\d+$/.test(text) || isEncoded(response)) return undefined;
  return Number(text);
}

/** The beginning of a partial answer, and the length of the file; null if they are not given. */
export function rangeOf({ headers }: Response): { begin: number; total: number } | null {
  const found = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(headers.get("content-range") ?? "");
  return found && { begin: Number(found[1] ?? 0), total: Number(found[2]) };
}
