import { cosSin, log } from "./cephes.js";
import { checkSize, formatFloat } from "./check.js";
import { defaultGenerator, type Generator, type GeneratorOption } from "./generator.js";
import { rand } from "./uniform.js";

export interface NormalOptions extends GeneratorOption {
  /** Default 0. */
  mean?: number;
  /** Standard deviation, default 1. */
  std?: number;
}

const f = Math.fround;
const TWO_PI = f(2 * Math.PI);

/**
 * `size` samples of the normal distribution, those of `torch.empty(size).normal_(mean, std)`.
 *
 * There are two methods, as in PyTorch: fewer than 16 samples are computed one by one in float64,
 * more in blocks of 16 in float32.
 *
 * @throws RangeError if `std` is negative.
 */
export function normal(
  size: number,
  { mean = 0, std = 1, generator = defaultGenerator }: NormalOptions = {},
): Float32Array {
  checkSize(size);
  if (!(std >= 0)) {
    throw new RangeError(`normal expects std >= 0.0, but found std ${formatFloat(std)}`);
  }
  if (size < 16) {
    return Float32Array.from({ length: size }, () => normalSample(generator) * std + mean);
  }
  const samples = rand(size, { generator });
  for (let i = 0; i + 16 <= size; i += 16) boxMuller16(samples, i, f(mean), f(std));
  if (size % 16 !== 0) {
    // The last 16 samples are drawn again, which redraws some of the previous block.
    samples.set(rand(16, { generator }), size - 16);
    boxMuller16(samples, size - 16, f(mean), f(std));
  }
  return samples;
}

/** `torch.randn(size)`: samples of the standard normal distribution. */
export function randn(size: number, { generator }: GeneratorOption = {}): Float32Array {
  return normal(size, { generator });
}

/** One standard normal sample in float64; the second of the pair is kept in the generator. */
function normalSample(generator: Generator): number {
  const twin = generator.nextNormalSample;
  generator.nextNormalSample = undefined;
  if (twin !== undefined) return twin;

  const theta = 2 * Math.PI * generator.randomDouble();
  const radius = Math.sqrt(-2 * Math.log1p(-generator.randomDouble()));
  generator.nextNormalSample = radius * Math.sin(theta);
  return radius * Math.cos(theta);
}

const pair = new Float32Array(2);

/**
 * Turns 16 uniform samples from index `start` on into normal ones; the i-th is paired with the
 * i+8-th.
 */
function boxMuller16(data: Float32Array, start: number, mean: number, std: number): void {
  for (let i = start; i < start + 8; i++) {
    const radius = f(Math.sqrt(-2 * log(1 - data[i]!)));
    cosSin(f(TWO_PI * data[i + 8]!), pair);
    data[i] = f(radius * pair[0]!) * std + mean;
    data[i + 8] = f(radius * pair[1]!) * std + mean;
  }
}
