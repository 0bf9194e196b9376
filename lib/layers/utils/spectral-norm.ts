import type * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../../arguments.js";
import * as F from "../../functional/index.js";
import { tidied } from "../../functional/tidied.js";
import {
  matrixSize,
  powerIteration,
  spectralNorm as compute,
} from "../../functional/weight-norm.js";
import { inTraining } from "../../module/call.js";
import { defineComputed, removeComputed } from "../../module/computed.js";
import type { Parameter } from "../../module/index.js";
import { Buffer, Empty, type HookHandle, init, type Module } from "../../module/index.js";
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from "../conv-transpose.js";
import { parameterOf, property, removeProperty } from "./tensor-of.js";

export interface SpectralNormOptions {
  /** The name of the parameter. Default: `"weight"`. */
  name?: string;
  /** Steps of the power method at each call in training mode. Default: 1. */
  nPowerIterations?: number;
  /** The smallest value for a norm. Default: 1e-12. */
  eps?: number;
  /** The dimension of the matrix's rows. Default: 1 for transposed convolutions, else 0. */
  dim?: number | null;
}

export const SPECTRAL_NORM: Required<SpectralNormOptions> = {
  name: "weight",
  nPowerIterations: 1,
  eps: 1e-12,
  dim: null,
};

interface Settings {
  dim: number;
  eps: number;
  iterations: number;
  hook: HookHandle;
}

/** The names of normalised parameters. */
const NORMS = Symbol("spectralNorms");

type Normalised = Module & { [NORMS]?: Map<string, Settings> };

/** PyTorch's default: the dimension of the output's channels. */
export function defaultDim(module: Module): number {
  const transposed = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d];
  return transposed.some((type) => module instanceof type) ? 1 : 0;
}

export function checkIterations(iterations: number): void {
  if (iterations > 0) return;
  throw new RangeError(
    `Expected n_power_iterations to be positive, but got n_power_iterations=${iterations}`,
  );
}

/** A random unit vector. */
export function unitVector(size: number, eps: number): Buffer {
  const vector = init.normal_(new Buffer(new Empty([size])));
  if (!vector.isMeta) tidied(() => vector.assign(F.normalize(vector, { dim: 0, eps })));
  return vector;
}

function parts(module: Module, name: string): { weight: Parameter; u: tf.Tensor; v: tf.Tensor } {
  const weight = parameterOf(module, `${name}_orig`, "spectralNorm");
  const u = property(module, `${name}_u`) as tf.Tensor;
  return { weight, u, v: property(module, `${name}_v`) as tf.Tensor };
}

/**
 * Divides a weight by its largest singular value whenever it is read. The state_dict has the
 * original weight, `weight_orig`, and vectors `weight_u` and `weight_v`, which each call in
 * training mode updates. This is PyTorch's older form, with the keys of older checkpoints;
 * `nn.utils.parametrizations.spectralNorm` is the newer one.
 *
 * Shapes: of a weight whose `dim` has n places and whose other dimensions have m, `weight_u` is `(n)`
 * and `weight_v` `(m)`.
 *
 * @throws if the module has no such parameter, or it is normalised already.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.spectral_norm.html
 */
export function spectralNorm<T extends Module>(module: T, options?: SpectralNormOptions): T {
  const read = readOptions("spectralNorm", SPECTRAL_NORM, options);
  const { name, eps, nPowerIterations: iterations } = read;
  const dim = read.dim ?? defaultDim(module);
  const norms = ((module as Normalised)[NORMS] ??= new Map());
  if (norms.has(name)) {
    throw new Error(`Cannot register two spectral_norm hooks on the same parameter ${name}`);
  }
  checkIterations(iterations);
  const weight = parameterOf(module, name, "spectralNorm");
  const [rows, columns] = matrixSize(weight.shape, dim);
  const u = unitVector(rows, eps);
  const v = unitVector(columns, eps);
  removeProperty(module, name);
  module.registerParameter(`${name}_orig`, weight);
  setBuffer(module, `${name}_u`, u);
  setBuffer(module, `${name}_v`, v);
  const improve = inTraining((called) => {
    if (!called.training) return;
    const now = parts(called, name);
    const [left, right] = powerIteration(now.weight, now.u, now.v, {
      ...{ dim, eps, iterations, first: "v" },
    });
    (now.u as Buffer).assign(left);
    (now.v as Buffer).assign(right);
  });
  const hook = module.registerForwardPreHook(improve);
  norms.set(name, { dim, eps, iterations, hook });
  defineComputed(module, name, {
    get() {
      const now = parts(this, name);
      return compute(now.weight, now.u, now.v, dim);
    },
  });
  return module;
}

function setBuffer(module: Module, name: string, buffer: Buffer): void {
  (module as unknown as Record<string, unknown>)[name] = buffer;
}

/**
 * Turns a parameter that `spectralNorm` normalised into a plain one again.
 *
 * Shapes: the parameter `(*)` as it was before.
 *
 * @throws if it is not normalised.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.remove_spectral_norm.html
 */
export function removeSpectralNorm<T extends Module>(module: T, options?: { name?: string }): T {
  const { name } = readOptions("removeSpectralNorm", { name: "weight" }, options);
  const norms = (module as Normalised)[NORMS];
  const settings = norms?.get(name);
  if (norms === undefined || settings === undefined) {
    throw new Error(`spectral_norm of '${name}' not found in ${String(module)}`);
  }
  const { weight, u, v } = parts(module, name);
  if (!weight.isMeta) tidied(() => weight.assign(compute(weight, u, v, settings.dim)));
  u.dispose();
  v.dispose();
  for (const part of ["orig", "u", "v"]) removeProperty(module, `${name}_${part}`);
  norms.delete(name);
  settings.hook.remove();
  removeComputed(module, name);
  module.registerParameter(name, weight);
  return module;
}
