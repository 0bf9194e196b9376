import { HOOKS, type Hooks } from "./call.js";
import { isModule } from "./walk.js";
import { Module } from "./module.js";
import { Buffer, Empty, Parameter, State } from "./parameter.js";
import { UninitializedBuffer, UninitializedParameter } from "./uninitialized.js";

/**
 * A copy of a module with parameters and buffers of its own, like Python's `copy.deepcopy(module)`:
 * what is shared within the module is shared within the copy. Functions (hooks, activations) and
 * plain objects are not copied.
 */
export function deepcopy<T extends Module>(module: T): T {
  return copyModule(module, new Map()) as T;
}

function copyModule(module: Module, copies: Map<unknown, unknown>): Module {
  const known = copies.get(module);
  if (known !== undefined) return known as Module;
  // The constructor is not called, since it would initialise new parameters; the fields are copied
  // instead.
  const type = (Object.getPrototypeOf(module) as { constructor: () => void }).constructor;
  const copy = Reflect.construct(Module, [], type) as Module;
  copies.set(module, copy);
  for (const key of Reflect.ownKeys(module)) {
    const property = Object.getOwnPropertyDescriptor(module, key)!;
    if ("value" in property) property.value = copyValue(property.value, copies);
    if (key === HOOKS) property.value = copyHooks(module[HOOKS]!);
    Object.defineProperty(copy, key, property);
  }
  return copy;
}

/** The same hooks in new lists. */
const copyHooks = ({ before, after }: Hooks): Hooks => ({ before: [...before], after: [...after] });

function copyValue(value: unknown, copies: Map<unknown, unknown>): unknown {
  if (isModule(value)) return copyModule(value, copies);
  if (value instanceof State) {
    const copy = copies.get(value) ?? copyState(value);
    copies.set(value, copy);
    return copy;
  }
  if (Array.isArray(value)) return value.map((item) => copyValue(item, copies));
  if (value instanceof Map) return new Map(value);
  return value instanceof Set ? new Set(value) : value;
}

function copyState(state: State): State {
  if (state instanceof UninitializedParameter) return new UninitializedParameter(state);
  if (state instanceof UninitializedBuffer) return new UninitializedBuffer(state);
  const source = state.isMeta ? new Empty(state.shape, state.dtype) : state;
  if (state instanceof Parameter)
    return new Parameter(source, { requiresGrad: state.requiresGrad });
  return new Buffer(source, { persistent: (state as Buffer).persistent });
}
