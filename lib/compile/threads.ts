let count = 1;

/** How many threads models are compiled for, unless `compile` is told otherwise. */
export const threadCount = (): number => count;

/**
 * Sets how many threads models that are compiled from now on compute with. Default: 1.
 *
 * Threads share memory, which Node can, and a page that is cross-origin isolated; elsewhere there
 * is one, and no error; more than 32 are 32. A plan finds out by itself whether they are faster than one.
 *
 * @throws if it is no whole number from 1 on.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.set_num_threads.html
 */
export function setThreads(n: number): void {
  checkThreads("setThreads", n);
  count = n;
}

export function checkThreads(where: string, n: number): void {
  if (Number.isInteger(n) && n >= 1) return;
  throw new RangeError(`${where}: expects a positive integer, got ${n}`);
}
