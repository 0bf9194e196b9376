import * as tf from "@tensorflow/tfjs-core";
import {
  type Argument,
  type Attributes,
  callNode,
  type Constant,
  type Graph,
  mapNodes,
  Node,
} from "../../graph/index.js";
import { tidied } from "../../functional/tidied.js";
import { shapeOf, tensorMeta } from "../passes/facts.js";
import { isPrimitive } from "../structure.js";
import { areFinite, areModest } from "../passes/finite.js";

/** The numbers of a node that depends on no input. */
export type Numbers = Constant & { readonly values: tf.TypedArray };

/** Writes `count` rows, beginning with row `first`, into `to` from index `at` on. */
export type WriteRows = (first: number, count: number, to: Float32Array, at: number) => void;

/** When tfjs casts integers, it leaves floats in an integer array. */
const withFloats = (numbers: Numbers): Numbers =>
  numbers.dtype === "float32" && !(numbers.values instanceof Float32Array)
    ? { ...numbers, values: new Float32Array(numbers.values) }
    : numbers;

const numbersOf = (tensor: tf.Tensor): Numbers =>
  withFloats({ shape: tensor.shape, dtype: tensor.dtype, values: tensor.dataSync() });

/**
 * Computes nodes that depend on no input, each once; results are kept as long as this object. The
 * most common formulas work on plain arrays.
 */
export class Statics {
  private readonly known = new Map<Node, Numbers>();

  constructor(
    private readonly graph: Graph,
    private readonly attributes: Attributes,
  ) {}

  of(node: Node): Numbers {
    let numbers = this.known.get(node);
    if (numbers === undefined) {
      numbers = this.compute(node);
      this.known.set(node, numbers);
    }
    return numbers;
  }

  /**
   * Whether it has no NaN and no infinity. Concatenations, and products with modest factors, are
   * not computed for that: their parts are tested.
   */
  areFinite(node: Node): boolean {
    if (node.target === "prim.concat") return (node.args[0] as Node[]).every((one) => this.areFinite(one)); // prettier-ignore
    const { of } = this.unscaled(node);
    return (of === node ? areFinite : areModest)(this.of(of).values);
  }

  /** Whether weights may be multiplied by it, see {@link IsModest}. */
  areModest(node: Node): boolean {
    return areModest(this.of(node).values);
  }

  /**
   * The node behind a scale along the first axis, and the factor of each row; `null` factors: it is
   * not scaled.
   */
  unscaled(node: Node): { of: Node; factors: Float32Array | null } {
    const [of, by, axis] = node.args;
    if (node.target !== "prim.scale" || axis !== 0 || tensorMeta(node)?.dtype !== "float32") {
      return { of: node, factors: null };
    }
    const rows = shapeOf(node)[0]!;
    const factors = typeof by === "number" ? new Float32Array(rows).fill(by) : this.of(by as Node).values; // prettier-ignore
    return { of: of as Node, factors: factors as Float32Array };
  }

  /**
   * Writes the values row by row where they are needed. Scaled and concatenated weights are most of
   * a model's memory, so no second copy of them is made.
   */
  writer(node: Node): WriteRows {
    const [first, second, axis] = node.args;
    const shape = shapeOf(node);
    const row = tf.util.sizeFromShape(shape.slice(1));
    const isFloat = node.kind === "call_function" && tensorMeta(node)?.dtype === "float32";
    if (isFloat && node.target === "prim.scale" && axis === 0) {
      const inner = this.writer(first as Node);
      const factors = typeof second === "number" ? null : this.of(second as Node).values;
      return (from, count, to, at) => {
        inner(from, count, to, at);
        for (let i = 0; i < count; i += 1) {
          const by = factors ? factors[from + i]! : (second as number);
          for (let j = at + i * row; j < at + (i + 1) * row; j += 1) to[j] = to[j]! * by;
        }
      };
    }
    if (isFloat && node.target === "prim.concat" && second === 0) {
      const parts = (first as Node[]).map((one) => ({ write: this.writer(one), n: shapeOf(one)[0]! })); // prettier-ignore
      return (from, count, to, at) => {
        let begin = 0;
        for (const { write, n } of parts) {
          const start = Math.max(from, begin);
          const end = Math.min(from + count, begin + n);
          if (start < end) write(start - begin, end - start, to, at + (start - from) * row);
          begin += n;
        }
      };
    }
    const { values } = this.of(node);
    return (from, count, to, at) => to.set(values.subarray(from * row, (from + count) * row), at);
  }

  private compute(node: Node): Numbers {
    if (node.kind === "get_attr") {
      const constant = this.graph.constants.get(node.target);
      return constant ? withFloats(constant as Numbers) : numbersOf(this.attributes(node.target));
    }
    const values = this.quickly(node);
    if (values !== null) return { shape: shapeOf(node), dtype: "float32", values };
    return tidied(() => {
      const read = (argument: Argument): unknown =>
        mapNodes(argument, (one) => {
          const { values: numbers, shape, dtype } = this.of(one);
          return tf.tensor(numbers, [...shape], dtype as tf.DataType);
        });
      const [list, index] = node.args;
      // For an item of a list, the op that gives the list is run again: only tensors are
      // remembered, not lists.
      const result =
        node.target === "getitem"
          ? (callNode(list as Node, read) as unknown[])[index as number]
          : callNode(node, read);
      return numbersOf(result as tf.Tensor);
    });
  }

  private quickly(node: Node): Float32Array | null {
    if (tensorMeta(node)?.dtype !== "float32") return null;
    const [first, ...rest] = node.args;
    const read = (one: Argument): tf.TypedArray | null =>
      one instanceof Node ? this.of(one).values : null;
    if (node.target === "prim.reshape") return this.of(first as Node).values as Float32Array;
    if (node.target === "prim.slice") return this.rows(first as Node, ...(rest as [number[], number[]])); // prettier-ignore
    if (node.target === "prim.concat" && rest[0] === 0) {
      return join((first as Node[]).map((one) => this.of(one).values));
    }
    if (node.target === "prim.scale") {
      const [factor, axis] = rest as [Node | number, number];
      const by = typeof factor === "number" ? factor : this.of(factor).values;
      return scale(this.of(first as Node), by, axis);
    }
    if (node.target === "prim.norm_scale") {
      // Loops without callbacks: for some ten thousand channels those take milliseconds in code
      // that is not yet optimised.
      const by = this.of(first as Node).values.slice() as Float32Array;
      const weight = read(rest[0]);
      const eps = rest[1] as number;
      for (let i = 0; i < by.length; i += 1) by[i] = (weight?.[i] ?? 1) / Math.sqrt(by[i]! + eps);
      return by;
    }
    if (node.target === "prim.norm_shift") {
      const by = this.of(first as Node).values.slice() as Float32Array;
      const [bias, mean, shift] = rest.map(read);
      for (let i = 0; i < by.length; i += 1) {
        by[i] = ((bias?.[i] ?? 0) - (mean?.[i] ?? 0)) * by[i]! + (shift?.[i] ?? 0);
      }
      return by;
    }
    return null;
  }

  /** A slice along the first dimension is a subarray. */
  private rows(x: Node, begin: number[], extent: number[]): Float32Array | null {
    const shape = shapeOf(x);
    if (!shape.slice(1).every((n, i) => n === extent[i + 1])) return null;
    const row = tf.util.sizeFromShape(shape.slice(1));
    const { values } = this.of(x);
    return values.subarray(begin[0]! * row, (begin[0]! + extent[0]!) * row) as Float32Array;
  }
}

function join(parts: readonly tf.TypedArray[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Multiplies every element by a number, or by the number for its index along an axis. */
function scale({ values, shape }: Numbers, by: tf.TypedArray | number, axis: number): Float32Array {
  const result = new Float32Array(values.length);
  const inner = tf.util.sizeFromShape(shape.slice(axis + 1));
  const n = shape[axis]!;
  for (let start = 0, i = 0; start < values.length; start += inner, i = (i + 1) % n) {
    const factor = typeof by === "number" ? by : by[i]!;
    for (let j = start; j < start + inner; j += 1) result[j] = values[j]! * factor;
  }
  return result;
}

const signatures = new WeakMap<Node, string>();

/**
 * A text that identifies the value of a static node in every graph of one model. It is cached per
 * node, since a node may be reachable in millions of ways.
 */
export function signature(node: Node, graph: Graph): string {
  const write = (_: string, argument: Argument): Argument => {
    if (argument instanceof Node) return signature(argument, graph);
    if (Object.is(argument, -0)) return "-0";
    return isPrimitive(argument) ? `${argument as number}` : argument;
  };
  let text = signatures.get(node);
  if (text === undefined) {
    const { kind, target, args } = node;
    const constant = graph.constants.get(target);
    if (kind !== "get_attr")
      text = hash(new TextEncoder().encode(target + JSON.stringify(args, write))); // prettier-ignore
    else text = constant ? constant.shape.join() + hash(constant.values, constant.dtype) : target;
    signatures.set(node, text);
  }
  return text;
}

/** Two 32-bit hashes of an array, joined to one text. */
function hash(values: ArrayLike<number>, dtype?: string): string {
  const bits = dtype === "float32" ? new Int32Array(Float32Array.from(values).buffer) : Int32Array.from(values); // prettier-ignore
  let a = 0x811c9dc5;
  let b = 0x1b873593;
  for (const word of bits) {
    a = Math.imul(a ^ word, 0x01000193);
    b = Math.imul((b << 5) | (b >>> 27), 5) + (word ^ (word >>> 15));
  }
  return `${dtype}:${bits.length}:${a >>> 0}:${b >>> 0}`;
}
