import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../../arguments.js";
import * as F from "../../functional/index.js";
import { tidied } from "../../functional/tidied.js";
import {
  matrixSize,
  normExceptDim,
  powerIteration,
  spectralNorm as divide,
  weightNorm as compute,
} from "../../functional/weight-norm.js";
import { type Buffer, Module } from "../../module/index.js";
import { isParametrized, registerParametrization } from "./parametrize.js";
import { checkIterations, defaultDim, SPECTRAL_NORM, unitVector } from "./spectral-norm.js";
import type { SpectralNormOptions } from "./spectral-norm.js";
import { property, stateOf } from "./tensor-of.js";
import { lengthShape, WEIGHT_NORM, type WeightNormOptions } from "./weight-norm.js";

class WeightNorm extends Module {
  static override readonly name: string = "_WeightNorm";

  constructor(private readonly dim: number | null) {
    super();
  }

  override forward(g: tf.Tensor, v: tf.Tensor): tf.Tensor {
    return compute(v, g, this.dim);
  }

  rightInverse(weight: tf.Tensor): tf.Tensor[] {
    return [normExceptDim(weight, this.dim), weight];
  }

  originalShapes(shape: readonly number[]): (readonly number[])[] {
    return [lengthShape(shape, this.dim), shape];
  }
}

/**
 * Replaces a weight by its length `parametrizations.weight.original0` and its direction
 * `parametrizations.weight.original1`, from which it is computed whenever it is read. A state_dict
 * with the older keys, `weight_g` and `weight_v`, can be loaded too.
 *
 * Shapes: `original1` as the weight, `original0` 1 in all dimensions but `dim`, or `()` without one.
 *
 * @throws if the module has no such parameter.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html
 */
export function weightNorm<T extends Module>(module: T, options?: WeightNormOptions): T {
  const { name, dim } = readOptions("weightNorm", WEIGHT_NORM, options);
  registerParametrization(module, name, new WeightNorm(dim), { unsafe: true });
  module.registerLoadStateDictPreHook((state, prefix) => {
    const [g, v] = [state.get(`${prefix}${name}_g`), state.get(`${prefix}${name}_v`)];
    if (g === undefined || v === undefined) return;
    state.delete(`${prefix}${name}_g`);
    state.delete(`${prefix}${name}_v`);
    state.set(`${prefix}parametrizations.${name}.original0`, g);
    state.set(`${prefix}parametrizations.${name}.original1`, v);
  });
  return module;
}

/** The number of initial steps in PyTorch. */
const FIRST_ITERATIONS = 15;

class SpectralNorm extends Module {
  static override readonly name: string = "_SpectralNorm";

  readonly dim: number;
  _u?: Buffer;
  _v?: Buffer;

  constructor(
    weight: tf.Tensor & { readonly isMeta?: boolean },
    private readonly iterations: number,
    dim: number,
    private readonly eps: number,
  ) {
    super();
    const { rank } = weight;
    if (dim >= rank || dim < -rank) {
      throw new RangeError(
        `Dimension out of range (expected to be in range of [${-rank}, ${rank - 1}] but got ${dim})`,
      );
    }
    checkIterations(iterations);
    this.dim = dim < 0 ? dim + rank : dim;
    if (rank === 1) return;
    const [rows, columns] = matrixSize(weight.shape, this.dim);
    this._u = unitVector(rows, eps);
    this._v = unitVector(columns, eps);
    if (!weight.isMeta) tidied(() => this.improve(weight, FIRST_ITERATIONS));
  }

  private improve(weight: tf.Tensor, iterations: number): void {
    const { dim, eps } = this;
    const options = { dim, eps, iterations, first: "u" as const };
    const [u, v] = powerIteration(weight, this._u!, this._v!, options);
    this._u!.assign(u);
    this._v!.assign(v);
  }

  override forward(weight: tf.Tensor): tf.Tensor {
    if (this._u === undefined) return F.normalize(weight, { dim: 0, eps: this.eps });
    if (this.training) this.improve(weight, this.iterations);
    return divide(weight, this._u, this._v!, this.dim);
  }

  rightInverse(weight: tf.Tensor): tf.Tensor {
    return weight;
  }
}

/**
 * Divides a weight by its largest singular value. The state_dict has the original weight,
 * `parametrizations.weight.original`, and the vectors `parametrizations.weight.0._u` and `._v`,
 * which each read in training mode updates.
 *
 * Shapes: of a weight whose `dim` has n places and whose other dimensions have m, `_u` is `(n)` and
 * `_v` `(m)`.
 *
 * @throws if the module has no such parameter.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.spectral_norm.html
 */
export function spectralNorm<T extends Module>(module: T, options?: SpectralNormOptions): T {
  const read = readOptions("spectralNorm", SPECTRAL_NORM, options);
  const dim = read.dim ?? defaultDim(module);
  const parametrization = tidied(() => {
    // A weight that is parametrized already is made here.
    const weight = isParametrized(module, read.name)
      ? (property(module, read.name) as tf.Tensor)
      : stateOf(module, read.name, "spectralNorm");
    return new SpectralNorm(weight, read.nPowerIterations, dim, read.eps);
  });
  return registerParametrization(module, read.name, parametrization);
}
