import * as tf from "@tensorflow/tfjs-core";
import { hasListeners } from "../module/call.js";
import type { Module } from "../module/index.js";
import type { State } from "../module/parameter.js";
import { isModule, join, ownTensors, walk } from "../module/walk.js";
import { variableOf } from "./variables.js";
import { type Watched, watch } from "./watch.js";

type Own = Record<string, unknown>;

/** A module as it was. */
interface Seen {
  module: Module & Own;
  /** Its own properties. */
  names: readonly string[];
  values: readonly unknown[];
  /** How many of them are enumerable. */
  keys: number;
  /** Whether they are `length`, `name` and then just what a loop over it shows: none is a number. */
  inOrder: boolean;
}

/** What is computed, as a list's length or a parametrized weight, is made of what is looked at anyway. */
const isOwn = (module: Module, name: string): boolean =>
  name !== "prototype" && !Object.getOwnPropertyDescriptor(module, name)!.get;

const namesOf = (module: Module): string[] =>
  Object.getOwnPropertyNames(module).filter((name) => isOwn(module, name));

/** The names that a loop shows, which may be those of a class too. */
function shown(module: object): string[] {
  const names: string[] = [];
  for (const name in module) names.push(name);
  return names;
}

/**
 * Has V8 keep the properties of a module and of its classes in order. It does so for what it takes for
 * a prototype, once something is looked up through it; a function that was given another prototype,
 * and a `name` that can be written, has a table instead. Elsewhere it changes nothing.
 */
function keepInOrder(module: Module): void {
  const heir = Object.create(module as object) as Record<string, unknown>;
  // More than once: the first misses of a lookup are not noted.
  for (let i = 0; i < 4; i += 1) void heir["a name that nobody has"];
}

/**
 * Notices when a model is not what was compiled any more: a layer, a mode, a plain tensor or other
 * data of a module that is assigned anew or has other contents. New values of parameters are another
 * matter; they keep the graph.
 */
export class Guard {
  private readonly seen: Seen[] = [];
  private readonly watched: Watched[] = [];
  private readonly known = new Set<unknown>();

  constructor(model: unknown) {
    if (isModule(model)) this.add(model);
  }

  /** Looks after a module too, and all that it holds. */
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
      // What has no numbers yet may have kept a model from being traced; what has some keeps having them.
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
   * Whether every module still has the properties that it had. Runs before every call: without
   * iterators and lists, which are garbage. Where V8 keeps properties in order, a loop over them costs
   * a fraction of looking up each by its name.
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

  /** Gives everything back what it had; says what differed. */
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

  /** Why the model must run eagerly: it trains, or somebody listens; `null`: it need not. */
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
