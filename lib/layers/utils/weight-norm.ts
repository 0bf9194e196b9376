import { readOptions } from "../../arguments.js";
import { normExceptDim, weightNorm as compute } from "../../functional/weight-norm.js";
import { defineComputed, removeComputed } from "../../module/computed.js";
import type { Module } from "../../module/index.js";
import { Empty, Parameter } from "../../module/index.js";
import { tidied } from "../../functional/tidied.js";
import { parameterOf, removeProperty } from "./tensor-of.js";

export interface WeightNormOptions {
  /** The name of the parameter. Default: `"weight"`. */
  name?: string;
  /** The dimension that has a length for each index; `null`: a single length. Default: 0. */
  dim?: number | null;
}

export const WEIGHT_NORM: Required<WeightNormOptions> = { name: "weight", dim: 0 };

/** The names of normalised parameters, with their dimension. */
const NORMS = Symbol("weightNorms");

type Normalised = Module & { [NORMS]?: Map<string, number | null> };

/** The shape of the lengths of a weight. */
export function lengthShape(shape: readonly number[], dim: number | null): number[] {
  return dim === null || dim === -1 ? [] : shape.map((size, i) => (i === dim ? size : 1));
}

/**
 * Replaces a weight in the state_dict by its length `weight_g` and its direction `weight_v`:
 * `weight = g v / ‖v‖`, computed whenever it is read. This is PyTorch's older form, with the keys
 * of older checkpoints; `nn.utils.parametrizations.weightNorm` is the newer one.
 *
 * Shapes: `weight_v` as the weight, `weight_g` 1 in all dimensions but `dim`, or `()` without one.
 *
 * @throws if the module has no such parameter, or it is normalised already.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.weight_norm.html
 */
export function weightNorm<T extends Module>(module: T, options?: WeightNormOptions): T {
  const { name, dim } = readOptions("weightNorm", WEIGHT_NORM, options);
  const norms = ((module as Normalised)[NORMS] ??= new Map());
  if (norms.has(name)) {
    throw new Error(`Cannot register two weight_norm hooks on the same parameter ${name}`);
  }
  const weight = parameterOf(module, name, "weightNorm");
  tidied(() => {
    const length = weight.isMeta
      ? new Empty(lengthShape(weight.shape, dim))
      : normExceptDim(weight, dim);
    removeProperty(module, name);
    module.registerParameter(`${name}_g`, new Parameter(length));
    module.registerParameter(`${name}_v`, weight);
  });
  norms.set(name, dim);
  defineComputed(module, name, {
    get() {
      const [v, g] = ["v", "g"].map((part) => parameterOf(this, `${name}_${part}`, "weightNorm"));
      return compute(v!, g!, dim);
    },
  });
  return module;
}

/**
 * Turns a parameter that `weightNorm` normalised into a plain one again.
 *
 * Shapes: the parameter `(*)` as it was before.
 *
 * @throws if it is not normalised.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.remove_weight_norm.html
 */
export function removeWeightNorm<T extends Module>(module: T, options?: { name?: string }): T {
  const { name } = readOptions("removeWeightNorm", { name: "weight" }, options);
  const norms = (module as Normalised)[NORMS];
  const dim = norms?.get(name);
  if (norms === undefined || dim === undefined) {
    throw new Error(`weight_norm of '${name}' not found in ${String(module)}`);
  }
  const [g, v] = ["g", "v"].map((part) => parameterOf(module, `${name}_${part}`, "weightNorm"));
  const isMeta = g!.isMeta || v!.isMeta;
  const weight = tidied(() => new Parameter(isMeta ? new Empty(v!.shape) : compute(v!, g!, dim)));
  for (const part of [g, v]) part!.dispose();
  for (const part of ["g", "v"]) removeProperty(module, `${name}_${part}`);
  norms.delete(name);
  removeComputed(module, name);
  module.registerParameter(name, weight);
  return module;
}
