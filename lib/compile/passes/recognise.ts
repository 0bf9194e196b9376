import type { Argument, Graph, Node } from "../../graph/index.js";
import { factorsOf, numberOf, plusNumber } from "./factors.js";
import { isCall, isNode, sameShape, shapeOf } from "./facts.js";
import { callAt, type Known, rewriteKnowing } from "./rewrite.js";

/** The op of `functional` that a formula written by hand amounts to. */
interface Found {
  target: string;
  args: readonly Argument[];
}

interface Context extends Known {
  graph: Graph;
}

const near = (got: number, want: number): boolean => Math.abs(got - want) <= 1e-4 * Math.abs(want);

const isLastAxis = (node: Node, x: Node): boolean => {
  const axes = node.args[1] as number[];
  return axes.length === 1 && axes[0] === shapeOf(x).length - 1;
};

/** The node behind clones and reshapes that only add or drop dimensions of size 1. */
function bare(node: Node): Node {
  if (!isCall(node, "prim.reshape")) return node;
  const inner = node.args[0] as Node;
  const long = (one: Node): number[] => shapeOf(one).filter((size) => size !== 1);
  return sameShape(long(inner), long(node)) ? bare(inner) : node;
}

/** The node whose mean along the last dimension `node` is, or `null`. */
function meanOf(node: Node): Node | null {
  const inner = bare(node);
  if (!isCall(inner, "prim.Mean")) return null;
  const x = inner.args[0] as Node;
  return isLastAxis(inner, x) ? x : null;
}

/**
 * Whether a node has one number for each row of `x`. (A mean that lost its dimension would
 * broadcast along the columns.)
 */
function isByRow(node: Node, x: Node): boolean {
  const [few, all] = [shapeOf(node), shapeOf(x)];
  const missing = all.length - few.length;
  return all.every((size, i) => (few[i - missing] ?? 1) === (i < all.length - 1 ? size : 1));
}

/** `x` if the node is `x²`, however it is written. */
function squareOf(node: Node): Node | null {
  if (isCall(node, "prim.Square")) return node.args[0] as Node;
  const isProduct = isCall(node, "prim.Multiply") && node.args[0] === node.args[1];
  if (isProduct) return node.args[0] as Node;
  return isCall(node, "prim.Pow") && node.args[1] === 2 ? (node.args[0] as Node) : null;
}

/** Matches `top / √(v + eps)`, as a quotient or as a product with rsqrt. */
function overRoot(
  node: Node,
  { graph }: Context,
): { top: Node; root: Node; v: Node; eps: number }[] {
  const sum = (v: Node): { v: Node; eps: number } => {
    const plus = plusNumber(v, graph);
    return plus === null ? { v, eps: 0 } : { v: plus.x, eps: plus.number };
  };
  const isQuotient = isCall(node, "prim.RealDiv");
  if (!isQuotient && !isCall(node, "prim.Multiply")) return [];
  const [a, b] = node.args;
  if (!isNode(a) || !isNode(b)) return [];
  const pairs: [Node, Node][] = [[a, b], [b, a]]; // prettier-ignore
  return pairs
    .slice(0, isQuotient ? 1 : 2)
    .filter(([, root]) => isCall(bare(root), isQuotient ? "prim.Sqrt" : "prim.Rsqrt"))
    .map(([top, root]) => ({ top, root, ...sum(bare(root).args[0] as Node) }));
}

/** Matches `(x - mean) / √(var + eps)` and `x / √(mean(x²) + eps)` along the last dimension. */
function norm(node: Node, context: Context): Found | null {
  for (const { top, root, v, eps } of overRoot(node, context)) {
    const spread = isCall(bare(v), "prim.Mean") ? bare(v) : null;
    if (spread === null || meanOf(v) === null) continue;
    const squared = meanOf(v)!;
    const size = [shapeOf(top).at(-1)!];
    if (!sameShape(shapeOf(node), shapeOf(top)) || !isByRow(root, top)) continue;
    const square = squareOf(squared);
    const [x] = top.args;
    if (isNode(x) && isCentred(top, x)) {
      const isVariance =
        isCentred(squared, x, "prim.SquaredDifference") ||
        (square !== null && isCentred(square, x));
      if (isVariance) return { target: "layer_norm", args: [x, size, { eps }] };
    }
    if (square === top) return { target: "rms_norm", args: [top, size, { eps }] };
  }
  return null;
}

/** Whether it is `x - mean(x)`, or the square of that. */
const isCentred = (node: Node, x: Node, target = "prim.Sub"): boolean => {
  const [from, mean] = node.args;
  return (
    isCall(node, target) && from === x && isNode(mean) && meanOf(mean) === x && isByRow(mean, x)
  );
};

/** Matches scale and shift behind a norm that has none yet. */
function affine(node: Node, { statics, isShared }: Context): Found | null {
  const isProduct = isCall(node, "prim.Multiply");
  if (!isProduct && !isCall(node, "prim.Add")) return null;
  const [a, b] = node.args;
  if (!isNode(a) || !isNode(b)) return null;
  const [x, vector] = statics.has(b) ? [a, b] : [b, a];
  const isNorm = isCall(x, "layer_norm") || (isProduct && isCall(x, "rms_norm"));
  if (!isNorm || isShared(x) || !statics.has(vector)) return null;
  if (!sameShape(shapeOf(vector), [x.args[1]].flat() as number[])) return null;
  const options = (x.args[2] ?? {}) as { weight?: Argument; bias?: Argument };
  const name = isProduct ? "weight" : "bias";
  if (options[name] || (isProduct ? options.bias : !options.weight)) return null;
  return { target: x.target, args: [x.args[0], x.args[1], { ...options, [name]: vector }] };
}

/** Matches `x · σ(x)` and `½ x (1 + erf(x / √2))`, or its tanh form. */
function gate(node: Node, { graph, isShared }: Context): Found | null {
  if (!isCall(node, "prim.Multiply") && !isCall(node, "prim.RealDiv")) return null;
  const { scale, nodes } = factorsOf(node, graph, isShared);
  if (nodes.length !== 2) return null;
  for (const [x, other] of [nodes, [...nodes].reverse()] as [Node, Node][]) {
    if (!sameShape(shapeOf(x), shapeOf(node))) continue; // a factor of 1 with more dimensions
    if (scale === 1 && isCall(other, "sigmoid") && other.args[0] === x) {
      return { target: "silu", args: [x] };
    }
    const plus = plusNumber(other, graph);
    if (!near(scale, 0.5) || plus?.number !== 1) continue;
    const approximate = geluOf(plus.x, x, graph, isShared);
    if (approximate !== null) return { target: "gelu", args: [x, { approximate }] };
  }
  return null;
}

function geluOf(
  inner: Node,
  x: Node,
  graph: Graph,
  isShared: (node: Node) => boolean,
): "none" | "tanh" | null {
  const isErf = isCall(inner, "prim.Erf");
  if (!isErf && !isCall(inner, "tanh")) return null;
  const { scale, nodes } = factorsOf(inner.args[0] as Node, graph, isShared);
  if (nodes.length !== 1) return null;
  if (isErf) return nodes[0] === x && near(scale, Math.SQRT1_2) ? "none" : null;
  const sum = nodes[0]!;
  if (!near(scale, Math.sqrt(2 / Math.PI)) || !isCall(sum, "prim.Add")) return null;
  const [a, b] = sum.args;
  const cubic = a === x ? b : b === x ? a : null;
  if (!isNode(cubic)) return null;
  const product = factorsOf(cubic, graph, isShared);
  if (!near(product.scale, 0.044715)) return null;
  const power = product.nodes.reduce((sum, one) => {
    if (one === x) return sum + 1;
    if (squareOf(one) === x) return sum + 2;
    const isPower = isCall(one, "prim.Pow") && one.args[0] === x;
    return isPower && numberOf(one.args[1], graph) === 3 ? sum + 3 : NaN;
  }, 0);
  return power === 3 ? "tanh" : null;
}

/** Matches `exp(x - max) / Σ exp(x - max)` along the last dimension. */
function softmax(node: Node): Found | null {
  const [top, below] = node.args;
  if (!isCall(node, "prim.RealDiv") || !isNode(top) || !isNode(below)) return null;
  const sum = bare(below);
  if (
    !isCall(top, "prim.Exp") ||
    !isCall(sum, "prim.Sum") ||
    sum.args[0] !== top ||
    !isLastAxis(sum, top)
  )
    return null;
  const shifted = top.args[0] as Node;
  if (!isCall(shifted, "prim.Sub")) return null;
  const [x, highest] = shifted.args;
  if (!isNode(x) || !isNode(highest)) return null;
  if (!isByRow(highest, x) || !isByRow(below, x)) return null;
  const max = bare(highest);
  const isMax = isCall(max, "prim.Max") && max.args[0] === x && isLastAxis(max, x);
  return isMax ? { target: "softmax", args: [x, { dim: -1 }] } : null;
}

/**
 * Replaces formulas written by hand by the op that they amount to: layer_norm, rms_norm, gelu, silu
 * and softmax. The parts of the formula are then dead, unless something else reads them.
 */
export function recognise(graph: Graph): Graph {
  // Looks at the new graph as far as it has been rewritten.
  return rewriteKnowing(graph, (node, next, renew, known) => {
    const made = renew.copy(node);
    if (node.kind !== "call_function") return made;
    const context = { ...known, graph: next };
    const found = norm(made, context) ?? affine(made, context) ?? gate(made, context) ?? softmax(made); // prettier-ignore
    return found ? callAt(next, node, found.target, found.args) : made;
  });
}
