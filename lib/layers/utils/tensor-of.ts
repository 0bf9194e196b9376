import type { Module } from "../../module/index.js";
import { Buffer, Parameter } from "../../module/index.js";

/** A property of a module whose name is only known at run time. */
export function property(module: Module, name: string): unknown {
  return (module as unknown as Record<string, unknown>)[name];
}

/** Removes a property without disposing it. */
export function removeProperty(module: Module, name: string): void {
  delete (module as unknown as Record<string, unknown>)[name];
}

/** The parameter of that name. */
export function parameterOf(module: Module, name: string, where: string): Parameter {
  const value = property(module, name);
  if (value instanceof Parameter) return value;
  throw new Error(`${where}: Module '${module.constructor.name}' has no parameter '${name}'`);
}

/** The parameter or buffer of that name. */
export function stateOf(module: Module, name: string, where: string): Parameter | Buffer {
  const value = property(module, name);
  if (value instanceof Parameter || value instanceof Buffer) return value;
  throw new Error(
    `${where}: Module '${module.constructor.name}' has no parameter or buffer with name '${name}'`,
  );
}
