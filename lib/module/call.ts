import * as tf from "@tensorflow/tfjs-core";
import type { Module } from "./module.js";
import { State } from "./parameter.js";
import { head } from "./repr.js";
import { walk } from "./walk.js";

/** Sees the arguments of a call before it; what it returns, if anything, takes their place. */
export type ForwardPreHook = (module: Module, args: unknown[]) => unknown;
/** Sees the output of a call; what it returns, if anything, takes its place. */
export type ForwardHook = (module: Module, args: unknown[], output: unknown) => unknown;

export interface Hooks {
  before: ForwardPreHook[];
  after: ForwardHook[];
}

/** Takes a hook away again. */
export interface HookHandle {
  remove(): void;
}

export interface HookOptions {
  /** Run before the hooks that are there. Default: `false`. */
  prepend?: boolean;
}

export const HOOKS = Symbol("hooks");

/** Adds a hook to a list, and gives the handle that takes it out again. */
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

/** Pre-hooks of ours that do nothing unless the module trains. */
const trainers = new WeakSet<ForwardPreHook>();

/** Declares that a pre-hook does nothing unless the module that is called trains. */
export function inTraining(before: ForwardPreHook): ForwardPreHook {
  trainers.add(before);
  return before;
}

/** Whether a call of the module in eval mode runs hooks that may do something. */
export function hasListeners(module: Module): boolean {
  const hooks = module[HOOKS];
  if (hooks === undefined) return false;
  for (let i = 0; i < hooks.before.length; i += 1) if (!trainers.has(hooks.before[i]!)) return true;
  return hooks.after.length > 0;
}

/** Follows the calls of modules as they begin and end: a tracer asks where an op belongs. */
export interface CallObserver {
  enter(module: Module): void;
  leave(module: Module): void;
  /** Random numbers are drawn that are no op's. */
  draw(): void;
}

let observer: CallObserver | null = null;

/** Sets who follows all calls and gives back who did before. `null`: nobody. */
export function setCallObserver(next: CallObserver | null): CallObserver | null {
  const previous = observer;
  observer = next;
  return previous;
}

/** Said by whoever draws random numbers. */
export function noteDraw(): void {
  observer?.draw();
}

/** How many calls are under way, one inside the other. */
let depth = 0;

/** Pre-hooks, `forward`, hooks; nothing but the output outlives the call. */
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

/** An output that is an argument or a weight gets a handle of its own, which may be disposed. */
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
    output.catch(() => {}); // ours is the error that is reported
    throw new TypeError("forward must be synchronous, but it returned a Promise");
  }
  if (hooks !== undefined) {
    for (const after of [...hooks.after]) output = after(module, args, output) ?? output;
  }
  return output;
}

/** Where an error arose, and its text before a place was added to it. */
const origins = new WeakMap<Error, { module: Module; message: string; stack: string }>();

/** Adds the path of the failing module, as seen from the outermost module that was called. */
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
