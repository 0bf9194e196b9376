import { allocate } from "../allocate.js";
import type { LoadTask } from "../task.js";
import type { RangeReader } from "./ranges.js";

/** Parts at the same time: whoever asks for the next may be held up by other work. */
const PARALLEL = 3;

interface Part {
  from: number;
  to: number;
  done: Promise<void>;
}

/** A file's beginning, which is read while it is being learnt what of the file is wanted. */
export class Ahead {
  /** As long as the file; what nobody writes to takes no memory. */
  readonly buffer: Uint8Array;
  /** Those that were begun, in order. */
  readonly parts: Part[] = [];
  private isOver = false;

  constructor(
    private readonly reader: RangeReader,
    private readonly task: LoadTask,
  ) {
    this.buffer = allocate(reader.size, reader.name);
    task.expect(reader.size - this.end);
    task.atEnd(() => Promise.resolve(this.stop()));
    // Whoever waits for a part is told.
    for (let i = 0; i < PARALLEL; i += 1) this.read().catch(() => this.stop());
  }

  /** Up to where it is read, or being read. */
  get end(): number {
    return this.parts.at(-1)?.to ?? this.reader.head?.length ?? 0;
  }

  /** Begins no further part. */
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
