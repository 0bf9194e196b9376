import type * as tf from "@tensorflow/tfjs-core";
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
  /** A prefix for all names. Default: `""`. */
  prefix?: string;
  /** Go into the children. Default: `true`. */
  recurse?: boolean;
  /** Name a shared object only once. Default: `true`. */
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
   * The name of the class in printed models and messages. Our classes declare it, because bundlers
   * and minifiers rename classes; user classes have the name in their source.
   */
  static readonly name: string = "Module";

  /** Whether layers such as Dropout and BatchNorm behave as in training. Default: `false`. */
  declare training: boolean;

  constructor() {
    const self = ((...args: unknown[]) => call(self, args)) as unknown as this;
    // Not `new.target.prototype`, which a bundler breaks in workers.
    Object.setPrototypeOf(self, Object.getPrototypeOf(this) as object);
    // A function's own `name` and `length` are read-only, but a child may have such a name.
    const free = { value: undefined, writable: true, configurable: true };
    Object.defineProperties(self, { name: free, length: free });
    self.training = false;
    return self;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    if (this === Module) return isModule(value);
    return Function.prototype[Symbol.hasInstance].call(this, value);
  }

  /** The model's computation: tensor ops, synchronous. Every module overrides it. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- every subclass narrows it
  forward(..._args: any[]): any {
    throw new Error(`Module [${this.constructor.name}] is missing the required "forward" function`);
  }

  /**
   * Parameters and persistent buffers by their PyTorch key. The tensors are the model's own, not
   * copies.
   */
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

  /**
   * Registers a function that may change a state_dict before it is loaded, for example rename keys.
   */
  registerLoadStateDictPreHook(load: LoadHook): HookHandle {
    return hook((this[LOAD_HOOKS] ??= []), load);
  }

  /** All parameters, including those of children; a shared one once. */
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

  /** This module and all modules below it; a shared one once. */
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
    return lookUp(this, path, isBuffer, "a buffer");
  }

  /** Sets a child under a name given as a string; `null` reserves the name and prints as `None`. */
  registerModule(name: string, module: Module | null): void {
    checkName(this, "module", name, (value) => value === null || isModule(value));
    if (module !== null && !isModule(module)) {
      throw new TypeError(`${describe(module)} is not a Module subclass`);
    }
    if (module === null) (this[ABSENT] ??= new Set()).add(name);
    set(this, name, module);
  }

  /** Sets a parameter under a name given as a string; `null` for no parameter. */
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

  /** Sets a tensor that is not a parameter. Persistent ones (the default) are in the state_dict. */
  registerBuffer(
    name: string,
    data: TensorSource | null,
    options?: { persistent?: boolean },
  ): void {
    const { persistent } = readOptions("registerBuffer", { persistent: true }, options);
    checkName(this, "buffer", name, (value) => value === null || isBuffer(value, this));
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

  /** Calls a function with every module below this one, and then with this one. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Switches training mode on or off, for this module and all below it. */
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

  /** The text between the parentheses of this module's repr. */
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

const isBuffer = (value: unknown, owner: Module): value is tf.Tensor =>
  ownBuffers(owner).some(({ tensor }) => tensor === value);

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

/** Checks a name given as a string by PyTorch's rules. */
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
    // TypeScript compiles a class field that is only declared to a property that is undefined.
    const free = current === undefined && Object.hasOwn(module, name);
    if (!free && !replaceable(current)) throw new Error(`attribute '${name}' already exists`);
  }
  if (name.includes(".")) {
    const got = kind === "module" ? `, got: ${name}` : "";
    throw new Error(`${kind} name can't contain "."${got}`);
  }
  if (name === "") throw new Error(`${kind} name can't be empty string ""`);
}
