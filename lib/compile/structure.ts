import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../arguments.js";

export const isTensor = (value: unknown): value is tf.Tensor => value instanceof tf.Tensor;

/** Stands for the tensor of that index in nested arguments or results. */
export class Slot {
  constructor(readonly index: number) {}
}

/** Nested arguments or results with their tensors taken out. */
export interface Structure {
  /** Each tensor once, in the order of first appearance. */
  tensors: tf.Tensor[];
  /** The same nesting, with slots in the place of tensors. */
  skeleton: unknown;
}

/** Plain objects and lists are looked into; anything else that is no plain value cannot be traced. */
export function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Takes nested values apart.
 *
 * @throws TypeError on what is neither tensor nor plain value, such as a PackedSequence.
 */
export function takeApart(value: unknown): Structure {
  const tensors: tf.Tensor[] = [];
  const visit = (one: unknown): unknown => {
    if (isTensor(one)) {
      const index = tensors.indexOf(one);
      return new Slot(index < 0 ? tensors.push(one) - 1 : index);
    }
    if (one === null || ["undefined", "boolean", "number", "string"].includes(typeof one)) {
      return one;
    }
    if (Array.isArray(one)) return one.map(visit);
    if (typeof one === "object" && isPlain(one)) {
      return Object.fromEntries(Object.entries(one).map(([name, inner]) => [name, visit(inner)]));
    }
    throw new TypeError(`neither a tensor nor a plain value: ${describe(one)}`);
  };
  return { tensors, skeleton: visit(value) };
}

/** The nested values again, with what `fill` gives in the place of the tensors. */
export function putTogether(skeleton: unknown, fill: (index: number) => unknown): unknown {
  if (skeleton instanceof Slot) return fill(skeleton.index);
  if (Array.isArray(skeleton)) return skeleton.map((one) => putTogether(one, fill));
  if (typeof skeleton !== "object" || skeleton === null) return skeleton;
  const entries = Object.entries(skeleton);
  return Object.fromEntries(entries.map(([name, one]) => [name, putTogether(one, fill)]));
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
    if (typeof pattern !== "object" || pattern === null) return Object.is(pattern, value);
    if (typeof value !== "object" || value === null) return false;
    if (Array.isArray(pattern)) {
      if (!Array.isArray(value) || value.length !== pattern.length) return false;
      for (let i = 0; i < pattern.length; i += 1) {
        if (!this.fits(pattern[i], value[i], into)) return false;
      }
      return true;
    }
    if (!isPlain(value)) return false;
    let count = 0;
    for (const name in value) if (Object.hasOwn(value, name)) count += 1;
    for (const name in pattern) {
      count -= 1;
      if (!Object.hasOwn(value, name)) return false;
      const inner = (pattern as Record<string, unknown>)[name];
      if (!this.fits(inner, value[name], into)) return false;
    }
    return count === 0;
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
