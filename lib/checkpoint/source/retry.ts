/** Trying again what failed but may yet succeed: requests to a server. */
import type { CheckpointError } from "../errors.js";

/** Milliseconds before the second try, which double with each; no wait is longer than the most. */
const FIRST_DELAY = 150;
const MAX_DELAY = 5000;
/** Milliseconds: a connection from which nothing comes for so long counts as dropped. */
const STALL = 30_000;

/** A failure that may pass. */
export class Dropped extends Error {
  constructor(
    readonly error: CheckpointError,
    /** Milliseconds that the server asks to be left alone. */
    readonly retryAfter = 0,
  ) {
    super(error.message);
  }
}

interface RetryOptions {
  /** Failures without progress between them, before it is given up. */
  limit: number;
  /** Ends the waiting, with its reason. */
  signal: AbortSignal;
  /** How far the work is. */
  progress?: () => number;
}

/**
 * Tries again after failures that may pass, each time later, as long as there is progress.
 *
 * @throws the last failure's error; any other error at once.
 */
export async function retry<T>(
  work: () => Promise<T>,
  { limit, signal, progress = () => 0 }: RetryOptions,
): Promise<T> {
  let last = progress();
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Dropped)) throw error;
      const now = progress();
      if (now > last) failures = 1;
      last = now;
      if (failures >= limit) throw error.error;
      const delay = Math.min(FIRST_DELAY * 2 ** (failures - 1), MAX_DELAY) * (1 + Math.random());
      await pause(Math.max(delay, Math.min(error.retryAfter, 4 * MAX_DELAY)), signal);
    }
  }
}

function pause(delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      signal.removeEventListener("abort", stop);
      resolve();
    };
    const timer = setTimeout(end, delay);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/** What the work gives, or an error if nothing has come of it after a while. */
export function withTimeout<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const stalled = new Promise<never>((_, reject) => {
    const seconds = STALL / 1000;
    timer = setTimeout(() => reject(new Error(`nothing came for ${seconds} s`)), STALL);
  });
  return Promise.race([work, stalled]).finally(() => clearTimeout(timer));
}
