/**
 * Combines reads that are requested together into few large ones, which run as several parts in
 * parallel.
 */
import { allocate } from "../allocate.js";
import { type ByteSource, rangeError } from "../byte-source.js";
import { type LoadTask, nextTurn } from "../task.js";
import type { Turns } from "../turns.js";
import type { Ahead } from "./ahead.js";

export interface RangeReader {
  name: string;
  size: number;
  /** Fills the target with the bytes from `begin` on, and reports them to the task. */
  fill(begin: number, target: Uint8Array): Promise<void>;
  /** Ranges with no larger gap between them are read as one. */
  maxGap: number;
  /** The largest number of bytes for one call of `fill`; below: what limits parallel calls. */
  partSize: number;
  turns: Turns;
  /** The first bytes of the file, if they have been read (and reported) already. */
  head?: Uint8Array;
  /** Starts to read the file ahead, if all of it will be read. */
  ahead?: ((reader: RangeReader, task: LoadTask) => Ahead) | undefined;
  sibling?: ByteSource["sibling"];
}

/** Buffers are not longer than this, unless a single range is. */
const MAX_RUN = 2 ** 30;

/** Ranges of at least this length do not join a run in which they would not be aligned. */
const MIN_ALIGNED = 2 ** 20;

interface Wanted {
  begin: number;
  end: number;
  /** The number of bytes that have not arrived yet. */
  missing: number;
  resolve: (bytes: Uint8Array) => void;
  reject: (reason: unknown) => void;
}

/** Neighbouring ranges in one buffer. */
interface Run {
  begin: number;
  end: number;
  /** The offset of tensors modulo eight. */
  phase: number;
  wanted: Wanted[];
  /** What is reading it ahead. */
  ahead?: Ahead | undefined;
}

export class RangeSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly sibling?: NonNullable<ByteSource["sibling"]>;
  private queue: Wanted[] = [];
  /** The offsets from which on tensors are aligned; sorted when used. */
  private readonly marks: number[] = [];
  /** Null once it has been used. */
  private ahead: Ahead | null | undefined;

  constructor(
    private readonly reader: RangeReader,
    readonly task: LoadTask,
  ) {
    this.name = reader.name;
    this.size = reader.size;
    if (reader.sibling) this.sibling = reader.sibling;
  }

  read(begin: number, end: number): Promise<Uint8Array> {
    const error = rangeError(begin, end, this.size, this.name);
    if (error) return Promise.reject(error);
    const { head } = this.reader;
    if (head && end <= head.length) return Promise.resolve(head.subarray(begin, end));
    if (begin === end) return Promise.resolve(new Uint8Array());
    return new Promise((resolve, reject) => {
      this.queue.push({ begin, end, missing: end - begin, resolve, reject });
      if (this.queue.length === 1) void nextTurn().then(() => this.flush());
    });
  }

  alignAt(offset: number): void {
    this.marks.push(offset);
  }

  readAhead(): void {
    const { reader, size } = this;
    const isWorthIt = size > 2 * reader.partSize && size <= MAX_RUN;
    if (isWorthIt && this.ahead === undefined) this.ahead = reader.ahead?.(reader, this.task);
  }

  /**
   * Uses what was read ahead for a run of most of the file; if another run is as long as tensors
   * are, it was read in vain.
   */
  private takeAhead({ begin, end, phase }: Run): Ahead | undefined {
    const { ahead } = this;
    if (!ahead || end - begin < this.reader.partSize) return undefined;
    ahead.stop();
    this.ahead = null;
    return phase === 0 && 2 * (end - begin) >= this.size ? ahead : undefined;
  }

  private flush(): void {
    const wanted = this.queue.sort((a, b) => a.begin - b.begin || a.end - b.end);
    this.queue = [];
    this.marks.sort((a, b) => a - b);
    const runs = toRuns(wanted, this.reader.maxGap, this.marks);
    // The longest first, because it decides about reading ahead.
    const byLength = [...runs].sort((a, b) => b.end - b.begin - (a.end - a.begin));
    for (const run of byLength) {
      const { begin, end } = run;
      run.ahead = this.takeAhead(run);
      const known = run.ahead?.end ?? this.reader.head?.length ?? 0;
      this.task.expect(end - begin - Math.max(0, Math.min(known, end) - begin));
    }
    for (const run of runs) {
      this.readRun(run).catch((error: unknown) => {
        for (const { reject } of run.wanted) reject(error);
      });
    }
  }

  private async readRun({ begin, end, phase, wanted, ahead }: Run): Promise<void> {
    const { head, partSize } = this.reader;
    // Places the run in memory such that tensors that are aligned in the file are aligned in
    // memory.
    const shift = (begin + 8 - phase) % 8;
    const buffer =
      ahead?.buffer.subarray(begin, end) ??
      allocate(shift + end - begin, this.name).subarray(shift);
    let at = begin;
    if (head && at < head.length) {
      buffer.set(head.subarray(at, end));
      at = Math.min(head.length, end);
      settle(wanted, buffer, begin, begin, at);
    }
    const parts: Promise<void>[] = [];
    for (const { from, to, done } of ahead?.parts ?? []) {
      const [first, last] = [Math.max(from, at), Math.min(to, end)];
      if (first >= last) continue;
      parts.push(done.then(() => settle(wanted, buffer, begin, first, last)));
      at = last;
    }
    for (; at < end; at += partSize) {
      const [from, to] = [at, Math.min(at + partSize, end)];
      const part = this.reader.turns.take(() => {
        this.task.signal.throwIfAborted();
        return this.reader.fill(from, buffer.subarray(from - begin, to - begin));
      });
      parts.push(part.then(() => settle(wanted, buffer, begin, from, to)));
    }
    await Promise.all(parts);
  }
}

function toRuns(wanted: readonly Wanted[], maxGap: number, marks: readonly number[]): Run[] {
  const runs: Run[] = [];
  let mark = 0;
  for (const want of wanted) {
    while (marks[mark]! < want.end) mark += 1;
    const phase = (marks[mark - 1] ?? 0) % 8;
    const last = runs.at(-1);
    const isNear = last && want.begin <= last.end + maxGap;
    // Small ranges cost less to copy than to read separately.
    const isAligned = phase === last?.phase || want.end - want.begin < MIN_ALIGNED;
    const fits = last && want.end - last.begin <= MAX_RUN && isAligned;
    if (isNear && (want.begin < last.end || fits)) {
      last.end = Math.max(last.end, want.end);
      last.wanted.push(want);
    } else runs.push({ begin: want.begin, end: want.end, phase, wanted: [want] });
  }
  return runs;
}

/** The bytes [from, to) of the file have arrived: resolves the reads that are now complete. */
function settle(
  wanted: readonly Wanted[],
  buffer: Uint8Array,
  origin: number,
  from: number,
  to: number,
): void {
  for (const want of wanted) {
    if (want.begin >= to) break;
    const came = Math.min(to, want.end) - Math.max(from, want.begin);
    if (came <= 0) continue;
    want.missing -= came;
    if (want.missing === 0) {
      want.resolve(buffer.subarray(want.begin - origin, want.end - origin));
    }
  }
}
