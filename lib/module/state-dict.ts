import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../arguments.js";
import { formatSize } from "./format/index.js";
import type { Module } from "./module.js";
import { Buffer, State } from "./parameter.js";
import { sharedPrefix } from "./prefix.js";
import { ownBuffers, ownParameters, presentChildren } from "./walk.js";

/** A tensor of a checkpoint as `nn.load` gives it, not yet a tfjs tensor. */
export interface StateEntry {
  readonly shape: readonly number[];
  readonly dtype: string;
  /** For complex numbers: real and imaginary parts, alternating. */
  readonly data?: unknown;
  toFloat32(): Float32Array;
  toInt32(options?: { clamp?: boolean }): Int32Array;
}

/** A value that can be loaded: a tensor, or an entry of a checkpoint. */
export type StateValue = tf.Tensor | StateEntry;
/** Values by their keys, as `stateDict()` and `nn.load` give them. */
export type StateSource = ReadonlyMap<string, StateValue> | Readonly<Record<string, StateValue>>;

/** Which keys did not match, when loading was not strict. */
export interface IncompatibleKeys {
  missingKeys: string[];
  unexpectedKeys: string[];
}

export interface LoadStateOptions {
  /** Whether the keys must match exactly (default `true`). */
  strict?: boolean;
  /** Whether integers beyond int32 become the nearest that fit (default `false`: an error). */
  clamp?: boolean;
}

/** May rename, add or drop keys of its module before a state_dict is loaded. */
export type LoadHook = (state: Map<string, StateValue>, prefix: string, module: Module) => void;

export const LOAD_HOOKS = Symbol("loadHooks");

/** A tensor of the model that a key refers to. */
interface Slot {
  key: string;
  module: Module;
  name: string;
  tensor: tf.Tensor;
}

/**
 * In PyTorch's order: a module's parameters, its persistent buffers, then its children, one after
 * the other.
 */
function slots(module: Module, prefix: string): Slot[] {
  const own = [
    ...ownParameters(module).map(([name, tensor]) => ({ name, tensor })),
    ...ownBuffers(module).filter(({ persistent }) => persistent),
  ];
  return [
    ...own.map(({ name, tensor }) => ({ key: prefix + name, module, name, tensor })),
    ...presentChildren(module).flatMap(([name, child]) => slots(child, `${prefix}${name}.`)),
  ];
}

export function collectState(module: Module, prefix: string): Map<string, tf.Tensor> {
  return new Map(slots(module, prefix).map(({ key, tensor }) => [key, tensor]));
}

function runLoadHooks(module: Module, prefix: string, state: Map<string, StateValue>): void {
  for (const load of module[LOAD_HOOKS] ?? []) load(state, prefix, module);
  for (const [name, child] of presentChildren(module)) {
    runLoadHooks(child, `${prefix}${name}.`, state);
  }
}

export function loadState(
  module: Module,
  source: StateSource,
  { strict, clamp }: Required<LoadStateOptions>,
): IncompatibleKeys {
  const isOther = source === null || typeof source !== "object";
  if (isOther || Array.isArray(source) || source instanceof Promise) {
    throw new TypeError(`Expected state_dict to be dict-like, got ${describe(source)}.`);
  }
  const state = new Map<string, StateValue>(
    source instanceof Map ? source : Object.entries(source as Record<string, StateValue>),
  );
  runLoadHooks(module, "", state);
  const targets = slots(module, "");
  const keys = new Set(targets.map(({ key }) => key));
  const found = targets.filter(({ key }) => state.has(key));
  // A tensor with several names (tied weights) needs only one of them, since safetensors store it
  // once.
  const filled = new Set(found.map(({ tensor }) => tensor));
  const missingKeys = targets.filter(({ tensor }) => !filled.has(tensor)).map(({ key }) => key);
  const unexpectedKeys = byModule(
    module,
    [...state.keys()].filter((key) => !keys.has(key)),
  );

  const errors: string[] = [];
  if (strict && missingKeys.length) errors.push(keyList("Missing", missingKeys));
  if (strict && unexpectedKeys.length) errors.push(keyList("Unexpected", unexpectedKeys));
  errors.push(...found.flatMap((slot) => problem(slot, state.get(slot.key))));
  const prefix = strict ? sharedPrefix(missingKeys, unexpectedKeys) : null;
  if (prefix !== null) errors.push(prefixHint(prefix));
  if (errors.length) throw loadError(module, errors);

  // All values are converted before the first is written, so that a failure changes nothing.
  const values: tf.Tensor[] = [];
  try {
    for (const slot of found) values.push(toTensor(state.get(slot.key)!, slot, clamp));
    found.forEach((slot, i) => write(slot, values[i]!));
  } finally {
    tf.dispose(values);
  }
  return { missingKeys, unexpectedKeys };
}

/**
 * Sorts unexpected keys by the modules that they belong to, which is the order in PyTorch's
 * message.
 */
function byModule(module: Module, keys: string[]): string[] {
  if (keys.length < 2) return keys;
  const prefixes = module
    .namedModules({ removeDuplicate: false })
    .map(([name]) => name && `${name}.`);
  const placed = keys.map((key) => ({
    key,
    place: prefixes.findLastIndex((prefix) => key.startsWith(prefix)),
  }));
  return placed.sort((a, b) => a.place - b.place).map(({ key }) => key);
}

function keyList(kind: string, keys: readonly string[]): string {
  return `${kind} key(s) in state_dict: ${keys.map((key) => `"${key}"`).join(", ")}. `;
}

/** A hint that follows PyTorch's message: how to remove a wrapper's prefix. */
function prefixHint(prefix: string): string {
  const name = JSON.stringify(prefix);
  return (
    `The unexpected keys begin with ${name}, which a wrapper gave them: ` +
    `model.loadStateDict(nn.stripPrefix(state, ${name})).`
  );
}

function loadError(module: Module, errors: readonly string[]): Error {
  const name = module.constructor.name;
  return new Error(`Error(s) in loading state_dict for ${name}:\n\t${errors.join("\n\t")}`);
}

function isTensorLike(value: unknown): value is StateValue {
  if (value instanceof tf.Tensor) return true;
  const entry = value as Partial<StateEntry> | null | undefined;
  return Array.isArray(entry?.shape) && typeof entry.toFloat32 === "function";
}

function problem({ key, tensor }: Slot, value: unknown): string[] {
  if (!isTensorLike(value)) {
    return [
      `While copying the parameter named "${key}", expected torch.Tensor or Tensor-like object ` +
        `from checkpoint but received ${describe(value)}`,
    ];
  }
  const shape = isComplex(value) ? [...value.shape, 2] : [...value.shape];
  if (tf.util.arraysEqual(shape, tensor.shape) || isOldScalar(value, tensor)) return [];
  return [
    `size mismatch for ${key}: copying a param with shape ${formatSize(value.shape)} from ` +
      `checkpoint, the shape in current model is ${formatSize(tensor.shape)}.`,
  ];
}

/** Complex numbers are loaded into a float tensor, with both parts in a last dimension of 2. */
const isComplex = (value: StateValue): value is StateEntry & { data: ArrayLike<number> } =>
  !(value instanceof tf.Tensor) && /^complex(64|128)$/.test(value.dtype) && "data" in value;

/** PyTorch 0.3 stored a 0-d tensor as one of shape [1]. */
function isOldScalar(value: StateValue, tensor: tf.Tensor): boolean {
  return tensor.shape.length === 0 && value.shape.length === 1 && value.shape[0] === 1;
}

/** The value in the dtype of the tensor that it is loaded into, as `param.copy_` converts it. */
function toTensor(value: StateValue, { key, tensor }: Slot, clamp: boolean): tf.Tensor {
  return tf.tidy(() => {
    if (value instanceof tf.Tensor) {
      return tf.clone(tf.reshape(tf.cast(value, tensor.dtype), tensor.shape));
    }
    if (isComplex(value)) {
      return tf.tensor(Float32Array.from(value.data), tensor.shape, tensor.dtype);
    }
    try {
      const values = tensor.dtype === "float32" ? value.toFloat32() : value.toInt32({ clamp });
      return tf.tensor(values, tensor.shape, tensor.dtype);
    } catch (error) {
      throw new Error(`While copying the parameter named "${key}": ${(error as Error).message}`, {
        cause: error,
      });
    }
  });
}

function write({ module, name, tensor }: Slot, value: tf.Tensor): void {
  if (tensor instanceof State) return tensor.assign(value);
  // A plain tensor had been assigned to the name of a registered buffer; it is replaced by a
  // Buffer.
  (module as unknown as Record<string, unknown>)[name] = new Buffer(value);
}
