import { HOOKS } from "../module/call.js";
import { LOAD_HOOKS, type StateValue } from "../module/state-dict.js";
import { Buffer, type Module, Parameter } from "../module/index.js";
import { UninitializedBuffer, UninitializedParameter } from "../module/index.js";

type Open = UninitializedParameter | UninitializedBuffer;

/** A module that learns its sizes from its first input or from a state_dict. */
export interface Lazy extends Module {
  /** Finds the sizes in an input, and fills what is open. */
  inferParameters(...args: unknown[]): void;
  /** The class that it then is of. */
  becomes(): { prototype: object };
}

function own(module: Module): Record<string, unknown> {
  return module as unknown as Record<string, unknown>;
}

/** The parameters and buffers without a shape, by name. */
function open(module: Module): [string, Open][] {
  return Object.getOwnPropertyNames(module)
    .map((name) => [name, own(module)[name]] as const)
    .filter(
      (entry): entry is [string, Open] =>
        entry[1] instanceof UninitializedParameter || entry[1] instanceof UninitializedBuffer,
    );
}

export const isOpen = (module: Module): boolean => open(module).length > 0;

/** Leaves parameters and buffers of these names without a shape, until the module is called. */
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

/** Gives what is open its shape; what has one keeps it. */
export function give(module: Module, shapes: Readonly<Record<string, readonly number[]>>): void {
  for (const [name, state] of open(module)) state.materialize(shapes[name]!);
}

/** Sets a field that the plain class only sets in its constructor. */
export function setField(module: Module, name: string, value: number): void {
  own(module)[name] = value;
}

/** Before the first call. */
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

/** Before a state_dict is loaded: what it has a value for takes that value's shape. */
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
