import { checkSize } from "./check.js";
import { defaultGenerator, type GeneratorOption } from "./generator.js";

/**
 * From this range on PyTorch uses 64 random bits per integer, so that the modulo operation stays
 * fair.
 */
const WIDE_RANGE = 2 ** 28;

/**
 * `size` integers of [low, high), those of `torch.randint(low, high, [size])`.
 *
 * @returns float64, which holds every safe integer.
 * @throws RangeError if `low >= high`, or if one of them is not a safe integer.
 */
export function randint(
  size: number,
  low: number,
  high: number,
  { generator = defaultGenerator }: GeneratorOption = {},
): Float64Array {
  checkSize(size);
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high)) {
    throw new RangeError(`randint: low and high must be safe integers, got ${low} and ${high}`);
  }
  if (low >= high) {
    throw new RangeError(
      `random_ expects 'from' to be less than 'to', but got from=${low} >= to=${high}`,
    );
  }
  const range = BigInt(high) - BigInt(low);
  const samples = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    samples[i] =
      range < WIDE_RANGE
        ? low + (generator.random() % (high - low))
        : Number(BigInt(low) + (generator.random64() % range));
  }
  return samples;
}

/** The integers 0 … n - 1 in the order of `torch.randperm(n)`: a Fisher-Yates shuffle. */
export function randperm(
  n: number,
  { generator = defaultGenerator }: GeneratorOption = {},
): Int32Array {
  checkSize(n);
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < n - 1; i++) {
    const j = i + (generator.random() % (n - i));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/**
 * `size` samples that are 1 with probability `p` and 0 otherwise, those of
 * `torch.empty(size).bernoulli_(p)`.
 *
 * @throws RangeError if `p` is not in [0, 1].
 */
export function bernoulli(
  size: number,
  p: number,
  { generator = defaultGenerator }: GeneratorOption = {},
): Float32Array {
  checkSize(size);
  if (!(p >= 0 && p <= 1)) {
    throw new RangeError(`bernoulli_ expects p to be in [0, 1], but got p=${p}`);
  }
  const samples = new Float32Array(size);
  for (let i = 0; i < size; i++) samples[i] = generator.randomDouble() < p ? 1 : 0;
  return samples;
}
