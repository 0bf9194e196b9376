/**
 * What the parts of one call of `load` share: the signal, the progress, and giving others a turn.
 */
import { Turns } from "./turns.js";

/** The progress of a load. */
export interface LoadProgress {
  /** The bytes read so far. */
  loaded: number;
  /** The bytes to be read in total; undefined while the server does not tell. */
  total: number | undefined;
  /** The file that is being read; shards come one after another. */
  file: string;
  /** The tensor that was completed last. */
  key: string | undefined;
}

export interface TaskOptions {
  onProgress?: ((progress: LoadProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** The milliseconds between two reports, and after which others have a turn. */
const REPORT_EVERY = 50;
const TURN = 25;

/**
 * The number of requests at the same time, for all files together: as many as browsers allow per
 * server.
 */
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

  /** Fires when the caller aborts, or when one part has failed and the others should stop. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Does the work; rejects with the signal's reason as soon as that fires. */
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

  /** Registers something to do after everything has been read successfully. */
  onSuccess(act: () => Promise<void>): void {
    this.afterwards.push(act);
  }

  /**
   * Registers something to do at the end, whether successful or not; done at once if that is over.
   */
  atEnd(act: () => Promise<void>): void {
    if (this.isOver) act().catch(() => undefined);
    else this.atLast.push(act);
  }

  /**
   * Gives others a turn if the last one was long ago; the result must be awaited if it is not
   * undefined. Throws if the load has been aborted.
   */
  breathe(): Promise<void> | undefined {
    this.signal.throwIfAborted();
    if (performance.now() - this.turnBegan < TURN) return undefined;
    // One after the other, because turns at the same time would be one long piece of work.
    this.turns = this.turns.then(nextTurn);
    return this.turns.then(() => {
      this.signal.throwIfAborted();
      this.turnBegan = performance.now();
    });
  }

  /** Announces bytes to be read; undefined if their number is unknown. */
  expect(bytes: number | undefined): void {
    this.total = bytes === undefined || this.total === undefined ? undefined : this.total + bytes;
  }

  /** Reports bytes that have been read. */
  advance(bytes: number, file: string): void {
    this.loaded += bytes;
    this.file = file;
    if (this.isReporting) this.report();
  }

  /** Reports a complete tensor. */
  complete(key: string): void {
    this.key = key;
  }

  /** The total is known from now on, so that progress is reported. */
  startReporting(): void {
    this.isReporting = true;
  }

  /** More files will be opened, whose sizes are unknown. */
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
      // It must not be taken for an error of reading.
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

/** Works through [0, length) in pieces; before each, others may have a turn. */
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

/** Resolves after pending events have been handled; a timer would take 4 ms in browsers. */
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
