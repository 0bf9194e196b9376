/**
 * `torch.nn.init`: each function writes new values into a parameter or buffer, and returns it.
 * Random ones come from the generator that `manualSeed` seeds. Inside `nn.meta` the functions do
 * nothing.
 *
 * See https://docs.pytorch.org/docs/stable/nn.init.html
 */
import * as values from "../random/init.js";
import { inMeta } from "./meta.js";
import type { State } from "./parameter.js";

export { calculateFanInAndFanOut, calculateGain } from "../random/init.js";

type Shape = readonly number[];

function fill<T extends State>(tensor: T, make: (shape: Shape) => Float32Array): T {
  if (!inMeta()) tensor.fill(make(tensor.shape));
  return tensor;
}

/** U(a, b); defaults 0 and 1. */
export function uniform_<T extends State>(tensor: T, options?: values.UniformInitOptions): T {
  return fill(tensor, (shape) => values.uniform(shape, options));
}

/** N(mean, std²); defaults 0 and 1. */
export function normal_<T extends State>(
  tensor: T,
  options?: Parameters<typeof values.normal>[1],
): T {
  return fill(tensor, (shape) => values.normal(shape, options));
}

/** N(mean, std²) within [a, b]; defaults 0, 1, -2, 2. */
export function truncNormal_<T extends State>(
  tensor: T,
  options?: Parameters<typeof values.truncNormal>[1],
): T {
  return fill(tensor, (shape) => values.truncNormal(shape, options));
}

/** One value everywhere. */
export function constant_<T extends State>(tensor: T, value: number): T {
  return fill(tensor, (shape) => values.constant(shape, value));
}

/** 1 everywhere. */
export function ones_<T extends State>(tensor: T): T {
  return fill(tensor, values.ones);
}

/** 0 everywhere. */
export function zeros_<T extends State>(tensor: T): T {
  return fill(tensor, values.zeros);
}

/** The identity matrix; 2 dimensions. */
export function eye_<T extends State>(tensor: T): T {
  return fill(tensor, values.eye);
}

/** The identity of a convolution; 3 to 5 dimensions. */
export function dirac_<T extends State>(tensor: T, options?: { groups?: number }): T {
  return fill(tensor, (shape) => values.dirac(shape, options));
}

/** Glorot's uniform one: ±gain √(6 / (fanIn + fanOut)). */
export function xavierUniform_<T extends State>(tensor: T, options?: values.GainOptions): T {
  return fill(tensor, (shape) => values.xavierUniform(shape, options));
}

/** Glorot's normal one: std gain √(2 / (fanIn + fanOut)). */
export function xavierNormal_<T extends State>(tensor: T, options?: values.GainOptions): T {
  return fill(tensor, (shape) => values.xavierNormal(shape, options));
}

/** He's uniform one: ±gain √(3 / fan). */
export function kaimingUniform_<T extends State>(tensor: T, options?: values.KaimingOptions): T {
  return fill(tensor, (shape) => values.kaimingUniform(shape, options));
}

/** He's normal one: std gain / √fan. */
export function kaimingNormal_<T extends State>(tensor: T, options?: values.KaimingOptions): T {
  return fill(tensor, (shape) => values.kaimingNormal(shape, options));
}

/** A (semi) orthogonal matrix; at least 2 dimensions. */
export function orthogonal_<T extends State>(tensor: T, options?: values.GainOptions): T {
  return fill(tensor, (shape) => values.orthogonal(shape, options));
}

/** N(0, std²) with a fraction `sparsity` of each column zero; 2 dimensions. */
export function sparse_<T extends State>(
  tensor: T,
  sparsity: number,
  options?: values.SparseOptions,
): T {
  return fill(tensor, (shape) => values.sparse(shape, sparsity, options));
}
