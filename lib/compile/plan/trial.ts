/** Runs before the faster way is settled, each way in turn. */
const RUNS = 14;
/** The first ones do not count: each thread still compiles its code, quick and slow, and then well. */
const WARM_UP = 6;

/** Finds out whether several threads are faster than one, by the first runs; the results are equal. */
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
