import * as tf from "@tensorflow/tfjs-core";
import { hasListeners } from "../module/call.js";
import type { Module } from "../module/index.js";
import type { State } from "../module/parameter.js";
import { isModule, join, ownTensors, walk } from "../module/walk.js";
import { variableOf } from "./variables.js";
import { type Watched, watch } from "./watch.js";

type Own = Record<string, unknown>;

/** The properties of a module when it was traced. */
interface Seen {
  module: Module & Own;
  /** Its own properties. */
  names: readonly string[];
  values: readonly unknown[];
  /** How many of them are enumerable. */
  keys: number;
  /**
   * Whether its names are `length`, `name` and then exactly those that `for … in` lists, in that
   * order.
   */
  inOrder: boolean;
}

/**
 * Properties with a getter (a list's length, a parametrized weight) are left out: they are computed
 * from others that are compared.
 */
const isOwn = (module: Module, name: string): boolean =>
  name !== "prototype" && !Object.getOwnPropertyDescriptor(module, name)!.get;

const namesOf = (module: Module): string[] =>
  Object.getOwnPropertyNames(module).filter((name) => isOwn(module, name));

/** The names that `for … in` lists, inherited ones included. */
function shown(module: object): string[] {
  const names: string[] = [];
  for (const name in module) names.push(name);
  return names;
}

/**
 * Makes V8 store the properties of a module and of its classes in order, so that `for … in` over
 * them is fast. V8 does that for objects that serve as prototypes, once a lookup has passed through
 * them; a function with a changed prototype and a writable `name` would otherwise be stored as a
 * hash table. In other engines this has no effect.
 */
function keepInOrder(module: Module): void {
  const heir = Object.create(module as object) as Record<string, unknown>;
  // Several times, because V8 does not record the first misses of a lookup.
  for (let i = 0; i < 4; i += 1) void heir["a name that nobody has"];
}

/**
 * Notices that a model differs from what was compiled: a layer, a mode, a plain tensor or other
 * data of a module was replaced, or its contents changed. New values of parameters are none of its
 * business; they leave the graph as it is.
 */
export class Guard {
  private readonly seen: Seen[] = [];
  private readonly watched: Watched[] = [];
  private readonly known = new Set<unknown>();

  constructor(model: unknown) {
    if (isModule(model)) this.add(model);
  }

  /** Starts to watch a module and everything that it holds. */
  add(added: Module): void {
    if (this.known.has(added)) return;
    this.known.add(added);
    const module = added as Seen["module"];
    const names = namesOf(module);
    const values = names.map((name) => module[name]);
    keepInOrder(module);
    const keys = Object.keys(module).length;
    const inOrder = String(["length", "name", ...shown(module)]) === String(names);
    this.seen.push({ module, names, values, keys, inOrder });
    for (const value of values) this.lookInto(value);
  }

  private lookInto(value: unknown): void {
    if (value instanceof tf.Tensor) {
      const state = value as State;
      // A meta parameter (no storage) may be why tracing failed, so notice when it is loaded; a
      // loaded one never becomes meta again, so notice only its disposal.
      const holds = state.isMeta ? () => state.isMeta : () => !state.isDisposed;
      if (!state.isDisposed) this.watched.push({ holds, restore: () => {} });
    } else if (isModule(value)) this.add(value);
    else if (!this.known.has(value)) {
      const found = watch(value);
      if (found === null) return;
      this.known.add(value);
      this.watched.push(found.watched);
      for (const one of found.inner) this.lookInto(one);
    }
  }

  /**
   * Whether every module has the same properties as before. It runs before every call, so it
   * creates no iterators and no lists, which would be garbage. Where V8 stores properties in order,
   * a loop over them costs a fraction of looking up each by name.
   */
  holds(): boolean {
    for (let at = 0; at < this.seen.length; at += 1) {
      const { module, names, values, keys, inOrder } = this.seen[at]!;
      if (inOrder) {
        if (!Object.is(module.length, values[0]) || !Object.is(module.name, values[1]))
          return false;
        let i = 2;
        for (const name in module) {
          if (name !== names[i] || !Object.is(module[name], values[i])) return false;
          i += 1;
        }
        if (i !== names.length) return false;
        continue;
      }
      if (Object.keys(module).length !== keys) return false;
      for (let i = 0; i < names.length; i += 1) {
        const name = names[i]!;
        const value = values[i];
        if (
          !Object.is(module[name], value) ||
          (value === undefined && !Object.hasOwn(module, name))
        )
          return false;
      }
    }
    for (let i = 0; i < this.watched.length; i += 1) if (!this.watched[i]!.holds()) return false;
    return true;
  }

  /** Restores all properties, and returns the names of those that differed. */
  restore(): string[] {
    const changed = new Set<string>();
    for (const { module, names, values, keys } of this.seen) {
      const own: Own = module;
      let isOther = Object.keys(module).length !== keys;
      names.forEach((name, i) => {
        if (Object.is(own[name], values[i])) return;
        isOther = true;
        changed.add(name);
        own[name] = values[i];
      });
      for (const name of isOther ? namesOf(module) : []) {
        if (names.includes(name)) continue;
        changed.add(name);
        delete own[name];
      }
    }
    for (const one of this.watched) {
      if (one.holds()) continue;
      changed.add("what its properties hold");
      one.restore();
    }
    return [...changed];
  }

  /** Why the model must run eagerly (training mode, or hooks); `null` if it need not. */
  get objection(): string | null {
    for (let at = 0; at < this.seen.length; at += 1) {
      const { module } = this.seen[at]!;
      if (module.training) return "the model is in training mode";
      if (hasListeners(module)) return "a module has hooks";
    }
    return null;
  }
}

/** The parameters and buffers of a model by their key. */
export function attributesOf(model: unknown): (key: string) => tf.Tensor {
  const found = new Map<string, tf.Tensor>();
  if (isModule(model)) {
    for (const [path, module] of walk(model, "", false)) {
      for (const [name, tensor] of ownTensors(module)) found.set(join(path, name), tensor);
    }
  }
  return (key) => {
    const tensor = found.get(key) ?? variableOf(key);
    if (tensor === undefined) throw new Error(`compile: the model has no ${key} any more`);
    if (tensor instanceof tf.Variable && tensor.isDisposed) {
      throw new Error(`compile: ${key} is disposed: so is the model that it belonged to`);
    }
    return tensor;
  };
}
