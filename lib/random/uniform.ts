import { checkSize, formatFloat } from "./check.js";
import { defaultGenerator, type GeneratorOption } from "./generator.js";

export interface UniformOptions extends GeneratorOption {
  /** The lower bound, included; default 0. */
  from?: number;
  /** The upper bound, excluded; default 1. */
  to?: number;
}

const f = Math.fround;
const FLOAT_MAX = (2 - 2 ** -23) * 2 ** 127;

/**
 * `size` samples of the uniform distribution on [from, to), those of
 * `torch.empty(size).uniform_(from, to)`, bit for bit.
 *
 * @throws RangeError if `from > to`, or if a bound or `to - from` is not a finite float32.
 */
export function uniform(
  size: number,
  { from = 0, to = 1, generator = defaultGenerator }: UniformOptions = {},
): Float32Array {
  checkSize(size);
  checkBounds(from, to);
  const low = f(from);
  const high = f(to);
  const range = f(high - low);
  const samples = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const x = (generator.random() & 0xffffff) * 2 ** -24;
    const value = f(x * range + low); // one rounding, as PyTorch's fused multiply-add
    samples[i] = value === high ? low : value;
  }
  return samples;
}

/** `torch.rand(size)`: uniform samples of [0, 1). */
export function rand(size: number, { generator }: GeneratorOption = {}): Float32Array {
  return uniform(size, { generator });
}

function checkBounds(from: number, to: number): void {
  if (!(Math.abs(from) <= FLOAT_MAX)) throw new RangeError("from is out of bounds for float");
  if (!(Math.abs(to) <= FLOAT_MAX)) throw new RangeError("to is out of bounds for float");
  if (from > to) {
    throw new RangeError(
      "uniform_ expects to return a [from, to) range, " +
        `but found from=${formatFloat(from)} > to=${formatFloat(to)}`,
    );
  }
  if (to - from > FLOAT_MAX) {
    throw new RangeError(
      "uniform_ expects to-from <= std::numeric_limits<Float>::max(), " +
        `but found to=${formatFloat(to)} and from=${formatFloat(from)} ` +
        "which result in to-from to exceed the limit",
    );
  }
}
