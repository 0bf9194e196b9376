const N = 624;
const M = 397;
const MATRIX_A = 0x9908b0df;
const UPPER_MASK = 0x80000000;
const LOWER_MASK = 0x7fffffff;

/** The seed of a generator that has not been seeded. */
const DEFAULT_SEED = 67280421310721n;

/** The size of PyTorch's `CPUGeneratorImplState`, which `getState` writes, in bytes. */
const STATE_SIZE = 5056;
const STATE_OFFSET = {
  seed: 0,
  left: 8,
  seeded: 12,
  next: 16,
  words: 24,
  normal: 5024,
  valid: 5040,
};

/**
 * PyTorch's CPU generator: the 32-bit Mersenne Twister mt19937, plus one normal sample that the
 * Box-Muller method may have in reserve.
 *
 * Source: `at::CPUGeneratorImpl`, https://docs.pytorch.org/docs/stable/generated/torch.Generator.html
 */
export class Generator {
  /** The Box-Muller method makes samples in pairs: the second one, until it is used. */
  nextNormalSample: number | undefined;

  readonly #words = new Uint32Array(N);
  #left = 1;
  #next = 0;
  #seed = DEFAULT_SEED;

  constructor() {
    this.manualSeed(DEFAULT_SEED);
  }

  /**
   * Starts the sequence that `torch.manual_seed(seed)` starts.
   *
   * @param seed an integer in [-2^63, 2^64); a negative one counts as `2^64 + seed`. As in PyTorch
   *   the sequence depends on the lower 32 bits only.
   * @throws TypeError if it is no integer, RangeError if it needs more than 64 bits.
   */
  manualSeed(seed: number | bigint): this {
    this.#seed = readSeed(seed);
    const words = this.#words;
    let word = Number(this.#seed & 0xffffffffn);
    words[0] = word;
    for (let i = 1; i < N; i++) {
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + i) | 0;
      words[i] = word;
    }
    this.#left = 1;
    this.#next = 0;
    this.nextNormalSample = undefined;
    return this;
  }

  /** Seeds from the system's entropy, and returns the seed (53 bits, as in PyTorch). */
  seed(): bigint {
    const [entropy = 0n] = crypto.getRandomValues(new BigUint64Array(1));
    this.manualSeed(entropy & 0x1fffffffffffffn);
    return this.#seed;
  }

  /** The seed that the current sequence started from. */
  initialSeed(): bigint {
    return this.#seed;
  }

  /** The next 32 random bits. */
  random(): number {
    if (--this.#left === 0) this.#twist();
    let y = this.#words[this.#next++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  /** The next 64 random bits; the first draw is the upper half. */
  random64(): bigint {
    const high = this.random();
    return (BigInt(high) << 32n) | BigInt(this.random());
  }

  /** The next float64 in [0, 1): 53 of 64 random bits. */
  randomDouble(): number {
    const high = this.random() & 0x1fffff;
    return (high * 2 ** 32 + this.random()) * 2 ** -53;
  }

  /** The whole state, in the bytes of `torch.Generator.get_state()`. */
  getState(): Uint8Array {
    const view = new DataView(new ArrayBuffer(STATE_SIZE));
    view.setBigUint64(STATE_OFFSET.seed, this.#seed, true);
    view.setInt32(STATE_OFFSET.left, this.#left, true);
    view.setInt32(STATE_OFFSET.seeded, 1, true);
    view.setUint32(STATE_OFFSET.next, this.#next, true);
    this.#words.forEach((word, i) => view.setUint32(STATE_OFFSET.words + 8 * i, word, true));
    view.setFloat64(STATE_OFFSET.normal, this.nextNormalSample ?? 0, true);
    view.setInt32(STATE_OFFSET.valid, this.nextNormalSample === undefined ? 0 : 1, true);
    return new Uint8Array(view.buffer);
  }

  /**
   * Continues from a state of `getState`, or of `torch.Generator.get_state()`.
   *
   * @throws RangeError if the bytes are not such a state.
   */
  setState(state: Uint8Array): this {
    if (state.byteLength !== STATE_SIZE) {
      throw new RangeError(
        `Expected a CPUGeneratorImplState of size ${STATE_SIZE} but found the input RNG state ` +
          `size to be ${state.byteLength}`,
      );
    }
    const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
    const left = view.getInt32(STATE_OFFSET.left, true);
    const next = view.getUint32(STATE_OFFSET.next, true);
    const seeded = view.getInt32(STATE_OFFSET.seeded, true) === 1;
    if (!seeded || left < 1 || left > N || next > N) throw new RangeError("Invalid mt19937 state");

    this.#seed = view.getBigUint64(STATE_OFFSET.seed, true);
    this.#left = left;
    this.#next = next;
    for (let i = 0; i < N; i++) {
      this.#words[i] = view.getUint32(STATE_OFFSET.words + 8 * i, true);
    }
    const valid = view.getInt32(STATE_OFFSET.valid, true) !== 0;
    this.nextNormalSample = valid ? view.getFloat64(STATE_OFFSET.normal, true) : undefined;
    return this;
  }

  /** Computes the next 624 words. */
  #twist(): void {
    const words = this.#words;
    for (let i = 0; i < N; i++) {
      const next = words[(i + 1) % N]!;
      const mixed = (words[i]! & UPPER_MASK) | (next & LOWER_MASK);
      words[i] = words[(i + M) % N]! ^ (mixed >>> 1) ^ (next & 1 ? MATRIX_A : 0);
    }
    this.#left = N;
    this.#next = 0;
  }
}

/** The option that every random function has besides its own. */
export interface GeneratorOption {
  /** Where the randomness comes from; the default generator unless given. */
  generator?: Generator;
}

function readSeed(seed: number | bigint): bigint {
  if (typeof seed !== "bigint" && !Number.isInteger(seed)) {
    throw new TypeError(`manual_seed expected a long, but got ${typeof seed} ${String(seed)}`);
  }
  const value = BigInt(seed);
  if (value < -(2n ** 63n) || value >= 2n ** 64n) {
    throw new RangeError(`Overflow when unpacking long long: the seed ${value} exceeds 64 bits`);
  }
  return BigInt.asUintN(64, value);
}

/** The generator that every random function draws from unless it is given another. */
export const defaultGenerator = new Generator();

/** `torch.manual_seed`: seeds the default generator, and returns it. */
export function manualSeed(seed: number | bigint): Generator {
  return defaultGenerator.manualSeed(seed);
}

/** `torch.seed`: seeds the default generator from the system's entropy, and returns the seed. */
export function seed(): bigint {
  return defaultGenerator.seed();
}

/** `torch.initial_seed`: the seed that the default generator started from. */
export function initialSeed(): bigint {
  return defaultGenerator.initialSeed();
}
