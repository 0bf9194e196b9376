import type { Module } from "./module.js";
import { COMPUTED } from "./walk.js";

/** How a computed property is read, and what an assignment does (without `set`, it throws). */
export interface ComputedProperty {
  get(this: Module): unknown;
  set?(this: Module, value: unknown): void;
}

/**
 * Defines a property that is computed whenever it is read, such as a weight made from others. It is
 * not a parameter: functions that list parameters neither see nor compute it.
 */
export function defineComputed(module: Module, name: string, property: ComputedProperty): void {
  (module[COMPUTED] ??= new Set()).add(name);
  Object.defineProperty(module, name, { ...property, configurable: true, enumerable: false });
}

/** Removes a computed property. */
export function removeComputed(module: Module, name: string): void {
  module[COMPUTED]?.delete(name);
  delete (module as unknown as Record<string, unknown>)[name];
}
