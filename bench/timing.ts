/** Timing in interleaved rounds, so that a machine that slows down affects all candidates alike. */

export interface TimingOptions {
  /** The number of rounds; each candidate runs once per round. Default: 15. */
  rounds?: number;
  /** The shortest time that one measurement of a candidate may take, in ms. Default: 20. */
  minTime?: number;
  /** How often each candidate runs before it is timed. Default: 3. */
  warmUp?: number;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/** The geometric mean; `NaN` for an empty list. */
export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, one) => sum + Math.log(one), 0) / values.length);

function time(run: () => void, times: number): number {
  const began = performance.now();
  for (let i = 0; i < times; i += 1) run();
  return (performance.now() - began) / times;
}

/** The median time of each candidate in milliseconds. */
export function measure<K extends string>(
  candidates: Record<K, () => void>,
  { rounds = 15, minTime = 20, warmUp = 3 }: TimingOptions = {},
): Record<K, number> {
  const entries = Object.entries(candidates) as [K, () => void][];
  const repeats = entries.map(([, run]) => {
    if (warmUp > 0) time(run, warmUp); // lets the engine compile, and the GPU build its programs
    return Math.max(1, Math.ceil(minTime / Math.max(time(run, 1), 1e-3)));
  });
  const times = entries.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    entries.forEach(([, run], i) => times[i]!.push(time(run, repeats[i]!)));
  }
  return Object.fromEntries(entries.map(([name], i) => [name, median(times[i]!)])) as Record<
    K,
    number
  >;
}
