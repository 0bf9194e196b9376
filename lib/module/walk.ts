import * as tf from "@tensorflow/tfjs-core";
import type { Module } from "./module.js";
import { Buffer, Parameter, State } from "./parameter.js";

/** Identifies modules, even of another copy of this package. */
export const BRAND = Symbol.for("sconce.Module");

export function isModule(value: unknown): value is Module {
  return typeof value === "function" && (value as { [BRAND]?: true })[BRAND] === true;
}

/** The buffers that were registered by name, and whether each is persistent. */
export const BUFFERS = Symbol("buffers");
/** The names of children that were registered as `null`. */
export const ABSENT = Symbol("absent");
/** Gives the names of a container's members in their order, which property order may not keep. */
export const ORDER = Symbol("order");

/** The names of properties that are computed from others. */
export const COMPUTED = Symbol("computed");

export interface Hidden {
  [BUFFERS]?: Map<string, boolean>;
  [ABSENT]?: Set<string>;
  [ORDER]?(): readonly string[];
  [COMPUTED]?: Set<string>;
}

type Test<T> = (value: unknown, name: string) => value is T;

/**
 * Those of a module's own properties that pass a test, in the order of definition. Nothing is
 * cached: class fields appear only after `super()`, and any property may be assigned or deleted at
 * any time.
 */
function members<T>(module: Module, isWanted: Test<T>): [string, T][] {
  const names = (module as Hidden)[ORDER]?.() ?? Object.getOwnPropertyNames(module);
  const computed = (module as Hidden)[COMPUTED];
  const found: [string, T][] = [];
  for (const name of names) {
    if (computed?.has(name)) continue;
    const value = (module as unknown as Record<string, unknown>)[name];
    if (isWanted(value, name)) found.push([name, value]);
  }
  return found;
}

/** The module's own parameters, not those of children. */
export const ownParameters = (module: Module): [string, Parameter][] =>
  members(module, (value) => value instanceof Parameter);

export interface OwnBuffer {
  name: string;
  tensor: tf.Tensor;
  persistent: boolean;
}

/** Own buffers: `Buffer` properties, and tensors under a name that was registered as a buffer. */
export function ownBuffers(module: Module): OwnBuffer[] {
  const registered = (module as Hidden)[BUFFERS];
  return ownTensors(module).flatMap(([name, tensor]) =>
    tensor instanceof Parameter
      ? []
      : { name, tensor, persistent: tensor instanceof Buffer ? tensor.persistent : registered!.get(name)! },
  ); // prettier-ignore
}

/** Own parameters and buffers, by name. */
export function ownTensors(module: Module): [string, tf.Tensor][] {
  const registered = (module as Hidden)[BUFFERS];
  return members(
    module,
    (value, name): value is tf.Tensor =>
      value instanceof State || (!!registered?.has(name) && value instanceof tf.Tensor),
  );
}

/** The module's own children; `null` for those registered as absent, which only `repr` shows. */
export function ownChildren(module: Module): [string, Module | null][] {
  const absent = (module as Hidden)[ABSENT];
  return members(
    module,
    (value, name): value is Module | null => isModule(value) || (value === null && !!absent?.has(name)), // prettier-ignore
  );
}

/** The module's own children, without absent ones. */
export const presentChildren = (module: Module): [string, Module][] => members(module, isModule);

export const join = (prefix: string, name: string): string => (prefix ? `${prefix}.${name}` : name);

/**
 * This module and all below it with their paths. A shared one is listed once, unless
 * `removeDuplicate` is false.
 */
export function walk(
  module: Module,
  prefix = "",
  removeDuplicate = true,
  seen = new Set<Module>(),
  into: [string, Module][] = [],
): [string, Module][] {
  if (seen.has(module)) return into;
  if (removeDuplicate) seen.add(module);
  into.push([prefix, module]);
  for (const [name, child] of presentChildren(module)) {
    walk(child, join(prefix, name), removeDuplicate, seen, into);
  }
  return into;
}
