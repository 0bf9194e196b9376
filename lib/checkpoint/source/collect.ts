/** Joins chunks of bytes. */
import { allocate } from "../allocate.js";
import { CheckpointError } from "../errors.js";
import type { LoadTask } from "../task.js";
import { isEncoded, lengthOf, refusal } from "./answers.js";

/** Collects bytes whose number may be unknown until the end. */
export class Collector {
  private buffer: Uint8Array;
  length = 0;

  constructor(
    /** The name of the file, for messages. */
    private readonly file: string,
    private readonly expected?: number,
  ) {
    this.buffer = allocate(expected ?? 65536, file);
  }

  /** Returns false if there are more bytes than expected. */
  push(chunk: Uint8Array): boolean {
    const length = this.length + chunk.length;
    if (length > this.buffer.length) {
      if (this.expected !== undefined) return false;
      const grown = allocate(Math.max(length, 2 * this.buffer.length), this.file);
      grown.set(this.buffer.subarray(0, this.length));
      this.buffer = grown;
    }
    this.buffer.set(chunk, this.length);
    this.length = length;
    return true;
  }

  /** All bytes so far. */
  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }
}

/** Reads the body of a Response that the caller has requested. */
export async function readResponse(
  response: Response,
  task: LoadTask,
  file: string,
): Promise<Uint8Array> {
  if (!response.ok) throw refusal(response, file);
  if (response.bodyUsed) throw new CheckpointError("its body has been read before", { file });
  if (response.body?.locked) {
    throw new CheckpointError("its body is being read by somebody else", { file });
  }
  const announced = lengthOf(response);
  // Across origins, the Content-Encoding header is hidden, so that there may be more bytes than
  // announced.
  const isHidden = response.type === "cors" && !isEncoded(response);
  const collector = new Collector(file, isHidden ? undefined : announced);
  task.expect(announced);
  task.startReporting();
  const reader = response.body?.getReader();
  const stop = (): void => void reader?.cancel().catch(() => undefined);
  task.signal.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const next = await reader?.read().catch((cause: unknown) => {
        throw brokenOff(collector.length, announced, file, cause);
      });
      task.signal.throwIfAborted();
      if (next === undefined || next.done) break;
      if (!collector.push(next.value)) throw overlong(announced!, file);
      task.advance(next.value.length, file);
      await task.breathe();
    }
  } finally {
    task.signal.removeEventListener("abort", stop);
    reader?.cancel().catch(() => undefined);
  }
  if (announced !== undefined && collector.length < announced) {
    throw brokenOff(collector.length, announced, file);
  }
  return collector.bytes();
}

export function brokenOff(
  at: number,
  total: number | undefined,
  file: string,
  cause?: unknown,
): CheckpointError {
  const of = total === undefined ? "" : ` of ${total}`;
  const message = `the download broke off after ${at}${of} bytes`;
  return new CheckpointError(message, { file, offset: at, cause });
}

export const overlong = (announced: number, file: string): CheckpointError =>
  new CheckpointError(`the server announced ${announced} bytes (Content-Length), but sends more`, {
    file,
    offset: announced,
  });
