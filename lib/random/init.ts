/**
 * The mathematics of `torch.nn.init` as functions of a shape: each returns the values, row-major,
 * that PyTorch's in-place function of that name leaves in a float32 tensor on the CPU.
 *
 * Source: https://docs.pytorch.org/docs/stable/nn.init.html
 */
import { randperm } from "./discrete.js";
import {
  calculateCorrectFan,
  calculateFanInAndFanOut,
  calculateGain,
  type FanMode,
  type Nonlinearity,
} from "./gain.js";
import type { GeneratorOption } from "./generator.js";
import { normal as sampleNormal, type NormalOptions } from "./normal.js";
import { orthonormalizeRows, transpose } from "./orthogonal.js";
import { truncNormal as sampleTruncNormal, type TruncNormalOptions } from "./trunc-normal.js";
import { uniform as sampleUniform } from "./uniform.js";

export { calculateFanInAndFanOut, calculateGain, type FanMode, type Nonlinearity };

type Shape = readonly number[];

export interface UniformInitOptions extends GeneratorOption {
  /** The lower bound, default 0. */
  a?: number;
  /** The upper bound, default 1. */
  b?: number;
}

export interface GainOptions extends GeneratorOption {
  /** A factor on all values, default 1. */
  gain?: number;
}

export interface KaimingOptions extends GeneratorOption {
  /** The negative slope of the `leaky_relu` behind the layer, default 0. */
  a?: number;
  /** Default `"fan_in"`. */
  mode?: FanMode;
  /** Default `"leaky_relu"`. */
  nonlinearity?: Nonlinearity;
}

export interface SparseOptions extends GeneratorOption {
  /** Standard deviation of the other values, default 0.01. */
  std?: number;
}

const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

/** Values of the uniform distribution on [a, b). */
export function uniform(shape: Shape, { a, b, generator }: UniformInitOptions = {}): Float32Array {
  return sampleUniform(sizeOf(shape), { from: a, to: b, generator });
}

/** Values of the normal distribution. */
export function normal(shape: Shape, options: NormalOptions = {}): Float32Array {
  return sampleNormal(sizeOf(shape), options);
}

/** Values of the normal distribution, those outside [a, b] redrawn. */
export function truncNormal(shape: Shape, options: TruncNormalOptions = {}): Float32Array {
  return sampleTruncNormal(sizeOf(shape), options);
}

/** `value` everywhere. */
export function constant(shape: Shape, value: number): Float32Array {
  return new Float32Array(sizeOf(shape)).fill(value);
}

/** 1 everywhere. */
export const ones = (shape: Shape): Float32Array => constant(shape, 1);

/** 0 everywhere. */
export const zeros = (shape: Shape): Float32Array => constant(shape, 0);

/**
 * The identity matrix, of a shape (rows, cols).
 *
 * @throws RangeError unless there are 2 dimensions.
 */
export function eye(shape: Shape): Float32Array {
  const [rows, cols] = matrixShape(shape);
  const values = zeros(shape);
  for (let i = 0; i < Math.min(rows, cols); i++) values[i * cols + i] = 1;
  return values;
}

/**
 * The kernel of a convolution that passes its input channels through, group by group: 1 at the
 * centre of the kernel from input `d` to output `d` of each group.
 *
 * @throws RangeError unless the shape (out, in, ...kernel) has 3, 4 or 5 dimensions and `groups`
 *   divides `out`.
 */
export function dirac(shape: Shape, { groups = 1 }: { groups?: number } = {}): Float32Array {
  if (shape.length < 3 || shape.length > 5) {
    throw new RangeError(
      `Only tensors with 3, 4, or 5 dimensions are supported, but got shape [${shape.join(", ")}]`,
    );
  }
  const [outputs = 0, inputs = 0, ...kernel] = shape;
  if (outputs % groups !== 0) {
    throw new RangeError(
      `dim 0 must be divisible by groups, but got ${outputs} and groups=${groups}`,
    );
  }
  const kernelSize = sizeOf(kernel);
  const middle = kernel.reduce((index, size) => index * size + Math.floor(size / 2), 0);
  const outputsPerGroup = outputs / groups;
  const values = zeros(shape);
  for (let group = 0; group < groups; group++) {
    for (let d = 0; d < Math.min(outputsPerGroup, inputs); d++) {
      const output = group * outputsPerGroup + d;
      values[(output * inputs + d) * kernelSize + middle] = 1;
    }
  }
  return values;
}

/** Uniform in ±gain √(6 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
export function xavierUniform(shape: Shape, options: GainOptions = {}): Float32Array {
  const bound = Math.sqrt(3) * xavierStd(shape, options);
  return uniform(shape, { a: -bound, b: bound, generator: options.generator });
}

/** Normal with std gain √(2 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
export function xavierNormal(shape: Shape, options: GainOptions = {}): Float32Array {
  return normal(shape, { std: xavierStd(shape, options), generator: options.generator });
}

/** Uniform in ±gain √(3 / fan) (He et al. 2015). */
export function kaimingUniform(shape: Shape, options: KaimingOptions = {}): Float32Array {
  if (shape.includes(0)) return new Float32Array(0);
  const bound = Math.sqrt(3) * kaimingStd(shape, options);
  return uniform(shape, { a: -bound, b: bound, generator: options.generator });
}

/** Normal with std gain / √fan (He et al. 2015). */
export function kaimingNormal(shape: Shape, options: KaimingOptions = {}): Float32Array {
  if (shape.includes(0)) return new Float32Array(0);
  return normal(shape, { std: kaimingStd(shape, options), generator: options.generator });
}

/**
 * A (semi) orthogonal matrix (rows, cols), where trailing dimensions count as columns: the Q of a
 * random normal matrix (Saxe et al. 2013). Computed in float64, so the last bits may differ from
 * those of PyTorch's float32 LAPACK.
 *
 * @throws RangeError if there are fewer than 2 dimensions.
 */
export function orthogonal(shape: Shape, { gain = 1, generator }: GainOptions = {}): Float32Array {
  if (shape.length < 2) {
    throw new RangeError(
      `Only tensors with 2 or more dimensions are supported, but got shape [${shape.join(", ")}]`,
    );
  }
  const rows = shape[0]!;
  const cols = sizeOf(shape.slice(1));
  let matrix: Float64Array = Float64Array.from(normal(shape, { generator }));
  if (rows < cols) {
    orthonormalizeRows(matrix, rows, cols);
  } else {
    matrix = transpose(matrix, rows, cols);
    orthonormalizeRows(matrix, cols, rows);
    matrix = transpose(matrix, cols, rows);
  }
  return Float32Array.from(matrix, (value) => value * gain);
}

/**
 * Normal values of a matrix (rows, cols), with a fraction `sparsity` of the rows set to zero in
 * each column. As in PyTorch these rows are chosen by the default generator, whatever `generator`
 * is.
 *
 * @throws RangeError unless there are 2 dimensions.
 */
export function sparse(
  shape: Shape,
  sparsity: number,
  { std = 0.01, generator }: SparseOptions = {},
): Float32Array {
  const [rows, cols] = matrixShape(shape);
  const zeroCount = Math.ceil(sparsity * rows);
  const values = normal(shape, { std, generator });
  for (let col = 0; col < cols; col++) {
    for (const row of randperm(rows).subarray(0, zeroCount)) values[row * cols + col] = 0;
  }
  return values;
}

function matrixShape(shape: Shape): [number, number] {
  const [rows, cols] = shape;
  if (shape.length !== 2 || rows === undefined || cols === undefined) {
    throw new RangeError(
      `Only tensors with 2 dimensions are supported, but got shape [${shape.join(", ")}]`,
    );
  }
  return [rows, cols];
}

function xavierStd(shape: Shape, { gain = 1 }: GainOptions): number {
  const [fanIn, fanOut] = calculateFanInAndFanOut(shape);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

function kaimingStd(
  shape: Shape,
  { a = 0, mode = "fan_in", nonlinearity = "leaky_relu" }: KaimingOptions,
): number {
  const fan = calculateCorrectFan(shape, mode);
  return calculateGain(nonlinearity, a) / Math.sqrt(fan);
}
