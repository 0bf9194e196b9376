import * as tf from "@tensorflow/tfjs-core";
import type { Module } from "./module.js";
import { Buffer, Parameter, State } from "./parameter.js";

/** Marks a module, also one of another copy of this package. */
export const BRAND = Symbol.for("sconce.Module");

export function isModule(value: unknown): value is Module {
  return typeof value === "function" && (value as { [BRAND]?: true })[BRAND] === true;
}

/** The buffers that were registered by name: name → persistent. */
export const BUFFERS = Symbol("buffers");
/** The children that were registered as `null`. */
export const ABSENT = Symbol("absent");
/** The names of a container's members in their order, where property order is not enough. */
export const ORDER = Symbol("order");

/** The names of properties that are computed from others. */
export const COMPUTED = Symbol("computed");

export interface Hidden {
  [BUFFERS]?: Map<string, boolean>;
  [ABSENT]?: Set<string>;
  [ORDER]?(): readonly string[];
  [COMPUTED]?: Set<string>;
}

export type Member = readonly [name: string, value: unknown];

/**
 * A module's own properties in the order in which they were defined. Nothing is cached: class
 * fields appear after `super()`, and any property may be assigned anew or deleted at any time.
 */
function members(module: Module): Member[] {
  const ordered = (module as Hidden)[ORDER]?.();
  const all = ordered ?? Object.getOwnPropertyNames(module);
  const computed = (module as Hidden)[COMPUTED];
  const names = computed?.size ? all.filter((name) => !computed.has(name)) : all;
  return names.map((name) => [name, (module as unknown as Record<string, unknown>)[name]]);
}

/** Own parameters, without the children's. */
export function ownParameters(module: Module): [string, Parameter][] {
  return members(module).filter((m): m is [string, Parameter] => m[1] instanceof Parameter);
}

export interface OwnBuffer {
  name: string;
  tensor: tf.Tensor;
  persistent: boolean;
}

/** Own buffers: `Buffer` properties, and tensors under a name that was registered as a buffer. */
export function ownBuffers(module: Module): OwnBuffer[] {
  const registered = (module as Hidden)[BUFFERS];
  const buffers: OwnBuffer[] = [];
  for (const [name, value] of members(module)) {
    if (value instanceof Buffer) {
      buffers.push({ name, tensor: value, persistent: value.persistent });
    } else if (registered?.has(name) && isPlainTensor(value)) {
      buffers.push({ name, tensor: value, persistent: registered.get(name)! });
    }
  }
  return buffers;
}

/** Own parameters and buffers, by name. */
export function ownTensors(module: Module): [string, tf.Tensor][] {
  const registered = (module as Hidden)[BUFFERS];
  const isBuffer = ([name, value]: Member): boolean => !!registered?.has(name) && isPlainTensor(value); // prettier-ignore
  return members(module).filter((m): m is [string, tf.Tensor] => m[1] instanceof State || isBuffer(m)); // prettier-ignore
}

function isPlainTensor(value: unknown): value is tf.Tensor {
  return value instanceof tf.Tensor && !(value instanceof State);
}

/** Own children, `null` for those registered as absent (`repr` prints them, nothing else sees them). */
export function ownChildren(module: Module): [string, Module | null][] {
  const absent = (module as Hidden)[ABSENT];
  return members(module).filter(
    (m): m is [string, Module | null] => isModule(m[1]) || (m[1] === null && !!absent?.has(m[0])),
  );
}

/** Own children that are there. */
export function presentChildren(module: Module): [string, Module][] {
  return members(module).filter((m): m is [string, Module] => isModule(m[1]));
}

export const join = (prefix: string, name: string): string => (prefix ? `${prefix}.${name}` : name);

/** Every module below and including this one, with its path; a shared one once, unless told. */
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
