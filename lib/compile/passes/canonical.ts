import * as tf from "@tensorflow/tfjs-core";
import { type Argument, type Graph, Node, type Renew, type TensorMeta } from "../../graph/index.js";
import { BINARY, REDUCTIONS, UNARY } from "../primitives.js";
import { einsum } from "./einsum.js";
import { DROPOUT, isCall, sameShape, shapeOf, tensorMeta } from "./facts.js";
import { callAt } from "./rewrite.js";

type Attrs = Record<string, Argument>;
type Inputs = Record<string, Argument>;

/**
 * Translates a tfjs kernel into the vocabulary of the passes: returns a new node, an existing one,
 * or `null` to keep the kernel.
 */
type Rule = (make: Make, inputs: Inputs, attrs: Attrs, node: Node) => Node | null;

/** Adds a node in the place of the old one, with its shape unless another is given. */
type Make = (target: string, args: readonly Argument[], shape?: readonly number[]) => Node;

const RULES: Readonly<Record<string, Rule>> = {
  Identity: (_, { x }) => x as Node,
  Transpose: (make, { x }, { perm }) => make("prim.permute", [x, perm]),
  ...each(["Reshape", "ExpandDims"], () => (make, { x, input }, _, node) => {
    return make("prim.reshape", [x ?? input, shapeOf(node)]);
  }),
  Slice: (make, { x }, { begin }, node) => {
    const from = [begin].flat() as number[];
    const size = shapeOf(node);
    return make("prim.slice", [x, size.map((_, axis) => from[axis] ?? 0), size]);
  },
  Concat: (make, inputs, { axis }) => {
    const parts = Object.values(inputs) as Node[];
    return make("prim.concat", [parts, fromFront(axis, parts[0]!)]);
  },
  Pack: (make, inputs, { axis }, node) => {
    const parts = Object.values(inputs) as Node[];
    const at = fromFront(axis, node);
    const one = shapeOf(node).map((size, i) => (i === at ? 1 : size));
    return make("prim.concat", [parts.map((part) => make("prim.reshape", [part, one], one)), at]);
  },
  Cast: (make, { x }, { dtype }) =>
    tensorMeta(x as Node)?.dtype === dtype ? (x as Node) : make("prim.cast", [x, dtype]),
  Select: (make, { condition, t, e }, _, node) => {
    const isSame = (one: Argument): boolean => sameShape(shapeOf(one as Node), shapeOf(node));
    if (![condition, t, e].every(isSame)) return null;
    const other = unrepeated(e as Node);
    // One of the two sides stays as large as the result, or nothing would say how large that is.
    return make("prim.where", [unrepeated(condition as Node), other === e ? unrepeated(t as Node) : t, other]); // prettier-ignore
  },
  GatherV2: (make, { x, indices }, { axis, batchDims }) => {
    return make("prim.gather", [x, indices, fromFront(axis, x as Node), batchDims]);
  },
  BatchMatMul: (make, { a, b }, { transposeA, transposeB }) =>
    make("prim.matmul", [a, b, transposeA, transposeB]),
  Einsum: (make, inputs, { equation }) =>
    einsum(make, Object.values(inputs) as Node[], equation as string),
  Softmax: (make, { logits }, { dim }) => make("softmax", [logits, { dim }]),
  AddN: (make, inputs) =>
    (Object.values(inputs) as Node[]).reduce((a, b) => make("prim.Add", [a, b])),
  ClipByValue: (make, { x }, { clipValueMin: minVal, clipValueMax: maxVal }, node) =>
    tensorMeta(node)?.dtype === "float32" ? make("hardtanh", [x, { minVal, maxVal }]) : null,
  LogSoftmax: (make, { logits }) => make("log_softmax", [logits, { dim: -1 }]),
  LeakyRelu: (make, { x }, { alpha }) => make("leaky_relu", [x, { negativeSlope: alpha }]),
  ...each("Relu Relu6 Sigmoid Tanh Elu Selu Softplus".split(" "), (name) => {
    return (make, { x }) => make(name.toLowerCase(), [x]);
  }),
  ...each(Object.keys({ ...UNARY, ...BINARY }), (name) => {
    return (make, { x, a, b }) => make(`prim.${name}`, x ? [x] : [a, b]);
  }),
  ...each(Object.keys(REDUCTIONS), reduction),
};

/** An axis of a node, counted from the front. */
function fromFront(axis: Argument, node: Node): number {
  const { length } = shapeOf(node);
  return ((axis as number) + length) % length;
}

/** What is only repeated to have a shape: `tf.where` does so with all it takes, kernels need not. */
function unrepeated(node: Node): Node {
  if (!isCall(node, "tfjs.Tile")) return node;
  const { x } = node.args[0] as { x: Node };
  return shapeOf(x).every((size, i) => size === 1 || size === shapeOf(node)[i]) ? x : node;
}

function each(names: readonly string[], rule: (name: string) => Rule): Record<string, Rule> {
  return Object.fromEntries(names.map((name) => [name, rule(name)]));
}

/** Translates a reduction of tfjs: axes counted from the front and sorted; none given means all. */
function reduction(name: string): Rule {
  return (make, inputs, attrs) => {
    const x = inputs.x as Node;
    const axis = (attrs.axis ?? attrs.reductionIndices) as number | number[];
    const axes = tf.util.parseAxisParam(axis, [...shapeOf(x)]).sort((a, b) => a - b);
    return make(`prim.${name}`, [x, axes, Boolean(attrs.keepDims)]);
  };
}

/** Ops of `functional` that are views or do nothing. */
function simplify(node: Node, args: readonly Argument[], make: Make): Node | null {
  if (DROPOUT.test(node.target)) {
    const isAlpha = node.target.includes("alpha");
    const options = (args[1] ?? {}) as { p?: number; training?: boolean };
    return (options.training ?? !isAlpha) && (options.p ?? 0.5) > 0 ? null : (args[0] as Node);
  }
  if (node.target === "flatten" || node.target === "unflatten") {
    return make("prim.reshape", [args[0], shapeOf(node)]);
  }
  if (node.target === "add") return make("prim.Add", args);
  return node.target === "linear" ? plainLinear(node, args as LinearArguments, make) : null;
}

type LinearArguments = [x: Node, weight: Node, options?: { bias?: Node | null }];

/**
 * Gives a linear op a weight with two dimensions, and no bias other than one number for each of its
 * rows.
 */
function plainLinear(node: Node, [x, weight, options]: LinearArguments, make: Make): Node | null {
  const bias = options?.bias;
  const [shape, sizes] = [shapeOf(node), shapeOf(weight)];
  const isVector = sizes.length === 1;
  if (!isVector && (!bias || sameShape(shapeOf(bias), [sizes[0]!]))) return null;
  const wide = isVector ? [1, ...sizes] : sizes;
  const matrix = make("prim.reshape", [weight, wide], wide);
  const plain = make("linear", [x, matrix, {}], isVector ? [...shape, 1] : shape);
  const y = make("prim.reshape", [plain, shape]);
  return bias ? make("prim.Add", [y, bias]) : y;
}

/**
 * Translates a graph into the vocabulary of the passes: raw tfjs kernels become `prim.*` or the op
 * of `functional` that they equal, scalars become plain numbers, and ops that do nothing are
 * dropped.
 */
export function canonicalise(graph: Graph): Graph {
  return graph.rewrite((node, next, renew) => {
    if (node.kind !== "call_function") return renew.copy(node);
    const make: Make = (target, args, shape) =>
      callAt(next, node, target, scalars(target, args, next), shape);
    return rewrite(node, renew, make) ?? renew.copy(node);
  });
}

function rewrite(node: Node, renew: Renew, make: Make): Node | null {
  const { args } = renew.call(node);
  if (node.target === "getitem") return item(node, args, make);
  if (!node.target.startsWith("tfjs.")) return simplify(node, args, make);
  const [inputs, attrs] = args as [Inputs, Attrs];
  return RULES[node.target.slice("tfjs.".length)]?.(make, inputs, attrs, node) ?? null;
}

/** A part of a split is a slice. */
function item(node: Node, [list, index]: readonly Argument[], make: Make): Node | null {
  const parent = node.args[0] as Node;
  if (parent.target !== "tfjs.SplitV" && parent.target !== "tfjs.Unpack") return null;
  const isUnpack = parent.target === "tfjs.Unpack";
  const [inputs, attrs] = (list as Node).args as [Inputs, Attrs];
  const x = (isUnpack ? inputs.value : inputs.x) as Node;
  const axis = fromFront(attrs.axis, x);
  const i = index as number;
  const sizes = (parent.meta.value as TensorMeta[]).map(({ shape }) => shape[axis] as number);
  const start = isUnpack ? i : sizes.slice(0, i).reduce((a, b) => a + b, 0);
  const begin = shapeOf(x).map((_, d) => (d === axis ? start : 0));
  const size = shapeOf(x).map((n, d) => (d !== axis ? n : isUnpack ? 1 : sizes[i]!));
  const part = make("prim.slice", [x, begin, size], size);
  return isUnpack ? make("prim.reshape", [part, shapeOf(node)]) : part;
}

/**
 * In arithmetic, a constant with one element and no more dimensions than the other operand becomes
 * a number.
 */
function scalars(target: string, args: readonly Argument[], graph: Graph): readonly Argument[] {
  if (!Object.hasOwn(BINARY, target.slice("prim.".length))) return args;
  const [a, b] = args;
  const number = (one: Argument): number | null => {
    if (!(one instanceof Node) || one.kind !== "get_attr") return null;
    const constant = graph.constants.get(one.target);
    const isScalar = constant?.shape.length === 0 && constant.dtype === "float32";
    return isScalar ? constant.values[0]! : null;
  };
  const isFloat = (one: Argument): boolean =>
    one instanceof Node && tensorMeta(one)?.dtype === "float32";
  const [x, y] = [number(a), number(b)];
  if (y !== null && isFloat(a)) return [a, y];
  if (x !== null && isFloat(b)) return [x, b];
  return args;
}
