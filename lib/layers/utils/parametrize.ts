import * as tf from "@tensorflow/tfjs-core";
import { describe, readOptions } from "../../arguments.js";
import { tidied } from "../../functional/tidied.js";
import { defineComputed, removeComputed } from "../../module/computed.js";
import type { Module } from "../../module/index.js";
import { Buffer, Empty, ModuleDict, ModuleList, Parameter } from "../../module/index.js";
import { property, removeProperty, stateOf } from "./tensor-of.js";

/**
 * A module that computes a weight from one tensor (the _original_), or from several. Its
 * `rightInverse`, if there is one, gives originals for a weight.
 */
export interface Parametrization extends Module {
  forward(...originals: tf.Tensor[]): tf.Tensor;
  rightInverse?(weight: tf.Tensor): tf.Tensor | readonly tf.Tensor[];
  /** The shapes of several originals, for a weight inside `nn.meta` that has no values yet. */
  originalShapes?(shape: readonly number[]): readonly (readonly number[])[];
}

export interface ParametrizationOptions {
  /** Let the parametrization change shape or dtype. Default: `false`. */
  unsafe?: boolean;
}

type State = Parameter | Buffer;

function sameKind(like: State, data: tf.Tensor | Empty): State {
  if (like instanceof Buffer) return new Buffer(data, { persistent: like.persistent });
  return new Parameter(data, { requiresGrad: like.requiresGrad });
}

/**
 * The originals of a parametrized weight (`original`, or `original0`, `original1`, …), and the
 * parametrizations that compute the weight from them, one after the other. Calling it gives the
 * weight.
 *
 * Shapes: originals `(*)`, of one or more → the weight.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.ParametrizationList.html
 */
export class ParametrizationList extends ModuleList {
  static override readonly name: string = "ParametrizationList";

  /** The number of originals, or `null` for a single one, which is called `original`. */
  readonly count: number | null;

  constructor(parametrization: Parametrization, original: State) {
    super([parametrization]);
    const value = original.isMeta
      ? parametrization.originalShapes?.(original.shape).map((shape) => new Empty(shape))
      : invert(parametrization, original);
    if (value === undefined || value instanceof tf.Tensor) {
      this.count = null;
      if (value !== undefined && value !== original) original.assign(value);
      this.set("original", original);
      return;
    }
    this.count = value.length;
    value.forEach((part, i) => this.set(`original${i}`, sameKind(original, part)));
    original.dispose();
  }

  get originals(): State[] {
    const { count } = this;
    const names =
      count === null ? ["original"] : Array.from({ length: count }, (_, i) => `original${i}`);
    return names.map((name) => property(this, name) as State);
  }

  override forward(): tf.Tensor {
    const [first, ...others] = [...this] as Parametrization[];
    const made = first!(...this.originals);
    return others.reduce((weight, parametrization) => parametrization(weight), made);
  }

  /** Sets the originals to values from which the given weight is computed. */
  rightInverse(weight: tf.Tensor): void {
    let value: tf.Tensor | readonly tf.Tensor[] = weight;
    for (const parametrization of [...this].reverse() as Parametrization[]) {
      if (parametrization.rightInverse === undefined) {
        const { name } = parametrization.constructor;
        throw new Error(`parametrization ${name} does not implement right_inverse.`);
      }
      value = parametrization.rightInverse(value as tf.Tensor);
    }
    const parts = value instanceof tf.Tensor ? [value] : value;
    this.originals.forEach((original, i) => original.assign(parts[i]!));
  }

  private set(name: string, value: State): void {
    (this as unknown as Record<string, unknown>)[name] = value;
  }
}

function invert(parametrization: Parametrization, weight: tf.Tensor): tf.Tensor | tf.Tensor[] {
  const value = parametrization.rightInverse?.(weight) ?? weight;
  if (value instanceof tf.Tensor) return value;
  if (Array.isArray(value)) return value as tf.Tensor[];
  throw new TypeError(
    `'right_inverse' must return a Tensor or a Sequence of tensors. Got ${describe(value)}.`,
  );
}

type Type = { new (): Module; readonly name: string };

/** For each class the subclass of its parametrized modules, and for that the plain class. */
const parametrizedTypes = new WeakMap<Type, Type>();
const plainTypes = new WeakMap<Type, Type>();

const typeOf = (module: Module): Type => module.constructor as unknown as Type;

function parametrizedType(plain: Type): Type {
  let type = parametrizedTypes.get(plain);
  if (type === undefined) {
    type = class extends plain {
      static override readonly name: string = `Parametrized${plain.name}`;
    };
    parametrizedTypes.set(plain, type);
    plainTypes.set(type, plain);
  }
  return type;
}

function setType(module: Module, type: Type): void {
  Object.setPrototypeOf(module, (type as unknown as { prototype: object }).prototype);
}

function listsOf(module: Module): ModuleDict | null {
  const lists = property(module, "parametrizations");
  return lists instanceof ModuleDict ? lists : null;
}

/**
 * Whether a module has parametrized tensors, or its tensor with the given name is one.
 *
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.is_parametrized.html
 */
export function isParametrized(module: Module, tensorName?: string): boolean {
  const lists = listsOf(module);
  if (lists === null) return false;
  return tensorName === undefined ? lists.size > 0 : lists.has(tensorName);
}

function checkSame(made: tf.Tensor, original: { shape: number[]; dtype: tf.DataType }): void {
  if (made.dtype === original.dtype && tf.util.arraysEqual(made.shape, original.shape)) return;
  throw new Error(
    "Registering a parametrization may not change shape or dtype of the tensor, unless `unsafe` " +
      `flag is enabled: unparametrized [${original.shape.join(", ")}] of ${original.dtype}, ` +
      `parametrized [${made.shape.join(", ")}] of ${made.dtype}`,
  );
}

/**
 * Replaces a parameter or buffer of a module by the result of a parametrization, which is computed
 * whenever it is read. The original is in the state_dict as `parametrizations.NAME.original`.
 *
 * Shapes: any, `(*)`; the parametrization gives the tensor's own.
 *
 * @throws if the module has no such tensor, or the parametrization changes shape or dtype.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.register_parametrization.html
 */
export function registerParametrization<T extends Module>(
  module: T,
  tensorName: string,
  parametrization: Parametrization,
  options?: ParametrizationOptions,
): T {
  const { unsafe } = readOptions("registerParametrization", { unsafe: false }, options);
  parametrization.train(module.training);
  if (isParametrized(module, tensorName)) {
    const list = listsOf(module)!.get(tensorName) as ParametrizationList;
    const isMeta = list.originals.some((original) => original.isMeta);
    if (!unsafe && !isMeta) tidied(() => checkAppended(list(), parametrization));
    list.append(parametrization);
    return module;
  }
  const original = stateOf(module, tensorName, "registerParametrization");
  const { shape, dtype, isMeta } = original;
  const list = tidied(() => new ParametrizationList(parametrization, original));
  if (!unsafe && !isMeta) tidied(() => checkSame(list(), { shape, dtype }));
  removeProperty(module, tensorName);
  if (!isParametrized(module)) {
    setType(module, parametrizedType(typeOf(module)));
    module.registerModule("parametrizations", new ModuleDict());
  }
  listsOf(module)!.set(tensorName, list);
  defineComputed(module, tensorName, {
    get() {
      return (listsOf(this)!.get(tensorName) as ParametrizationList)();
    },
    set(value) {
      const own = listsOf(this)!.get(tensorName) as ParametrizationList;
      tidied(() => own.rightInverse(value as tf.Tensor));
    },
  });
  return module;
}

function checkAppended(weight: tf.Tensor, parametrization: Parametrization): void {
  checkSame(parametrization(weight), weight);
}

/**
 * Turns a parametrized parameter or buffer into a plain one again. It keeps its value; with
 * `leaveParametrized: false` it gets the value of the original.
 *
 * Shapes: the tensor `(*)` keeps its own.
 *
 * @throws if it is not parametrized, or is to get the value of the original but there are several.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.remove_parametrizations.html
 */
export function removeParametrizations<T extends Module>(
  module: T,
  tensorName: string,
  options?: { leaveParametrized?: boolean },
): T {
  const defaults = { leaveParametrized: true };
  const { leaveParametrized } = readOptions("removeParametrizations", defaults, options);
  if (!isParametrized(module, tensorName)) {
    throw new Error(`Module ${String(module)} does not have a parametrization on ${tensorName}`);
  }
  const lists = listsOf(module)!;
  const list = lists.get(tensorName) as ParametrizationList;
  if (list.count !== null && !leaveParametrized) {
    throw new Error(
      "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in " +
        "terms of a sequence of tensors.",
    );
  }
  const [original] = list.originals;
  const kept = tidied(() => {
    if (!leaveParametrized) return original!;
    const weight = list();
    if (list.count !== null) return sameKind(original!, weight);
    original!.assign(weight);
    return original!;
  });
  if (kept === original) removeProperty(list, "original");
  list.dispose();
  removeComputed(module, tensorName);
  lists.pop(tensorName);
  if (lists.size === 0) {
    removeProperty(module, "parametrizations");
    setType(module, plainTypes.get(typeOf(module))!);
  }
  (module as unknown as Record<string, unknown>)[tensorName] = kept;
  return module;
}
