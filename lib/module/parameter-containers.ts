import * as tf from "@tensorflow/tfjs-core";
import { position } from "./containers.js";
import { Module } from "./module.js";
import { Parameter, type TensorSource } from "./parameter.js";
import { ORDER } from "./walk.js";

const VALUES = Symbol("values");

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);

const isTensor = (value: unknown): value is tf.Tensor => value instanceof tf.Tensor;

/** Turns a plain tensor into a parameter; other values are left as they are. */
const toParameter = (value: unknown): unknown =>
  isTensor(value) && !(value instanceof Parameter) ? new Parameter(value) : value;

/** PyTorch prints the dtype in one container, and the tensor type in the other. */
const TENSOR_TYPES: Record<string, string> = {
  float32: "torch.FloatTensor",
  int32: "torch.IntTensor",
  bool: "torch.BoolTensor",
};

function line(name: string, value: unknown, nameType: (dtype: string) => string): string {
  if (!isTensor(value))
    return `  (${name}): Object of type: ${value === null ? "NoneType" : typeof value}`;
  const kind = value instanceof Parameter ? "Parameter" : "Tensor";
  const size = value.shape.join("x");
  return `  (${name}): ${kind} containing: [${nameType(value.dtype)} of size ${size}]`;
}

/**
 * An array of parameters: `new ParameterList([a, b])`; `list[0]`, `list.length`, iteration.
 *
 * See https://docs.pytorch.org/docs/stable/generated/torch.nn.ParameterList.html
 */
export class ParameterList extends Module {
  static override readonly name: string = "ParameterList";

  [index: number]: Parameter;
  /** How many values there are. */
  declare readonly length: number;

  constructor(values: Iterable<TensorSource> = []) {
    super();
    Object.defineProperty(this, "length", { value: 0, writable: true, configurable: true });
    this.extend(values);
  }

  at(index: number): Parameter {
    return this[position(index, this.length)]!;
  }

  append(value: TensorSource): this {
    const at = this.length;
    this[at] = toParameter(value) as Parameter;
    (this as { length: number }).length = at + 1;
    return this;
  }

  extend(values: Iterable<TensorSource>): this {
    for (const value of values) this.append(value);
    return this;
  }

  slice(begin?: number, end?: number): ParameterList {
    return new ParameterList([...this].slice(begin, end));
  }

  *[Symbol.iterator](): IterableIterator<Parameter> {
    for (let i = 0; i < this.length; i += 1) yield this[i]!;
  }

  override forward(): never {
    throw new Error("ParameterList should not be called.");
  }

  override extraRepr(): string {
    const lines = [...this].map((value, i) => line(String(i), value, (type) => `torch.${type}`));
    return lines.join("\n");
  }
}

/**
 * Parameters by name: `new ParameterDict({ left: a, right: b })`.
 *
 * See https://docs.pytorch.org/docs/stable/generated/torch.nn.ParameterDict.html
 */
export class ParameterDict extends Module {
  static override readonly name: string = "ParameterDict";

  readonly [VALUES]: Set<string> = new Set();

  constructor(
    values: Readonly<Record<string, TensorSource>> | Iterable<[string, TensorSource]> = {},
  ) {
    super();
    this.update(values);
  }

  get size(): number {
    return this[VALUES].size;
  }

  get(key: string): Parameter {
    if (!this.has(key))
      throw new Error(`KeyError: '${key}'; the keys are: ${this.keys().join(", ")}`);
    return (this as unknown as Record<string, Parameter>)[key]!;
  }

  has(key: string): boolean {
    return this[VALUES].has(key);
  }

  set(key: string, value: TensorSource): this {
    const own = this as unknown as Record<string, unknown>;
    if (own[key] !== undefined && !this.has(key))
      throw new Error(`attribute '${key}' already exists`);
    own[key] = toParameter(value);
    this[VALUES].add(key);
    return this;
  }

  /**
   * Sets several parameters. Those of a plain object are sorted by name, as PyTorch does with a
   * dict.
   */
  update(values: Readonly<Record<string, TensorSource>> | Iterable<[string, TensorSource]>): void {
    const iterable = Symbol.iterator in values;
    const entries = iterable ? values : Object.entries(values).sort(byName);
    for (const [key, value] of entries) this.set(key, value);
  }

  /** Removes a parameter and returns it. */
  pop(key: string): Parameter {
    const value = this.get(key);
    delete (this as unknown as Record<string, unknown>)[key];
    this[VALUES].delete(key);
    return value;
  }

  clear(): void {
    for (const key of this.keys()) this.pop(key);
  }

  keys(): string[] {
    return [...this[VALUES]];
  }

  values(): Parameter[] {
    return this.keys().map((key) => this.get(key));
  }

  entries(): [string, Parameter][] {
    return this.keys().map((key) => [key, this.get(key)]);
  }

  override [ORDER](): readonly string[] {
    const others = Object.getOwnPropertyNames(this).filter((name) => !this.has(name));
    return [...this.keys(), ...others];
  }

  override forward(): never {
    throw new Error("ParameterDict should not be called.");
  }

  override extraRepr(): string {
    const typeOf = (dtype: string): string => TENSOR_TYPES[dtype] ?? `torch.${dtype}`;
    return this.entries()
      .map(([name, value]) => line(name, value, typeOf))
      .join("\n");
  }
}
