import { defaultGenerator } from "./generator.js";
import { normal, type NormalOptions } from "./normal.js";
import { rand, uniform } from "./uniform.js";

export interface TruncNormalOptions extends NormalOptions {
  /** The least value, default -2. */
  a?: number;
  /** The greatest value, default 2. */
  b?: number;
}

const f = Math.fround;

/**
 * `size` samples of the normal distribution within [a, b], those of
 * `torch.nn.init.trunc_normal_(torch.empty(size), mean, std, a, b)`.
 *
 * Both methods draw again what they reject: normal samples outside of [a, b], if that interval has
 * a good part of the distribution; else uniform samples of [a, b], by the density.
 *
 * @throws RangeError if `std` is 0 or `a > b`.
 */
export function truncNormal(size: number, options: TruncNormalOptions = {}): Float32Array {
  const { mean = 0, std = 1, a = -2, b = 2 } = options;
  if (std === 0) throw new RangeError("trunc_normal_: float division by zero, std is 0");
  const mass = normalCdf((b - mean) / std) - normalCdf((a - mean) / std);
  return mass > 0.3 ? fromNormal(size, options) : fromUniform(size, options);
}

function fromNormal(
  size: number,
  { mean, std, a = -2, b = 2, generator }: TruncNormalOptions,
): Float32Array {
  const low = f(a);
  const high = f(b);
  const outside = (x: number): boolean => x < low || x > high;
  const samples = normal(size, { mean, std, generator });
  while (samples.some(outside)) {
    // As in PyTorch, a whole array is drawn, however few elements are missing.
    const fresh = normal(size, { mean, std, generator });
    samples.forEach((x, i) => {
      if (outside(x)) samples[i] = fresh[i]!;
    });
  }
  return samples;
}

function fromUniform(
  size: number,
  { mean = 0, std = 1, a = -2, b = 2, generator = defaultGenerator }: TruncNormalOptions,
): Float32Array {
  const mode = Math.max(a, Math.min(mean, b));
  const peak = f(-0.5 * ((mode - mean) / std) ** 2);
  /** The logarithm of the density relative to its maximum in [a, b], computed in float32. */
  const logDensity = (x: number): number => {
    const z = f(f(x - f(mean)) / f(std));
    return f(f(f(z * z) * -0.5) - peak);
  };

  const samples = new Float32Array(size);
  const pending = new Uint8Array(size).fill(1);
  do {
    const candidates = uniform(size, { from: a, to: b, generator });
    const height = rand(size, { generator });
    pending.forEach((isPending, i) => {
      if (!isPending) return;
      samples[i] = candidates[i]!;
      if (!(f(Math.log(height[i]!)) > logDensity(candidates[i]!))) pending[i] = 0;
    });
  } while (pending.includes(1));
  return samples;
}

const normalCdf = (x: number): number => (1 + erf(x / Math.SQRT2)) / 2;

/**
 * 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (1·3·5 … (2n+1)). All terms have one sign, so that nothing cancels.
 */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let sum = x;
  let term = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
