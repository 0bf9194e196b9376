let count = 1;

/** How many threads models are compiled for by default. */
export const threadCount = (): number => count;

/**
 * Sets how many threads the models use that are compiled from now on. Default: 1; at most 32,
 * larger numbers count as 32. Threads need shared memory: Node, or a page that is cross-origin
 * isolated; elsewhere one thread is used, without an error. Each plan finds out by itself whether
 * several threads are faster.
 *
 * @throws if it is not a positive integer.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.set_num_threads.html
 */
export function setThreads(n: number): void {
  checkCount("setThreads", n);
  count = n;
}

export function checkCount(where: string, n: number): void {
  if (Number.isInteger(n) && n >= 1) return;
  throw new RangeError(`${where}: expects a positive integer, got ${n}`);
}
