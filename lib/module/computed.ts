import type { Module } from "./module.js";
import { COMPUTED } from "./walk.js";

/** How a computed property is read, and what an assignment does (an error unless given). */
export interface ComputedProperty {
  get(this: Module): unknown;
  set?(this: Module, value: unknown): void;
}

/**
 * Makes of a name a property that is computed whenever it is read, such as a weight that is made of
 * others. It is no parameter: walks over the module do not see it, nor compute it.
 */
export function defineComputed(module: Module, name: string, property: ComputedProperty): void {
  (module[COMPUTED] ??= new Set()).add(name);
  Object.defineProperty(module, name, { ...property, configurable: true, enumerable: false });
}

/** Takes a computed property away. */
export function removeComputed(module: Module, name: string): void {
  module[COMPUTED]?.delete(name);
  delete (module as unknown as Record<string, unknown>)[name];
}
