/** Splits long work into parts, so that a page stays responsive. */

/** Work that can be paused at each `yield`. */
export type Parts<T> = Generator<void, T>;

/** How many milliseconds to work before the page gets a turn. */
const MOST_WORK = 5;

type Scheduler = { yield?: () => Promise<void> } | undefined;

/** Resolves after the page had a turn: at once with `scheduler.yield`, or in Node. */
export function turn(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: Scheduler };
  const later = typeof setImmediate === "function" ? setImmediate : setTimeout;
  return scheduler?.yield?.() ?? new Promise((resolve) => void later(resolve));
}

/** Does all parts without a pause. */
export function atOnce<T>(parts: Parts<T>): T {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}

/**
 * Does the parts with pauses for the page; each uninterrupted stretch of work runs inside `around`.
 */
export async function inTurns<T>(
  parts: Parts<T>,
  around: <R>(run: () => R) => R = (run) => run(),
  pause: () => Promise<void> = turn,
): Promise<T> {
  for (;;) {
    const { done, value } = around(() => {
      const began = performance.now();
      let result = parts.next();
      while (!result.done && performance.now() - began < MOST_WORK) result = parts.next();
      return result;
    });
    if (done) return value;
    await pause();
  }
}
