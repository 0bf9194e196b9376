import { allocate } from "../allocate.js";
import type { LoadTask } from "../task.js";
import type { RangeReader } from "./ranges.js";

/**
 * How many parts are read at the same time; several, because the next request may be delayed by
 * other work.
 */
const PARALLEL = 3;

interface Part {
  from: number;
  to: number;
  done: Promise<void>;
}

/** Reads a file from its beginning while it is being determined which parts of it are wanted. */
export class Ahead {
  /** As long as the file; untouched memory costs nothing. */
  readonly buffer: Uint8Array;
  /** The parts that have been started, in order. */
  readonly parts: Part[] = [];
  private isOver = false;

  constructor(
    private readonly reader: RangeReader,
    private readonly task: LoadTask,
  ) {
    this.buffer = allocate(reader.size, reader.name);
    task.expect(reader.size - this.end);
    task.atEnd(() => Promise.resolve(this.stop()));
    // Errors are reported to whoever waits for the part.
    for (let i = 0; i < PARALLEL; i += 1) this.read().catch(() => this.stop());
  }

  /** The end of what has been read or is being read. */
  get end(): number {
    return this.parts.at(-1)?.to ?? this.reader.head?.length ?? 0;
  }

  /** Starts no further part. */
  stop(): void {
    if (this.isOver) return;
    this.isOver = true;
    // What is not read here is counted by whoever reads it.
    this.task.expect(this.end - this.reader.size);
  }

  private async read(): Promise<void> {
    const { reader, task, buffer, parts } = this;
    while (this.end < reader.size && !this.isOver) {
      task.signal.throwIfAborted();
      const from = this.end;
      const to = Math.min(from + reader.partSize, reader.size);
      const done = reader.fill(from, buffer.subarray(from, to));
      parts.push({ from, to, done });
      await done;
    }
  }
}
