import * as tf from "@tensorflow/tfjs-core";
import { describe, readOptions } from "../arguments.js";
import { call, type ForwardHook, type ForwardPreHook, type Hooks, HOOKS, hook } from "./call.js";
import type { HookHandle, HookOptions } from "./call.js";
import { Buffer, Parameter, type TensorSource } from "./parameter.js";
import { repr } from "./repr.js";
import {
  collectState,
  type IncompatibleKeys,
  LOAD_HOOKS,
  loadState,
  type LoadStateOptions,
  type LoadHook,
  type StateSource,
} from "./state-dict.js";
import {
  ABSENT,
  BRAND,
  BUFFERS,
  type Hidden,
  isModule,
  join,
  ownBuffers,
  ownParameters,
  presentChildren,
  walk,
} from "./walk.js";

export interface NamedOptions {
  /** Put before every name. Default: `""`. */
  prefix?: string;
  /** Go into the children. Default: `true`. */
  recurse?: boolean;
  /** Name a shared one only once. Default: `true`. */
  removeDuplicate?: boolean;
}

type Named = Required<NamedOptions>;

const NAMED: Named = { prefix: "", recurse: true, removeDuplicate: true };

/** A module is called like a function, with the arguments of its `forward`. */
export interface Module extends Hidden {
  (...args: Parameters<this["forward"]>): ReturnType<this["forward"]>;
  [HOOKS]?: Hooks;
  [LOAD_HOOKS]?: LoadHook[];
}

/**
 * The base of all layers and models, as `torch.nn.Module`: assign parameters, buffers and
 * submodules as properties, write `forward`, and call the module.
 *
 * A new module is in eval mode: this is an inference library.
 *
 * See https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
 */
export class Module {
  /**
   * What a class is called in printed models and messages. Ours say it themselves, since bundlers
   * and minifiers rename classes; any other has the name that it was declared with.
   */
  static readonly name: string = "Module";

  /** Whether layers such as Dropout and BatchNorm behave as in training. Default: `false`. */
  declare training: boolean;

  constructor() {
    const self = ((...args: unknown[]) => call(self, args)) as unknown as this;
    // Not new.target.prototype: a bundler broke that in workers.
    Object.setPrototypeOf(self, Object.getPrototypeOf(this) as object);
    // A function's own `name` and `length` are read-only; a child may be called so.
    const free = { value: undefined, writable: true, configurable: true };
    Object.defineProperties(self, { name: free, length: free });
    self.training = false;
    return self;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    if (this === Module) return isModule(value);
    return Function.prototype[Symbol.hasInstance].call(this, value);
  }

  /** The model's own formula, in tensor ops. Plain and synchronous; overridden by every module. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- every subclass narrows it
  forward(..._args: any[]): any {
    throw new Error(`Module [${this.constructor.name}] is missing the required "forward" function`);
  }

  /** Parameters and persistent buffers by their PyTorch key. The tensors stay the model's own. */
  stateDict(options?: { prefix?: string }): Map<string, tf.Tensor> {
    const { prefix } = readOptions("stateDict", { prefix: "" }, options);
    return collectState(this, prefix);
  }

  /**
   * Copies a state_dict into the parameters and buffers of this module and those below it.
   *
   * @param state key → tensor, or what `nn.load` gives: a Map or a plain object.
   * @param options `strict` (default `true`): the keys must match exactly. `clamp` (default
   *   `false`): integers beyond int32 become the nearest that fit, instead of an error.
   * @throws one error that lists every missing and unexpected key and every size mismatch;
   *   then nothing has changed.
   */
  loadStateDict(state: StateSource, options?: LoadStateOptions): IncompatibleKeys {
    const defaults = { strict: true, clamp: false };
    return loadState(this, state, readOptions("loadStateDict", defaults, options));
  }

  /** Registers a function that may rewrite keys of a state_dict before it is loaded. */
  registerLoadStateDictPreHook(load: LoadHook): HookHandle {
    return hook((this[LOAD_HOOKS] ??= []), load);
  }

  /** All parameters, of the children too; a shared one once. */
  parameters(options?: Pick<NamedOptions, "recurse">): Parameter[] {
    return this.namedParameters(options).map(([, parameter]) => parameter);
  }

  namedParameters(options?: NamedOptions): [string, Parameter][] {
    return collect(this, readOptions<Named>("namedParameters", NAMED, options), ownParameters);
  }

  buffers(options?: Pick<NamedOptions, "recurse">): tf.Tensor[] {
    return this.namedBuffers(options).map(([, buffer]) => buffer);
  }

  namedBuffers(options?: NamedOptions): [string, tf.Tensor][] {
    return collect(this, readOptions<Named>("namedBuffers", NAMED, options), (module) =>
      ownBuffers(module).map(({ name, tensor }) => [name, tensor]),
    );
  }

  /** The direct children; a shared one once. */
  children(): Module[] {
    return this.namedChildren().map(([, child]) => child);
  }

  namedChildren(): [string, Module][] {
    const seen = new Set<Module>();
    return presentChildren(this).filter(([, child]) => !seen.has(child) && seen.add(child));
  }

  /** This module and all below it; a shared one once. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  namedModules(options?: Omit<NamedOptions, "recurse">): [string, Module][] {
    const defaults = { prefix: "", removeDuplicate: true };
    const { prefix, removeDuplicate } = readOptions("namedModules", defaults, options);
    return walk(this, prefix, removeDuplicate);
  }

  /** The module at a path such as `"layer1.0.conv1"`; `""` is the module itself. */
  getSubmodule(path: string): Module {
    const atoms = path === "" ? [] : path.split(".");
    return atoms.reduce<Module>((at, atom) => {
      if (!(atom in at)) throw new Error(`${at.constructor.name} has no attribute \`${atom}\``);
      const next = (at as unknown as Record<string, unknown>)[atom];
      if (!isModule(next)) throw new Error(`\`${atom}\` is not an nn.Module`);
      return next;
    }, this);
  }

  /** The parameter at a path such as `"layer1.0.conv1.weight"`. */
  getParameter(path: string): Parameter {
    return lookUp(this, path, (value) => value instanceof Parameter, "an nn.Parameter");
  }

  /** The buffer at a path such as `"bn1.running_mean"`. */
  getBuffer(path: string): tf.Tensor {
    const isBuffer = (value: unknown, owner: Module): value is tf.Tensor =>
      ownBuffers(owner).some(({ tensor }) => tensor === value);
    return lookUp(this, path, isBuffer, "a buffer");
  }

  /** Sets a child under a name given as a string; `null` keeps the name and prints as `None`. */
  registerModule(name: string, module: Module | null): void {
    checkName(this, "module", name, (value) => value === null || isModule(value));
    if (module !== null && !isModule(module)) {
      throw new TypeError(`${describe(module)} is not a Module subclass`);
    }
    if (module === null) (this[ABSENT] ??= new Set()).add(name);
    set(this, name, module);
  }

  /** Sets a parameter under a name given as a string; `null` for none. */
  registerParameter(name: string, parameter: Parameter | null): void {
    checkName(this, "parameter", name, (value) => value === null || value instanceof Parameter);
    if (parameter !== null && !(parameter instanceof Parameter)) {
      throw new TypeError(
        `cannot assign '${describe(parameter)}' object to parameter '${name}' ` +
          `(torch.nn.Parameter or None required)`,
      );
    }
    set(this, name, parameter);
  }

  /** Sets a tensor that is no parameter; persistent ones (the default) are in the state_dict. */
  registerBuffer(
    name: string,
    data: TensorSource | null,
    options?: { persistent?: boolean },
  ): void {
    const { persistent } = readOptions("registerBuffer", { persistent: true }, options);
    checkName(this, "buffer", name, (value) => value === null || value instanceof tf.Tensor);
    (this[BUFFERS] ??= new Map()).set(name, persistent);
    set(this, name, data === null ? null : new Buffer(data, { persistent }));
  }

  /**
   * Registers a function that runs after `forward`: `(module, args, output) => output | void`.
   * What it returns, if anything, replaces the output. A tensor it wants to keep it must `tf.keep`.
   */
  registerForwardHook(after: ForwardHook, options?: HookOptions): HookHandle {
    const { prepend } = readOptions("registerForwardHook", { prepend: false }, options);
    return hook((this[HOOKS] ??= { before: [], after: [] }).after, after, prepend);
  }

  /**
   * Registers a function that runs before `forward`: `(module, args) => args | void`.
   * What it returns, if anything, replaces the arguments (a single value is wrapped).
   */
  registerForwardPreHook(before: ForwardPreHook, options?: HookOptions): HookHandle {
    const { prepend } = readOptions("registerForwardPreHook", { prepend: false }, options);
    return hook((this[HOOKS] ??= { before: [], after: [] }).before, before, prepend);
  }

  /** Runs a function on every module below this one and then on this one. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Training mode on or off, here and below. */
  train(mode = true): this {
    if (typeof mode !== "boolean") throw new TypeError("training mode is expected to be boolean");
    this.training = mode;
    for (const child of this.children()) child.train(mode);
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  requiresGrad_(requiresGrad = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = requiresGrad;
    return this;
  }

  /** Frees all parameters and buffers; the model cannot be used afterwards. */
  dispose(): void {
    for (const parameter of this.parameters()) parameter.dispose();
    for (const buffer of this.buffers()) buffer.dispose();
  }

  /** What stands between the parentheses of this layer's repr. */
  extraRepr(): string {
    return "";
  }

  /** PyTorch's `repr`, to the letter. */
  toString(): string {
    return repr(this);
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

Object.defineProperty(Module.prototype, BRAND, { value: true });

function set(module: Module, name: string, value: unknown): void {
  (module as unknown as Record<string, unknown>)[name] = value;
}

function collect<T>(
  module: Module,
  { prefix, recurse, removeDuplicate }: Named,
  own: (module: Module) => [string, T][],
): [string, T][] {
  const seen = new Set<T>();
  const modules = recurse ? walk(module, prefix, removeDuplicate) : [[prefix, module] as const];
  return modules
    .flatMap(([path, at]) => own(at).map(([name, value]): [string, T] => [join(path, name), value]))
    .filter(([, value]) => !removeDuplicate || (!seen.has(value) && seen.add(value)));
}

function lookUp<T>(
  module: Module,
  path: string,
  accept: (value: unknown, owner: Module) => value is T,
  kind: string,
): T {
  const atoms = path.split(".");
  const name = atoms.pop()!;
  const owner = module.getSubmodule(atoms.join("."));
  const value = (owner as unknown as Record<string, unknown>)[name];
  if (!(name in owner)) {
    throw new Error(`${owner.constructor.name} has no attribute \`${name}\``);
  }
  if (!accept(value, owner)) throw new Error(`\`${name}\` is not ${kind}`);
  return value;
}

/** PyTorch's rules for names that come as strings. */
function checkName(
  module: Module,
  kind: string,
  name: string,
  replaceable: (value: unknown) => boolean,
): void {
  if (typeof name !== "string") {
    throw new TypeError(`${kind} name should be a string. Got ${typeof name}`);
  }
  if (name in module) {
    const current = (module as unknown as Record<string, unknown>)[name];
    // A class field that is only declared, as TypeScript compiles it, is a property without a value.
    const free = current === undefined && Object.hasOwn(module, name);
    if (!free && !replaceable(current)) throw new Error(`attribute '${name}' already exists`);
  }
  if (name.includes(".")) {
    const got = kind === "module" ? `, got: ${name}` : "";
    throw new Error(`${kind} name can't contain "."${got}`);
  }
  if (name === "") throw new Error(`${kind} name can't be empty string ""`);
}
