/**
 * A file on a web server: reads only what is asked for, by range requests, and resumes dropped
 * connections.
 */
import { type ByteSource, bytesSource } from "../byte-source.js";
import { CheckpointError } from "../errors.js";
import type { LoadTask } from "../task.js";
import {
  type FileVersion,
  hasChanged,
  isEncoded,
  isPassing,
  lengthOf,
  rangeOf,
  refusal,
  versionOf,
} from "./answers.js";
import { brokenOff, Collector, overlong } from "./collect.js";
import { RangeSource } from "./ranges.js";
import { Dropped, retry, withTimeout } from "./retry.js";

/** The size of the first request, which contains the headers of most checkpoints. */
const HEAD = 65536;
const PART = 8 * 2 ** 20;
/** A request costs about as much as downloading this many bytes. */
const MAX_GAP = 256 * 1024;

/** After so many failures without a byte in between, reading fails. */
const MAX_FAILURES = 5;
/**
 * Fewer if there was no answer at all: the page may not be allowed to read the file, which will not
 * change.
 */
const MAX_FIRST_FAILURES = 3;

/** The server cannot be reached. */
export class Unreachable extends CheckpointError {}

/** The bytes [begin, end); without an end, all that follow. */
interface Range {
  begin: number;
  end?: number;
}

export class HttpFile {
  private version: FileVersion | null = null;
  /** The length of the file, if known. */
  private total: number | undefined;
  private answer: Response | undefined;
  private isRanged = false;

  constructor(
    private readonly url: string,
    private readonly task: LoadTask,
    private readonly mode: RequestCache = "default",
  ) {}

  /** Requests the beginning of the file, and determines its version and length. */
  connect(): Promise<FileVersion> {
    return this.task.requests.take(() => this.ask());
  }

  private async ask(): Promise<FileVersion> {
    let tries = 0;
    let response = await this.retry(() => {
      // The last attempt is a plain request, in case range requests are what is not allowed.
      const isLast = ++tries === MAX_FIRST_FAILURES;
      return this.request(isLast ? null : { begin: 0, end: HEAD });
    });
    if (!isBeginning(response)) {
      cancel(response);
      response = await this.retry(() => this.request(null));
      if (!isBeginning(response)) {
        cancel(response);
        const message =
          "the server sends a part of the file, or none, where all of it is asked for";
        throw new CheckpointError(message, { file: this.url });
      }
    }
    this.isRanged = response.status === 206;
    this.total = this.isRanged ? rangeOf(response)!.total : lengthOf(response);
    this.answer = response;
    return (this.version = versionOf(response));
  }

  /** Cancels the answer to `connect`. */
  discard(): void {
    if (this.answer) cancel(this.answer);
  }

  /** Opens the file: by ranges if the server supports them, else completely. */
  async open(sibling?: ByteSource["sibling"]): Promise<ByteSource> {
    const { url: name, task, total: size } = this;
    if (!this.isRanged || size === undefined) {
      task.expect(size);
      task.startReporting();
      return bytesSource(await task.requests.take(() => this.readAll()), name, {
        task,
        ...(sibling && { sibling }),
      });
    }
    const head = new Uint8Array(Math.min(HEAD, size));
    task.expect(head.length);
    await this.fill(0, head);
    const fill = (begin: number, target: Uint8Array): Promise<void> => this.fill(begin, target);
    const reader = { name, size, head, fill, ...(sibling && { sibling }) };
    const limits = { maxGap: MAX_GAP, partSize: PART, turns: task.requests };
    return new RangeSource({ ...reader, ...limits }, task);
  }

  private async fill(begin: number, target: Uint8Array): Promise<void> {
    let at = 0;
    await this.stream({ begin, end: begin + target.length }, (chunk) => {
      const room = chunk.subarray(0, target.length - at);
      target.set(room, at);
      at += room.length;
      return at;
    });
  }

  private async readAll(): Promise<Uint8Array> {
    const isHidden = this.answer?.type === "cors";
    const collector = new Collector(this.url, isHidden ? undefined : this.total);
    await this.stream({ begin: 0 }, (chunk) => {
      if (!collector.push(chunk)) throw overlong(this.total!, this.url);
      return collector.length;
    });
    return collector.bytes();
  }

  /**
   * Passes on the bytes of a range, in order and each once; `push` returns the number of bytes so
   * far.
   */
  private async stream({ begin, end }: Range, push: (chunk: Uint8Array) => number): Promise<void> {
    let done = 0;
    const until = end ?? this.total;
    await this.retry(
      async () => {
        const range = end === undefined ? { begin: begin + done } : { begin: begin + done, end };
        const response = this.takeAnswer() ?? (await this.request(range));
        // A server that ignores ranges sends the file from its beginning.
        let skip = response.status === 206 ? 0 : range.begin;
        const at = (): number => begin + done;
        await this.pour(response, at, (chunk) => {
          const fresh = chunk.subarray(Math.min(skip, chunk.length));
          skip -= chunk.length - fresh.length;
          const before = done;
          if (fresh.length > 0) done = push(fresh);
          if (done > before) this.task.advance(done - before, this.url);
          return end !== undefined && at() >= end;
        });
        if (until !== undefined && at() < until) {
          throw new Dropped(brokenOff(at(), this.total, this.url));
        }
      },
      () => done,
    );
  }

  private retry<T>(work: () => Promise<T>, progress?: () => number): Promise<T> {
    const limit = this.version ? MAX_FAILURES : MAX_FIRST_FAILURES;
    return retry(work, { limit, signal: this.task.signal, ...(progress && { progress }) });
  }

  private takeAnswer(): Response | undefined {
    const { answer } = this;
    this.answer = undefined;
    return answer;
  }

  /** Reads a body to its end, or until `push` returns that it is enough. */
  private async pour(
    response: Response,
    at: () => number,
    push: (chunk: Uint8Array) => boolean,
  ): Promise<void> {
    const reader = response.body?.getReader();
    if (!reader) return;
    try {
      for (;;) {
        const { done, value } = await withTimeout(reader.read()).catch((cause: unknown) => {
          this.task.signal.throwIfAborted();
          throw new Dropped(brokenOff(at(), this.total, this.url, cause));
        });
        this.task.signal.throwIfAborted();
        if (done || push(value)) return;
        await this.task.breathe();
      }
    } finally {
      reader.cancel().catch(() => undefined);
    }
  }

  private async request(range: Range | null): Promise<Response> {
    const { url, task } = this;
    const headers = new Headers();
    if (range) headers.set("range", `bytes=${range.begin}-${range.end ? range.end - 1 : ""}`);
    const condition = range && this.condition();
    if (condition) headers.set("if-range", condition);
    const init = { headers, signal: task.signal, cache: this.mode };
    const response = await withTimeout(fetch(url, init)).catch((cause: unknown) => {
      task.signal.throwIfAborted();
      throw new Dropped(unreachable(url, cause));
    });
    return this.check(response, range);
  }

  private check(response: Response, range: Range | null): Response {
    const { url } = this;
    const { status } = response;
    if (status !== 200 && status !== 206) {
      if (status === 416 && !this.version) return response;
      cancel(response);
      if (status === 416) throw this.ended(response);
      const error = refusal(response, url);
      if (!isPassing(status)) throw error;
      const seconds = Number(response.headers.get("retry-after"));
      throw new Dropped(error, seconds > 0 ? 1000 * seconds : 0);
    }
    const part = status === 206 ? rangeOf(response) : null;
    const isOther =
      part !== null && ((range && part.begin !== range.begin) || isOtherTotal(part, this.total));
    if (this.version && (isOther || hasChanged(this.version, versionOf(response)))) {
      cancel(response);
      throw new CheckpointError("the file changed on the server while it was read: load it again", {
        file: url,
      });
    }
    return response;
  }

  /** The error if the file ends before the requested range. */
  private ended(response: Response): CheckpointError {
    const actual = rangeOf(response)?.total ?? "fewer";
    return new CheckpointError(
      `the server announced ${this.total} bytes (Content-Length), but the file has ${actual}`,
      { file: this.url },
    );
  }

  /** The value of `If-Range`. Across origins, a page may not send it without permission. */
  private condition(): string | null {
    if (!this.version) return null;
    const isSameOrigin =
      typeof location !== "object" || new URL(this.url).origin === location.origin;
    if (!isSameOrigin) return null;
    const { etag, lastModified } = this.version;
    return etag && !etag.startsWith("W/") ? etag : lastModified;
  }
}

/**
 * Whether an answer is the whole file, or its beginning together with the length of the file. Not
 * so if the length is hidden (from pages of another origin) or is not that of the file, nor if the
 * server refuses a range that is longer than the file, which some do.
 */
const isBeginning = (response: Response): boolean =>
  response.status === 206
    ? rangeOf(response)?.begin === 0 && !isEncoded(response)
    : response.status !== 416;

const isOtherTotal = ({ total }: { total: number }, known: number | undefined): boolean =>
  known !== undefined && total !== known;

function cancel(response: Response): void {
  response.body?.cancel().catch(() => undefined);
}

function unreachable(file: string, cause: unknown): Unreachable {
  const isPage = typeof location === "object";
  const isForeign = isPage && new URL(file).origin !== location.origin;
  const network = isPage ? "there is no connection to the server" : `cannot reach the server`;
  const { cause: inner } = cause as { cause?: { code?: string; message?: string } };
  const detail = inner?.code ?? inner?.message ?? (cause as Error).message;
  const message = isForeign
    ? `could not be fetched: ${network}, or it does not allow pages of ${location.origin} ` +
      "to read its files (CORS: it must send Access-Control-Allow-Origin)"
    : `could not be fetched: ${network} (${detail})`;
  return new Unreachable(message, { file, cause });
}
