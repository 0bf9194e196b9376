import { log } from "./log.js";
import { NdArray } from "./nd-array.js";

const N = 624;
const M = 397;

/**
 * numpy's legacy generator, `np.random.RandomState`: the Mersenne Twister mt19937, 53-bit floats
 * and the polar method for normal numbers. (It shares no code with lib/random on purpose.)
 *
 * Source: https://numpy.org/doc/stable/reference/random/legacy.html
 */
export class RandomState {
  readonly #words = new Uint32Array(N);
  #next = N;
  /** The polar method makes normal numbers in pairs: the second one, until it is used. */
  #twin: number | undefined;

  /** @param seed an integer in [0, 2^32); from the system's entropy unless given. */
  constructor(seed?: number) {
    this.seed(seed);
  }

  /**
   * Starts the sequence that `np.random.seed(seed)` starts.
   *
   * @throws RangeError if the seed is not an integer in [0, 2^32).
   */
  seed(seed: number = crypto.getRandomValues(new Uint32Array(1))[0]!): void {
    if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
      throw new RangeError(`Seed must be between 0 and 2**32 - 1, but got ${String(seed)}`);
    }
    let word = seed >>> 0;
    for (let i = 0; i < N; i++) {
      this.#words[i] = word;
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + i + 1) >>> 0;
    }
    this.#next = N;
    this.#twin = undefined;
  }

  /** Uniform random numbers in [0, 1), in an array of that shape. */
  rand(...shape: number[]): NdArray {
    return NdArray.generate(shape, () => this.#double());
  }

  /** Standard normal random numbers, in an array of that shape. */
  randn(...shape: number[]): NdArray {
    return NdArray.generate(shape, () => this.#gauss());
  }

  #gauss(): number {
    if (this.#twin !== undefined) {
      const twin = this.#twin;
      this.#twin = undefined;
      return twin;
    }
    let x: number, y: number, square: number;
    do {
      x = 2 * this.#double() - 1;
      y = 2 * this.#double() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const scale = Math.sqrt((-2 * log(square)) / square);
    this.#twin = scale * x;
    return scale * y;
  }

  #double(): number {
    const high = this.#word() >>> 5;
    const low = this.#word() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  #word(): number {
    if (this.#next === N) this.#twist();
    let y = this.#words[this.#next++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #twist(): void {
    const words = this.#words;
    for (let i = 0; i < N; i++) {
      const next = words[(i + 1) % N]!;
      const mixed = (words[i]! & 0x80000000) | (next & 0x7fffffff);
      words[i] = words[(i + M) % N]! ^ (mixed >>> 1) ^ (next & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }
}

const globalState = new RandomState();

/** `np.random.seed`: restarts the sequence that `rand` and `randn` draw from. */
export function seed(value?: number): void {
  globalState.seed(value);
}

/** `np.random.rand(...shape)`: uniform numbers of [0, 1). */
export function rand(...shape: number[]): NdArray {
  return globalState.rand(...shape);
}

/** `np.random.randn(...shape)`: numbers of the standard normal distribution. */
export function randn(...shape: number[]): NdArray {
  return globalState.randn(...shape);
}
