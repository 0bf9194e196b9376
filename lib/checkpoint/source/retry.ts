/** Repeats requests to servers that failed but may succeed later. */
import type { CheckpointError } from "../errors.js";

/** The delay before the second try in milliseconds; it doubles with each try, up to a maximum. */
const FIRST_DELAY = 150;
const MAX_DELAY = 5000;
/** A connection without data for this many milliseconds counts as dropped. */
const STALL = 30_000;

/** A failure that may be temporary. */
export class Dropped extends Error {
  constructor(
    readonly error: CheckpointError,
    /** How long the server wants to be left alone, in milliseconds. */
    readonly retryAfter = 0,
  ) {
    super(error.message);
  }
}

interface RetryOptions {
  /** The number of failures without progress between them after which to give up. */
  limit: number;
  /** Aborts waiting, with its reason. */
  signal: AbortSignal;
  /** The progress of the work. */
  progress?: () => number;
}

/**
 * Repeats work after temporary failures, with growing delays, as long as there is progress.
 *
 * @throws the error of the last failure; any other error at once.
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

/** The result of the work, or an error if it takes too long. */
export function withTimeout<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const stalled = new Promise<never>((_, reject) => {
    const seconds = STALL / 1000;
    timer = setTimeout(() => reject(new Error(`nothing came for ${seconds} s`)), STALL);
  });
  return Promise.race([work, stalled]).finally(() => clearTimeout(timer));
}
