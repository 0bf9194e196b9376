import * as tf from "@tensorflow/tfjs-core";
import { describe } from "../arguments.js";
import type { Argument } from "../graph/index.js";

/**
 * Thrown if a model does something that a trace cannot follow; the message says what, and what to
 * do instead.
 */
export class TraceError extends Error {
  override readonly name = "TraceError";
}

export const isTensor = (value: unknown): value is tf.Tensor => value instanceof tf.Tensor;

/** The place of the tensor with that index in nested arguments or results. */
export class Slot {
  constructor(readonly index: number) {}
}

/**
 * The place of an object. The order of properties matters, because `forward` may iterate over them.
 */
class Fields {
  constructor(
    readonly names: readonly string[],
    readonly values: readonly unknown[],
  ) {}
}

/** Nested arguments or results, with their tensors taken out. */
export interface Structure {
  /** Each tensor once, in the order of first appearance. */
  tensors: tf.Tensor[];
  /**
   * The same nesting with {@link Slot}s instead of tensors, and {@link Fields} instead of objects.
   */
  skeleton: unknown;
}

/** Numbers, strings, `null` and the like, which have no properties. */
export const isPrimitive = (value: unknown): value is Argument => Object(value) !== value;

/**
 * Whether it is an object without a class of its own. Tensors may be nested in these and in arrays;
 * other objects cannot be traced.
 */
export function isPlain(value: unknown): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Separates nested values into tensors and the structure around them.
 *
 * @throws TraceError for what is neither a tensor nor a plain value, such as a PackedSequence.
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

/**
 * The inverse of {@link takeApart}: nested values with `fill(index)` in the place of each tensor.
 */
export function putTogether(skeleton: unknown, fill: (index: number) => unknown): unknown {
  if (skeleton instanceof Slot) return fill(skeleton.index);
  if (Array.isArray(skeleton)) return skeleton.map((one) => putTogether(one, fill));
  if (!(skeleton instanceof Fields)) return skeleton;
  const { names, values } = skeleton;
  return Object.fromEntries(names.map((name, i) => [name, putTogether(values[i], fill)]));
}

/**
 * The calls that one plan can serve: arguments with one nesting, the same plain values, and the
 * same shapes and dtypes.
 */
export class Pattern {
  private readonly skeleton: unknown;
  private readonly kinds: readonly { shape: readonly number[]; dtype: string }[];

  constructor({ skeleton, tensors }: Structure) {
    this.skeleton = skeleton;
    this.kinds = tensors.map(({ shape, dtype }) => ({ shape: [...shape], dtype }));
  }

  /**
   * Whether arguments fit; if so, appends their tensors to `into`, each once. It runs before every
   * call, so it allocates nothing.
   */
  match(args: unknown, into: tf.Tensor[]): boolean {
    if (this.fits(this.skeleton, args, into)) return true;
    into.length = 0;
    return false;
  }

  /** Arguments that fit, with these tensors in them. */
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

  /** A tensor that occurred twice must do so again, and two different ones must be different. */
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
