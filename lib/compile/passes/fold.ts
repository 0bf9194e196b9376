import type { Node } from "../../graph/index.js";
import { type Argument, type Graph } from "../../graph/index.js";
import { isBinary } from "./elementwise.js";
import { isCall, isFloat, isNode, sameShape, shapeOf } from "./facts.js";
import { callAt, type IsModest, type Known, rewriteKnowing } from "./rewrite.js";
import { permute } from "./views.js";

/** Which axis of an op's weight, and of its output, are the output channels. */
interface Channels {
  weight: number;
  output: number;
}

function channelsOf(node: Node): Channels | null {
  const rank = shapeOf(node).length;
  if (isCall(node, "linear")) return { weight: 0, output: rank - 1 };
  const spatial = /^conv(_transpose)?([123])d$/.exec(node.target);
  if (spatial === null) return null;
  const output = rank - 1 - Number(spatial[2]);
  if (spatial[1] === undefined) return { weight: 0, output };
  const { groups = 1 } = (node.args[2] ?? {}) as { groups?: number };
  return groups === 1 ? { weight: 1, output } : null;
}

type Options = Record<string, Argument>;

type Add = (target: string, args: readonly Argument[], shape: readonly number[]) => Node;
type Ask = (node: Node) => boolean;

/** What a fold knows about nodes of the new graph, and a way to add some. */
interface Tools extends Known {
  add: Add;
  /** Whether it may be multiplied into weights: see {@link IsModest}. */
  isModest: Ask;
}

/**
 * Folds into the weights of linear and convolutional ops what scales or shifts their output
 * channels: BatchNorm in eval mode (also behind a permutation), a static vector, a number. A
 * BatchNorm that has no such op before it becomes one product and one sum per channel. Only for
 * modest numbers: a weight times infinity gives NaN where the result would be infinite, and times
 * 2⁶³ it may overflow.
 */
export function foldIntoWeights(graph: Graph, isModest: IsModest): Graph {
  return rewriteKnowing(graph, (node, next, renew, known) => {
    const made = renew.copy(node);
    const fold = isCall(node, "batch_norm") ? foldNorm : isBinary(node) ? foldVector : null;
    if (fold === null) return made;
    const { statics } = known;
    const add: Add = (target, args, shape) => {
      const added = callAt(next, node, target, args, shape);
      if (added.inputs().every((one) => statics.has(one))) statics.add(added);
      return added;
    };
    return fold(made, { ...known, add, isModest: (one) => isModest(next, one) }) ?? made;
  });
}

/**
 * A linear or convolutional op, perhaps behind a permutation, whose output channels are dimension
 * `axis` of the result.
 */
interface Producer {
  op: Node;
  perm: number[] | null;
  axis: number;
  kernel: Node;
  /** Which dimension of the result holds the channels. */
  along: number;
  bias: Node | null;
}

function producer(node: Node, { isShared, statics }: Tools): Producer | null {
  const [op, perm] = isCall(node, "prim.permute") ? (node.args as [Node, number[]]) : [node, null];
  const channels = channelsOf(op);
  if (channels === null || isShared(node) || isShared(op)) return null;
  const [, kernel, options] = op.args as [Node, Node, { bias?: Node | null } | undefined];
  const { bias = null } = options ?? {};
  if (!statics.has(kernel) || (bias !== null && !statics.has(bias))) return null;
  const axis = perm === null ? channels.output : perm.indexOf(channels.output);
  return { op, perm, axis, kernel, along: channels.weight, bias };
}

/** The same op with another weight and bias, followed by the same permutation. */
function replace(add: Add, { op, perm }: Producer, weight: Node, bias: Node | null): Node {
  const [x, , options] = op.args as [Node, Node, Options | undefined];
  const y = add(op.target, [x, weight, { ...options, bias }], shapeOf(op));
  return perm === null ? y : permute(add, y, perm);
}

function foldNorm(node: Node, tools: Tools): Node | null {
  const { add, statics, isModest } = tools;
  const [x, mean, variance, options] = node.args as [Node, Node, Node, Options | undefined];
  const { weight = null, bias: shift = null, training = false, eps = 1e-5 } = options ?? {};
  if (training || !node.inputs().every((one) => one === x || statics.has(one))) return null;
  const size = shapeOf(variance);
  const scale = add("prim.norm_scale", [variance, weight, eps], size);
  if (!isModest(scale)) return null;
  const found = producer(x, tools);
  if (found?.axis !== 1) {
    const wide = shapeOf(node).map((n, axis) => (axis === 1 ? n : 1));
    const offset = add("prim.norm_shift", [scale, null, mean, shift], size);
    const spread = (vector: Node): Node => add("prim.reshape", [vector, wide], wide);
    const product = add("prim.Multiply", [x, spread(scale)], shapeOf(node));
    return add("prim.Add", [product, spread(offset)], shapeOf(node));
  }
  const { kernel, along, bias } = found;
  return replace(
    add,
    found,
    add("prim.scale", [kernel, scale, along], shapeOf(kernel)),
    add("prim.norm_shift", [scale, bias, mean, shift], size),
  );
}

/** A product with a number or a static vector of channels, or a sum with such a vector. */
function foldVector(node: Node, tools: Tools): Node | null {
  const { add, statics, isModest } = tools;
  const isSum = node.target === "prim.Add";
  const isQuotient = node.target === "prim.RealDiv";
  if (!isSum && !isQuotient && node.target !== "prim.Multiply") return null;
  const [a, b] = node.args;
  const isFixed = (one: Argument): boolean => !isNode(one) || statics.has(one);
  const [x, by] = (isFixed(b) ? [a, b] : [b, a]) as [Node, Node | number];
  if (isFixed(x) || !isFixed(by) || (isQuotient && x === b)) return null;
  const found = sameShape(shapeOf(x), shapeOf(node)) ? producer(x, tools) : null;
  if (found === null) return null;
  const { axis, kernel, along, bias } = found;
  const count = shapeOf(x)[axis]!;
  let vector: Node | number;
  if (typeof by === "number") {
    if (isSum) return null;
    vector = isQuotient ? 1 / by : by;
    // Scaling a weight by more may overflow, and by less may underflow, where scaling the result
    // does not.
    if (!(Math.abs(Math.log2(Math.abs(vector))) <= 60)) return null;
  } else {
    if (isQuotient || !isFloat(by)) return null;
    const shape = shapeOf(by);
    const at = axis - (shapeOf(x).length - shape.length);
    if (shape[at] !== count || shape.some((size, i) => i !== at && size !== 1)) return null;
    vector = add("prim.reshape", [by, [count]], [count]);
    if (isSum) {
      const sum = bias === null ? vector : add("prim.Add", [bias, vector], [count]);
      return replace(add, found, kernel, sum);
    }
    if (!isModest(vector)) return null;
  }
  return replace(
    add,
    found,
    add("prim.scale", [kernel, vector, along], shapeOf(kernel)),
    bias === null ? null : add("prim.scale", [bias, vector, 0], [count]),
  );
}
