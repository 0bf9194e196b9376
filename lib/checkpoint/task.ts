/** What the parts of one call of `load` share: its signal, its progress, and their turns. */
import { Turns } from "./turns.js";

/** How far a load is. */
export interface LoadProgress {
  /** Bytes that came so far. */
  loaded: number;
  /** Bytes that will have come in the end; undefined while the server does not say. */
  total: number | undefined;
  /** The file that is being read: of shards, one after another. */
  file: string;
  /** The tensor that was completed last. */
  key: string | undefined;
}

export interface TaskOptions {
  onProgress?: ((progress: LoadProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Milliseconds between two reports, and that work may take before others have a turn. */
const REPORT_EVERY = 50;
const TURN = 25;

/** Requests at the same time, of all files together: as many as browsers send to one server. */
const REQUESTS = 6;

export class LoadTask {
  readonly requests = new Turns(REQUESTS);
  private readonly controller = new AbortController();
  private readonly afterwards: (() => Promise<void>)[] = [];
  private readonly atLast: (() => Promise<void>)[] = [];
  private isOver = false;
  private loaded = 0;
  private total: number | undefined = 0;
  private file = "";
  private key: string | undefined;
  private isReporting = false;
  private reportedAt = -Infinity;
  private turnBegan = performance.now();
  private turns = Promise.resolve();

  constructor(private readonly options: TaskOptions = {}) {}

  /** Fires when the caller gives up, or when one part has failed and the others should stop. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Does the work; rejects at once with the signal's reason when it fires. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const { signal: outer } = this.options;
    outer?.throwIfAborted();
    const giveUp = (): void => this.controller.abort(outer?.reason);
    outer?.addEventListener("abort", giveUp, { once: true });
    try {
      const result = await Promise.race([work(), this.whenAborted()]);
      this.reportLast();
      for (const act of this.afterwards) await Promise.race([act(), this.whenAborted()]);
      this.signal.throwIfAborted();
      return result;
    } catch (error) {
      this.controller.abort(error);
      throw error;
    } finally {
      outer?.removeEventListener("abort", giveUp);
      this.isOver = true;
      await Promise.allSettled(this.atLast.map((act) => act()));
    }
  }

  /** To be done when all has been read and found good. */
  onSuccess(act: () => Promise<void>): void {
    this.afterwards.push(act);
  }

  /** To be done in the end, whether it went well or not; at once if that has come already. */
  atEnd(act: () => Promise<void>): void {
    if (this.isOver) act().catch(() => undefined);
    else this.atLast.push(act);
  }

  /**
   * Gives others a turn if the last was long ago: to be awaited if it is something, at once before
   * work. Throws if the load has been given up.
   */
  breathe(): Promise<void> | undefined {
    this.signal.throwIfAborted();
    if (performance.now() - this.turnBegan < TURN) return undefined;
    // Of several that wait, each gets a turn of its own: together they would hold up others.
    this.turns = this.turns.then(nextTurn);
    return this.turns.then(() => {
      this.signal.throwIfAborted();
      this.turnBegan = performance.now();
    });
  }

  /** Bytes will come; undefined: nobody knows how many. */
  expect(bytes: number | undefined): void {
    this.total = bytes === undefined || this.total === undefined ? undefined : this.total + bytes;
  }

  /** Bytes came. */
  advance(bytes: number, file: string): void {
    this.loaded += bytes;
    this.file = file;
    if (this.isReporting) this.report();
  }

  /** A tensor is complete. */
  complete(key: string): void {
    this.key = key;
  }

  /** From now on the total is known, so that reports make sense. */
  startReporting(): void {
    this.isReporting = true;
  }

  /** More files are to be opened, whose lengths nobody knows yet. */
  stopReporting(): void {
    this.isReporting = false;
  }

  private reportLast(): void {
    this.total = this.loaded;
    this.reportedAt = -Infinity;
    this.report();
  }

  private report(): void {
    const now = performance.now();
    if (now - this.reportedAt < REPORT_EVERY) return;
    this.reportedAt = now;
    const { loaded, total, file, key } = this;
    try {
      this.options.onProgress?.({ loaded, total, file, key });
    } catch (error) {
      // It must not pass for a failure of what was read.
      this.controller.abort(error);
    }
  }

  private whenAborted(): Promise<never> {
    const { signal } = this;
    return new Promise((_, reject) => {
      const refuse = (): void => reject(signal.reason as Error);
      if (signal.aborted) refuse();
      else signal.addEventListener("abort", refuse, { once: true });
    });
  }
}

/** Works through [0, length) by pieces; before each, others may have a turn. */
export async function inPieces(
  task: LoadTask | undefined,
  length: number,
  piece: number,
  work: (begin: number, end: number) => void,
): Promise<void> {
  for (let at = 0; at < length; at += piece) {
    const turn = task?.breathe();
    if (turn) await turn;
    work(at, Math.min(at + piece, length));
  }
}

/** Resolves after events have been handled; timers would make it wait 4 ms in browsers. */
export function nextTurn(): Promise<void> {
  if (typeof setImmediate === "function") return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
