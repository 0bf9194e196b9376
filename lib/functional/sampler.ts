/** The source of random numbers for functions that draw them. */
export interface Sampler {
  /** `size` samples: 1 with probability p, else 0. */
  bernoulli(size: number, p: number): Float32Array;
  /** `size` samples of [from, to). */
  uniform(size: number, range: { from: number; to: number }): Float32Array;
  /** One sample of [0, 1) in float64. */
  double(): number;
}

let current: Sampler = {
  bernoulli: (size, p) => Float32Array.from({ length: size }, () => (Math.random() < p ? 1 : 0)),
  uniform: (size, { from, to }) =>
    Float32Array.from({ length: size }, () => from + Math.random() * (to - from)),
  double: () => Math.random(),
};

export const sampler = (): Sampler => current;

/** Replaces the source of random numbers; `nn` sets the generator that `manualSeed` seeds. */
export function setSampler(next: Sampler): void {
  current = next;
}

/** @throws unless p is in [0, 1]. */
export function checkProbability(p: number): void {
  if (p >= 0 && p <= 1) return;
  throw new RangeError(`dropout probability has to be between 0 and 1, but got ${p}`);
}
