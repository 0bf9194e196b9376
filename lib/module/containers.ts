import type * as tf from "@tensorflow/tfjs-core";
import { describe } from "../arguments.js";
import { Module } from "./module.js";
import { layOut } from "./repr.js";
import { isModule, ORDER, ownChildren } from "./walk.js";

/** Children by name: a plain object, a Map, or an array of `[name, module]`. */
export type NamedModules = Readonly<Record<string, Module>> | Iterable<readonly [string, Module]>;

const NAMES = Symbol("names");

/** A non-negative position for one that may be negative, which counts from the end. */
export function position(index: number, length: number): number {
  if (!Number.isInteger(index) || index < -length || index >= length) {
    throw new RangeError(`index ${index} is out of range`);
  }
  return index < 0 ? index + length : index;
}

/**
 * A module whose children are its contents. Each is a property under its name, so that `seq[0]` and
 * `dict.conv` work; the order of names is stored separately, because JavaScript sorts integer-like
 * property names.
 */
class Container extends Module {
  readonly [NAMES]: string[] = [];

  override [ORDER](): readonly string[] {
    const own = new Set(Object.getOwnPropertyNames(this));
    const known = this[NAMES].filter((name) => own.delete(name));
    own.delete("length"); // of a list: reading it would ask for this order
    return [...known, ...own];
  }

  protected add(name: string, module: Module): void {
    this.registerModule(name, module);
    if (!this[NAMES].includes(name)) this[NAMES].push(name);
  }

  protected contents(): [string, Module][] {
    return ownChildren(this).filter((child): child is [string, Module] => child[1] !== null);
  }

  protected replace(contents: Iterable<readonly [string, Module]>): void {
    for (const name of this[NAMES]) delete (this as Record<string, unknown>)[name];
    this[NAMES].length = 0;
    for (const [name, module] of contents) this.add(name, module);
  }
}

/** A container indexed by position. */
class ListContainer<M extends Module> extends Container {
  [index: number]: M;
  /** How many children there are. */
  declare readonly length: number;

  constructor() {
    super();
    // Defined on each instance, because functions have an own `length`, which would hide one of the
    // prototype.
    Object.defineProperty(this, "length", {
      configurable: true,
      get(this: ListContainer<M>) {
        return this.contents().length; // `this`, since `deepcopy` copies the property to another list
      },
    });
  }

  /** The child at a position; negative positions count from the end. */
  at(index: number): M {
    return [...this][position(index, this.length)]!;
  }

  /** Adds a child at the end. */
  append(module: M): this {
    this.add(String(this.length), module);
    return this;
  }

  extend(modules: Iterable<M>): this {
    for (const module of modules) this.append(module);
    return this;
  }

  /** Inserts a child before the one at a position, and renumbers the following ones. */
  insert(index: number, module: M): this {
    if (!isModule(module))
      throw new TypeError(`module should be of type: Module, got ${describe(module)}`);
    const n = this.length;
    if (index < -n || index > n) {
      throw new RangeError(`Index out of range: ${index}`);
    }
    const all = [...this];
    all.splice(index < 0 ? index + n : index, 0, module);
    this.renumber(all);
    return this;
  }

  /** Removes the child at a position, renumbers the following ones, and returns it. */
  pop(index = -1): M {
    const all = [...this];
    const [taken] = all.splice(position(index, all.length), 1);
    this.renumber(all);
    return taken!;
  }

  [Symbol.iterator](): IterableIterator<M> {
    return this.contents()
      .map(([, module]) => module as M)
      .values();
  }

  private renumber(modules: readonly Module[]): void {
    this.replace(modules.map((module, i) => [String(i), module]));
  }
}

function namedEntries(named: NamedModules): Iterable<readonly [string, Module]> {
  const iterable = Symbol.iterator in named;
  return iterable ? (named as Iterable<readonly [string, Module]>) : Object.entries(named);
}

/**
 * Calls its children one after the other: `new Sequential(a, b)`, `new Sequential([a, b])`, or by
 * name `new Sequential({ fc1: a, relu: b })`.
 *
 * See https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html
 */
export class Sequential extends ListContainer<Module> {
  static override readonly name: string = "Sequential";

  constructor(...modules: Module[] | [readonly Module[]] | [NamedModules]) {
    super();
    const [first] = modules;
    if (modules.length === 1 && !isModule(first)) {
      if (typeof first !== "object" || first === null) {
        throw new TypeError(`${describe(first)} is not a Module subclass`);
      }
      if (Array.isArray(first) && first.every(isModule)) this.extend(first);
      else for (const [name, module] of namedEntries(first as NamedModules)) this.add(name, module);
    } else {
      this.extend(modules as Module[]);
    }
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.contents().reduce((value, [, module]) => module(value) as tf.Tensor, x);
  }

  /** A new Sequential of the children from `begin` to before `end`, under their old names. */
  slice(begin?: number, end?: number): Sequential {
    return new Sequential(this.contents().slice(begin, end));
  }
}

/**
 * An array of modules that are children of this module: `new ModuleList([a, b])`. Its type has the
 * type of the children, `ModuleList<Block>`; a list that is filled later is a `ModuleList<Module>`.
 *
 * See https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleList.html
 */
export class ModuleList<M extends Module = Module> extends ListContainer<M> {
  static override readonly name: string = "ModuleList";

  constructor(modules: readonly []); // a list of any modules, for which `M` would be inferred as `never`
  constructor(modules?: Iterable<M>);
  constructor(modules: Iterable<M> = []) {
    super();
    this.extend(modules);
  }

  /** A new list of the children from `begin` to before `end`, numbered from 0. */
  slice(begin?: number, end?: number): ModuleList<M> {
    return new ModuleList([...this].slice(begin, end));
  }

  /** Equal neighbours are printed as one: `(0-5): 6 x Linear(…)`. */
  override toString(): string {
    const runs: { from: number; to: number; text: string }[] = [];
    [...this].forEach((module, i) => {
      const text = String(module);
      const last = runs.at(-1);
      if (last?.text === text) last.to = i;
      else runs.push({ from: i, to: i, text });
    });
    const lines = runs.map(({ from, to, text }) => {
      const body = text.replaceAll("\n", "\n  ");
      return from === to ? `(${from}): ${body}` : `(${from}-${to}): ${to - from + 1} x ${body}`;
    });
    return layOut(this.constructor.name, "", lines);
  }
}

/**
 * Modules by name that are this module's children: `new ModuleDict({ conv: a, pool: b })`. Its type
 * says which it began with, so that `get("conv")` has the type of `a`.
 *
 * See https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleDict.html
 */
export class ModuleDict<
  M extends Readonly<Record<string, Module>> = Readonly<Record<string, Module>>,
> extends Container {
  static override readonly name: string = "ModuleDict";

  constructor(modules: M);
  constructor(modules?: NamedModules);
  constructor(modules: NamedModules = {}) {
    super();
    this.update(modules);
  }

  get size(): number {
    return this.contents().length;
  }

  get<K extends keyof M>(key: K): M[K];
  get(key: string): Module;
  get(key: string): Module {
    if (!this.has(key))
      throw new Error(`KeyError: '${key}'; the keys are: ${this.keys().join(", ")}`);
    return (this as unknown as Record<string, Module>)[key]!;
  }

  has(key: string): boolean {
    return this.keys().includes(key);
  }

  set(key: string, module: Module): this {
    this.add(key, module);
    return this;
  }

  update(modules: NamedModules): void {
    for (const [name, module] of namedEntries(modules)) this.add(name, module);
  }

  /** Removes a child and returns it. */
  pop<K extends keyof M>(key: K): M[K];
  pop(key: string): Module;
  pop(key: string): Module {
    const module = this.get(key);
    this.replace(this.contents().filter(([name]) => name !== key));
    return module;
  }

  clear(): void {
    this.replace([]);
  }

  keys(): string[] {
    return this.contents().map(([name]) => name);
  }

  values(): Module[] {
    return this.contents().map(([, module]) => module);
  }

  entries(): [string, Module][] {
    return this.contents();
  }

  [Symbol.iterator](): IterableIterator<string> {
    return this.keys().values();
  }
}
