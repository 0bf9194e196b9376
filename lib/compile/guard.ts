import * as tf from "@tensorflow/tfjs-core";
import { HOOKS } from "../module/call.js";
import type { Module } from "../module/index.js";
import { State } from "../module/parameter.js";
import { isModule, walk } from "../module/walk.js";

/** A module as it was: its own properties, and how many of them were assigned. */
interface Seen {
  module: Module;
  names: readonly string[];
  values: readonly unknown[];
  tensors: readonly tf.Tensor[];
  keys: number;
}

const read = (module: Module, name: string): unknown =>
  (module as unknown as Record<string, unknown>)[name];

/** A list's length is computed of its children, which are looked at anyway. */
const isOwn = (module: Module, name: string): boolean =>
  name !== "prototype" &&
  (name !== "length" || !Object.getOwnPropertyDescriptor(module, name)!.get);

/** How many properties there are, told without a list of them: it is asked before every call. */
function countKeys(module: Module): number {
  let count = 0;
  for (const name in module) if (Object.hasOwn(module, name)) count += 1;
  return count;
}

/**
 * Notices when a model is not what was compiled any more: a layer, a mode or a plain tensor that
 * was assigned anew. New values of parameters are another matter; they keep the graph.
 */
export class Guard {
  private readonly seen: Seen[] = [];

  constructor(model: unknown) {
    if (!isModule(model)) return;
    for (const [, module] of walk(model)) {
      const names = Object.getOwnPropertyNames(module).filter((name) => isOwn(module, name));
      const values = names.map((name) => read(module, name));
      const tensors = values.filter((value) => value instanceof tf.Tensor);
      this.seen.push({ module, names, values, tensors, keys: countKeys(module) });
    }
  }

  /** Whether every module still has the properties that it had. Runs before every call. */
  holds(): boolean {
    for (const { module, names, values, tensors, keys } of this.seen) {
      for (let i = 0; i < names.length; i += 1) {
        const value = read(module, names[i]!);
        if (value !== values[i] && !(Number.isNaN(value) && Number.isNaN(values[i]))) return false;
      }
      for (const tensor of tensors) if (tensor.isDisposed) return false;
      if (countKeys(module) !== keys) return false;
    }
    return true;
  }

  /** Why the model must run eagerly: it trains, or somebody listens; `null`: it need not. */
  get objection(): string | null {
    for (const { module } of this.seen) {
      if (module.training) return "the model is in training mode";
      const hooks = module[HOOKS];
      if (hooks && hooks.before.length + hooks.after.length > 0) return "a module has hooks";
    }
    return null;
  }
}

/** The parameters and buffers of a model by their key. */
export function attributesOf(model: unknown): (key: string) => tf.Tensor {
  const found = new Map<string, tf.Tensor>();
  if (isModule(model)) {
    const all = { removeDuplicate: false };
    for (const [key, tensor] of [...model.namedParameters(all), ...model.namedBuffers(all)]) {
      found.set(key, tensor);
    }
  }
  return (key) => {
    const tensor = found.get(key);
    if (tensor === undefined) throw new Error(`compile: the model has no ${key} any more`);
    if (tensor instanceof State && tensor.isDisposed) {
      throw new Error(`compile: ${key} is disposed: so is the model that it belonged to`);
    }
    return tensor;
  };
}
