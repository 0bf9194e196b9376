import type { Node } from "../../graph/index.js";
import { type Argument, type Graph } from "../../graph/index.js";
import { isCall, isFloat, isNode, sameShape, shapeOf } from "./facts.js";
import { callAt, rewriteKnowing } from "./rewrite.js";

/** Where an op's output channels are: in its weight, and in its output of some rank. */
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

/** The largest number that weights are multiplied by. */
const MOST = 2 ** 60;
type Add = (target: string, args: readonly Argument[], shape: readonly number[]) => Node;

/**
 * Folds into the weights of linear and convolutions what multiplies or shifts their channels: a
 * BatchNorm in eval mode (also behind a permutation), a static vector, a number. A BatchNorm that
 * has nothing to go into becomes one product and one sum a channel.
 */
export function foldIntoWeights(graph: Graph): Graph {
  return rewriteKnowing(graph, (node, next, renew, { isShared, statics }) => {
    const made = renew.copy(node);
    const isStatic: Ask = (one) => statics.has(one);
    const add: Add = (target, args, shape) => {
      const added = callAt(next, node, target, args, shape);
      if (added.inputs().every(isStatic)) statics.add(added);
      return added;
    };
    return foldNorm(made, add, isShared, isStatic) ?? foldVector(made, add, isShared, isStatic) ?? made; // prettier-ignore
  });
}

type Ask = (node: Node) => boolean;

/** The op whose channels are dimension `axis` of a node, and the permutation in between. */
function producer(
  node: Node,
  axis: number,
  isShared: Ask,
  isStatic: Ask,
): { op: Node; perm: number[] | null; channels: Channels } | null {
  if (isShared(node)) return null;
  const isView = isCall(node, "prim.permute");
  const op = isView ? (node.args[0] as Node) : node;
  const perm = isView ? (node.args[1] as number[]) : null;
  const channels = channelsOf(op);
  if (channels === null || isShared(op) || !isStatic(op.args[1] as Node)) return null;
  const bias = (op.args[2] as Options | undefined)?.bias;
  if (isNode(bias) && !isStatic(bias)) return null;
  return (perm ? perm[axis] : axis) === channels.output ? { op, perm, channels } : null;
}

/** The op again with another weight and bias, and the permutation that was behind it. */
function replace(
  add: Add,
  { op, perm }: { op: Node; perm: number[] | null },
  weight: Argument,
  bias: Argument,
): Node {
  const [x, , options] = op.args as [Node, Node, Options | undefined];
  const y = add(op.target, [x, weight, { ...options, bias }], shapeOf(op));
  return perm === null ? y : add("prim.permute", [y, perm], perm.map((axis) => shapeOf(op)[axis]!)); // prettier-ignore
}

function foldNorm(node: Node, add: Add, isShared: Ask, isStatic: Ask): Node | null {
  if (!isCall(node, "batch_norm")) return null;
  const [x, mean, variance, options] = node.args as [Node, Node, Node, Options | undefined];
  const { weight = null, bias: shift = null, training = false, eps = 1e-5 } = options ?? {};
  const vectors = [mean, variance, weight, shift];
  if (training || !vectors.every((one) => one === null || isStatic(one as Node))) return null;
  if (mean === null || variance === null) return null;
  const size = shapeOf(variance);
  const scale = add("prim.norm_scale", [variance, weight, eps], size);
  const found = producer(x, 1, isShared, isStatic);
  if (found === null) {
    const rank = shapeOf(node).length;
    const wide = shapeOf(node).map((n, axis) => (axis === 1 ? n : 1));
    const offset = add("prim.norm_shift", [scale, null, mean, shift], size);
    if (rank < 2) return null;
    const spread = (vector: Node): Node => add("prim.reshape", [vector, wide], wide);
    const product = add("prim.Multiply", [x, spread(scale)], shapeOf(node));
    return add("prim.Add", [product, spread(offset)], shapeOf(node));
  }
  const kernel = found.op.args[1] as Node;
  const bias = ((found.op.args[2] as Options | undefined)?.bias ?? null) as Node | null;
  return replace(
    add,
    found,
    add("prim.scale", [kernel, scale, found.channels.weight], shapeOf(kernel)),
    add("prim.norm_shift", [scale, bias, mean, shift], size),
  );
}

/** A product with a number or a static vector of channels, a sum with such a vector. */
function foldVector(node: Node, add: Add, isShared: Ask, isStatic: Ask): Node | null {
  const isProduct = isCall(node, "prim.Multiply");
  const isQuotient = isCall(node, "prim.RealDiv");
  if (!isProduct && !isQuotient && !isCall(node, "prim.Add")) return null;
  const [a, b] = node.args;
  const isLeft = isNode(a) && (typeof b === "number" || (isNode(b) && isStatic(b)));
  if (!isLeft && isQuotient) return null;
  const [x, by] = isLeft ? [a, b] : [b, a];
  if (!isNode(x) || isStatic(x) || !sameShape(shapeOf(x), shapeOf(node))) return null;
  const op = isCall(x, "prim.permute") ? (x.args[0] as Node) : x;
  const channels = channelsOf(op);
  if (channels === null) return null;
  const perm = op === x ? null : (x.args[1] as number[]);
  const axis = perm === null ? channels.output : perm.indexOf(channels.output);
  const found = producer(x, axis, isShared, isStatic);
  const count = shapeOf(x)[axis]!;
  if (found === null) return null;
  let vector: Argument = by;
  if (typeof by === "number") {
    if (!isProduct && !isQuotient) return null;
    if (isQuotient) vector = 1 / by;
    // A weight times more than that may overflow where the product of numbers does not.
    if ((by !== 0 || isQuotient) && !(Math.abs(vector as number) <= MOST && Math.abs(vector as number) >= 1 / MOST)) return null; // prettier-ignore
  } else {
    if (!isFloat(by) || !isStatic(by) || isQuotient) return null;
    const shape = shapeOf(by);
    const at = axis - (shapeOf(x).length - shape.length);
    if (shape[at] !== count || shape.some((size, i) => i !== at && size !== 1)) return null;
    vector = add("prim.reshape", [by, [count]], [count]);
  }
  const kernel = found.op.args[1] as Node;
  const bias = ((found.op.args[2] as Options | undefined)?.bias ?? null) as Node | null;
  if (!isProduct && !isQuotient) {
    return replace(add, found, kernel, bias === null ? vector : add("prim.Add", [bias, vector], [count])); // prettier-ignore
  }
  return replace(
    add,
    found,
    add("prim.scale", [kernel, vector, found.channels.weight], shapeOf(kernel)),
    bias === null ? null : add("prim.scale", [bias, vector, 0], [count]),
  );
}
