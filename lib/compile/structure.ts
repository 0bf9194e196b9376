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
  /** Equal for what one plan can serve: nesting, plain values, and shapes and dtypes of tensors. */
  key: string;
}

/** Plain objects and lists are looked into; anything else that is no plain value cannot be traced. */
function isPlain(value: object): value is Record<string, unknown> {
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
  const key: string[] = [];
  const visit = (one: unknown): unknown => {
    if (isTensor(one)) {
      let index = tensors.indexOf(one);
      if (index < 0) {
        index = tensors.push(one) - 1;
        key.push(`${index}:${one.dtype}[${one.shape.join()}]`);
      } else key.push(`${index}`);
      return new Slot(index);
    }
    if (one === null || one === undefined || typeof one === "boolean" || typeof one === "number") {
      key.push(Object.is(one, -0) ? "-0" : String(one));
      return one;
    }
    if (typeof one === "string") {
      key.push(JSON.stringify(one));
      return one;
    }
    if (Array.isArray(one)) {
      key.push("[");
      const list = one.map(visit);
      key.push("]");
      return list;
    }
    if (typeof one === "object" && isPlain(one)) {
      key.push("{");
      const entries = Object.entries(one).map(([name, inner]) => {
        key.push(`${JSON.stringify(name)}:`);
        return [name, visit(inner)] as const;
      });
      key.push("}");
      return Object.fromEntries(entries);
    }
    throw new TypeError(`neither a tensor nor a plain value: ${describe(one)}`);
  };
  return { tensors, skeleton: visit(value), key: key.join(" ") };
}

/** The nested values again, with what `fill` gives in the place of the tensors. */
export function putTogether(skeleton: unknown, fill: (index: number) => unknown): unknown {
  if (skeleton instanceof Slot) return fill(skeleton.index);
  if (Array.isArray(skeleton)) return skeleton.map((one) => putTogether(one, fill));
  if (typeof skeleton !== "object" || skeleton === null) return skeleton;
  const entries = Object.entries(skeleton);
  return Object.fromEntries(entries.map(([name, one]) => [name, putTogether(one, fill)]));
}
