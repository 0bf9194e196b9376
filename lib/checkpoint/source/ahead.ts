import { allocate } from "../allocate.js";
import type { LoadTask } from "../task.js";
import type { RangeReader } from "./ranges.js";

/** Read at most, in case that it is for nothing. */
const MOST = 64 * 2 ** 20;

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
    task.expect(reader.size - this.begin);
    task.atEnd(() => Promise.resolve(this.stop()));
    // Whoever waits for a part is told.
    this.read().catch(() => undefined);
  }

  /** Begins no further part. */
  stop(): void {
    if (this.isOver) return;
    this.isOver = true;
    // What is not read here is counted by whoever reads it.
    this.task.expect((this.parts.at(-1)?.to ?? this.begin) - this.reader.size);
  }

  private get begin(): number {
    return this.reader.head?.length ?? 0;
  }

  /** One part after another: there is other work meanwhile. */
  private async read(): Promise<void> {
    const { reader, task, buffer, parts } = this;
    const end = Math.min(reader.size, MOST);
    for (let from = this.begin; from < end && !this.isOver;) {
      task.signal.throwIfAborted();
      const to = Math.min(from + reader.partSize, end);
      const done = reader.fill(from, buffer.subarray(from, to));
      parts.push({ from, to, done });
      await done;
      from = to;
    }
  }
}
