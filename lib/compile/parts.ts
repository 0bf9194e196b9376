/** Long work in parts, so that a page has its turn in between. */

/** Work that can pause wherever it yields. */
export type Parts<T> = Generator<void, T>;

/** Milliseconds that work goes on for before the page has its turn. */
const MOST_WORK = 5;

type Scheduler = { yield?: () => Promise<void> } | undefined;

/** Resolves when the page has had its turn: at once, where the browser has `scheduler.yield`, or in Node. */
export function turn(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: Scheduler };
  const later = typeof setImmediate === "function" ? setImmediate : setTimeout;
  return scheduler?.yield?.() ?? new Promise((resolve) => void later(resolve));
}

/** Does all parts in one go. */
export function atOnce<T>(parts: Parts<T>): T {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}

/** Does the parts with turns for the page in between; `around` is entered anew after each. */
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
