import { HOOKS } from "../module/call.js";
import { LOAD_HOOKS, type StateValue } from "../module/state-dict.js";
import { Buffer, type Module, Parameter } from "../module/index.js";
import { UninitializedBuffer, UninitializedParameter } from "../module/index.js";

type Open = UninitializedParameter | UninitializedBuffer;

/** A module that gets its sizes from its first input or from a state_dict. */
export interface Lazy extends Module {
  /** Determines sizes from an input, and initialises the parameters. */
  inferParameters(...args: unknown[]): void;
  /** The class that the module has afterwards. */
  becomes(): { prototype: object };
}

function own(module: Module): Record<string, unknown> {
  return module as unknown as Record<string, unknown>;
}

/** The parameters and buffers that have no shape yet, by name. */
function open(module: Module): [string, Open][] {
  return Object.getOwnPropertyNames(module)
    .map((name) => [name, own(module)[name]] as const)
    .filter(
      (entry): entry is [string, Open] =>
        entry[1] instanceof UninitializedParameter || entry[1] instanceof UninitializedBuffer,
    );
}

export const isOpen = (module: Module): boolean => open(module).length > 0;

/** Makes parameters and buffers of these names without a shape, until the module is called. */
export function leaveOpen(module: Lazy, names: readonly string[]): void {
  for (const name of names) {
    const state = own(module)[name];
    if (state instanceof Buffer) own(module)[name] = new UninitializedBuffer();
    else own(module)[name] = new UninitializedParameter();
    if (state instanceof Parameter || state instanceof Buffer) state.dispose();
  }
  module.registerForwardPreHook(infer);
  module.registerLoadStateDictPreHook(materialise);
}

/** Gives parameters and buffers without a shape the given ones; others keep theirs. */
export function give(module: Module, shapes: Readonly<Record<string, readonly number[]>>): void {
  for (const [name, state] of open(module)) state.materialize(shapes[name]!);
}

/** Sets a field that the plain class sets only in its constructor. */
export function setField(module: Module, name: string, value: number): void {
  own(module)[name] = value;
}

/** Runs before the first call. */
function infer(module: Module, args: unknown[]): void {
  const lazy = module as Lazy;
  lazy.inferParameters(...args);
  if (isOpen(lazy)) {
    throw new Error(`module ${lazy.constructor.name} has not been fully initialized`);
  }
  remove(lazy[HOOKS]!.before, infer);
  remove(lazy[LOAD_HOOKS]!, materialise);
  Object.setPrototypeOf(lazy, lazy.becomes().prototype);
}

/**
 * Runs before a state_dict is loaded: gives parameters and buffers the shapes of their values in
 * it.
 */
function materialise(state: Map<string, StateValue>, prefix: string, module: Module): void {
  for (const [name, value] of open(module)) {
    const loaded = state.get(prefix + name);
    if (Array.isArray(loaded?.shape)) value.materialize(loaded.shape);
  }
}

function remove<T>(list: T[], entry: T): void {
  const at = list.indexOf(entry);
  if (at !== -1) list.splice(at, 1);
}
