/** How many runs to measure with each way, in turn, before deciding. */
const RUNS = 14;
/** The first runs do not count, because each thread is still compiling its code. */
const WARM_UP = 6;

/**
 * Finds out by the first runs whether several threads are faster than one; both give equal results.
 */
export class Trial {
  private count = 0;
  private readonly best = [Infinity, Infinity];

  run(alone: () => void, together: () => void): void {
    const isOpen = this.count < RUNS;
    const way = isOpen ? this.count % 2 : this.best[0]! <= this.best[1]! ? 0 : 1;
    const began = performance.now();
    if (way === 0) alone();
    else together();
    if (!isOpen) return;
    this.count += 1;
    if (this.count > WARM_UP) this.best[way] = Math.min(this.best[way]!, performance.now() - began);
  }
}
