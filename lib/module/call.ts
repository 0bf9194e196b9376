import * as tf from "@tensorflow/tfjs-core";
import type { Module } from "./module.js";
import { State } from "./parameter.js";
import { head } from "./repr.js";
import { walk } from "./walk.js";

/**
 * Runs before `forward` with the arguments of the call; what it returns, if anything, replaces
 * them.
 */
export type ForwardPreHook = (module: Module, args: unknown[]) => unknown;
/** Runs after `forward` with its output; what it returns, if anything, replaces the output. */
export type ForwardHook = (module: Module, args: unknown[], output: unknown) => unknown;

export interface Hooks {
  before: ForwardPreHook[];
  after: ForwardHook[];
}

/** Returned by the functions that register hooks: `remove()` takes the hook away again. */
export interface HookHandle {
  remove(): void;
}

export interface HookOptions {
  /** Run this hook before those registered earlier. Default: `false`. */
  prepend?: boolean;
}

export const HOOKS = Symbol("hooks");

/** Adds a hook to a list, and returns the handle that removes it. */
export function hook<T>(list: T[], entry: T, prepend = false): HookHandle {
  if (prepend) list.unshift(entry);
  else list.push(entry);
  let there = true;
  const remove = (): void => {
    if (there) list.splice(list.indexOf(entry), 1);
    there = false;
  };
  return { remove };
}

/** Pre-hooks of ours that do nothing in eval mode. */
const trainers = new WeakSet<ForwardPreHook>();

/**
 * Marks a pre-hook as doing nothing in eval mode, so that a model with it can still be compiled.
 */
export function inTraining(before: ForwardPreHook): ForwardPreHook {
  trainers.add(before);
  return before;
}

/** Whether a call of the module in eval mode runs hooks that might do something. */
export function hasListeners(module: Module): boolean {
  const hooks = module[HOOKS];
  if (hooks === undefined) return false;
  for (let i = 0; i < hooks.before.length; i += 1) if (!trainers.has(hooks.before[i]!)) return true;
  return hooks.after.length > 0;
}

/**
 * Is told when a call of a module begins and ends. A tracer uses it to know which module an op
 * belongs to.
 */
export interface CallObserver {
  enter(module: Module): void;
  leave(module: Module): void;
  /** Called when random numbers are drawn outside of an op of `functional`, as by `nn.rand`. */
  draw(): void;
}

let observer: CallObserver | null = null;

/** Sets the observer of all calls, and returns the previous one. `null`: none. */
export function setCallObserver(next: CallObserver | null): CallObserver | null {
  const previous = observer;
  observer = next;
  return previous;
}

/** Must be called by functions that draw random numbers outside of an op. */
export function noteDraw(): void {
  observer?.draw();
}

/** The number of calls under way, one inside the other. */
let depth = 0;

/** Runs pre-hooks, `forward` and hooks in `tf.tidy`: only the output outlives the call. */
export function call(module: Module, args: unknown[]): unknown {
  const watching = observer;
  depth += 1;
  watching?.enter(module);
  try {
    return tf.tidy(() => {
      const output = run(module, args);
      return (depth === 1 ? ownOutput(output, args) : output) as tf.TensorContainer;
    });
  } catch (error) {
    throw error instanceof Error ? locate(error, module) : error;
  } finally {
    depth -= 1;
    watching?.leave(module);
  }
}

/**
 * If the output is an argument or a weight itself, a second handle of it, which the caller may
 * dispose.
 */
function ownOutput(output: unknown, args: unknown[]): unknown {
  if (!(output instanceof tf.Tensor)) return output;
  return output instanceof State || args.includes(output) ? tf.clone(output) : output;
}

function run(module: Module, given: unknown[]): unknown {
  const hooks = module[HOOKS];
  let args = given;
  if (hooks !== undefined) {
    for (const before of [...hooks.before]) {
      const replaced = before(module, args);
      if (replaced !== undefined) args = Array.isArray(replaced) ? replaced : [replaced];
    }
  }
  let output: unknown = module.forward(...args);
  if (output instanceof Promise) {
    output.catch(() => {}); // else the browser would report an unhandled rejection beside our error
    throw new TypeError("forward must be synchronous, but it returned a Promise");
  }
  if (hooks !== undefined) {
    for (const after of [...hooks.after]) output = after(module, args, output) ?? output;
  }
  return output;
}

/** For each error the module in which it arose, and its original text. */
const origins = new WeakMap<Error, { module: Module; message: string; stack: string }>();

/**
 * Adds to an error the path of the failing module, as seen from the outermost module that was
 * called.
 */
function locate(error: Error, module: Module): Error {
  let origin = origins.get(error);
  if (origin === undefined) {
    origin = { module, message: error.message, stack: error.stack ?? "" };
    origins.set(error, origin);
  }
  const path = walk(module).find(([, at]) => at === origin.module)?.[0];
  const place = `\n  in ${path ? `${path}: ` : ""}${head(origin.module)}`;
  error.message = origin.message + place;
  error.stack = origin.stack.replace(origin.message, () => error.message);
  return error;
}
