import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../arguments.js";
import type { Argument } from "../graph/index.js";

/** A model does what a trace cannot follow; the message says what, and what to do. */
export class TraceError extends Error {
  override readonly name = "TraceError";
}

export const isTensor = (value: unknown): value is tf.Tensor => value instanceof tf.Tensor;

/** Stands for the tensor of that index in nested arguments or results. */
export class Slot {
  constructor(readonly index: number) {}
}

/** Stands for an object: `forward` may go along its properties, so their order counts. */
class Fields {
  constructor(
    readonly names: readonly string[],
    readonly values: readonly unknown[],
  ) {}
}

/** Nested arguments or results with their tensors taken out. */
export interface Structure {
  /** Each tensor once, in the order of first appearance. */
  tensors: tf.Tensor[];
  /** The same nesting, with slots in the place of tensors, and fields in that of objects. */
  skeleton: unknown;
}

/** Numbers, strings, `null` and the like: what has no properties of its own. */
export const isPrimitive = (value: unknown): value is Argument => Object(value) !== value;

/** Plain objects and lists are looked into; anything else that is no plain value cannot be traced. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Takes nested values apart.
 *
 * @throws TraceError on what is neither tensor nor plain value, such as a PackedSequence.
 */
export function takeApart(value: unknown): Structure {
  const tensors: tf.Tensor[] = [];
  const visit = (one: unknown): unknown => {
    if (isTensor(one)) {
      const index = tensors.indexOf(one);
      return new Slot(index < 0 ? tensors.push(one) - 1 : index);
    }
    if (isPrimitive(one)) return one;
    if (Array.isArray(one)) return one.map(visit);
    if (isPlain(one)) {
      return new Fields(Object.keys(one), Object.values(one).map(visit));
    }
    throw new TraceError(
      `${describe(one)} cannot be traced: it is neither a tensor nor a plain value`,
    );
  };
  return { tensors, skeleton: visit(value) };
}

/** The nested values again, with what `fill` gives in the place of the tensors. */
export function putTogether(skeleton: unknown, fill: (index: number) => unknown): unknown {
  if (skeleton instanceof Slot) return fill(skeleton.index);
  if (Array.isArray(skeleton)) return skeleton.map((one) => putTogether(one, fill));
  if (!(skeleton instanceof Fields)) return skeleton;
  const { names, values } = skeleton;
  return Object.fromEntries(names.map((name, i) => [name, putTogether(values[i], fill)]));
}

/** What one plan can serve: arguments of one nesting, with the same plain values, shapes and dtypes. */
export class Pattern {
  private readonly skeleton: unknown;
  private readonly kinds: readonly { shape: readonly number[]; dtype: string }[];

  constructor({ skeleton, tensors }: Structure) {
    this.skeleton = skeleton;
    this.kinds = tensors.map(({ shape, dtype }) => ({ shape: [...shape], dtype }));
  }

  /**
   * Whether arguments are of this kind; then their tensors are put into a list, each once. Runs before
   * every call, so it makes nothing.
   */
  match(args: unknown, into: tf.Tensor[]): boolean {
    if (this.fits(this.skeleton, args, into)) return true;
    into.length = 0;
    return false;
  }

  /** Arguments of this kind with these tensors. */
  fill(tensors: readonly tf.Tensor[]): unknown[] {
    return putTogether(this.skeleton, (index) => tensors[index]) as unknown[];
  }

  private fits(pattern: unknown, value: unknown, into: tf.Tensor[]): boolean {
    if (pattern instanceof Slot) {
      return isTensor(value) && this.fitsTensor(pattern.index, value, into);
    }
    if (isPrimitive(pattern)) return Object.is(pattern, value);
    if (isPrimitive(value)) return false;
    if (Array.isArray(pattern)) {
      if (!Array.isArray(value) || value.length !== pattern.length) return false;
      for (let i = 0; i < pattern.length; i += 1) {
        if (!this.fits(pattern[i], value[i], into)) return false;
      }
      return true;
    }
    if (!isPlain(value)) return false;
    const { names, values } = pattern as Fields;
    let i = 0;
    for (const name in value) {
      if (!Object.hasOwn(value, name)) continue;
      if (name !== names[i] || !this.fits(values[i], value[name], into)) return false;
      i += 1;
    }
    return i === names.length;
  }

  /** A tensor that is given twice must be so again, and two must be two. */
  private fitsTensor(index: number, tensor: tf.Tensor, into: tf.Tensor[]): boolean {
    if (index < into.length) return into[index] === tensor;
    const { shape, dtype } = this.kinds[index]!;
    if (tensor.dtype !== dtype || tensor.shape.length !== shape.length) return false;
    for (let i = 0; i < shape.length; i += 1) if (tensor.shape[i] !== shape[i]) return false;
    if (into.includes(tensor)) return false;
    into.push(tensor);
    return true;
  }
}
