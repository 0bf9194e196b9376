import type { Argument, Graph, Node } from "../../graph/index.js";
import { numberOf } from "./factors.js";
import { isCall, isNode, sameShape, shapeOf } from "./facts.js";
import { callAt, rewriteKnowing } from "./rewrite.js";
import { permute } from "./views.js";

interface Scores {
  query: Node;
  /** `(…, S, E)`, not transposed. */
  key: Node;
  scale: number;
  mask: Node | null;
}

/**
 * The node with its last two dimensions swapped; if it is a permutation itself, the two become one.
 */
function transpose(node: Node, graph: Graph): Node {
  const perm = shapeOf(node).map((_, i) => i);
  perm.push(...perm.splice(-2).reverse());
  return permute((...call) => callAt(graph, node, ...call), node, perm);
}

/**
 * Whether a constant mask leaves at least one key in every row. A row that is masked all over is
 * NaN by softmax, and 0 by the attention op.
 */
function leavesSomething(mask: Node, graph: Graph): boolean {
  const constant = graph.constants.get(mask.target);
  if (mask.kind !== "get_attr" || constant === undefined) return false;
  const width = constant.shape.at(-1) ?? 1;
  const values = Array.from(constant.values);
  return values.every((_, i) => i % width > 0 || values.slice(i, i + width).some((one) => one > -1e4)); // prettier-ignore
}

/** The attention op takes no mask of fewer than two dimensions. */
function asMatrix(mask: Node, graph: Graph): Node {
  const shape = shapeOf(mask);
  if (shape.length > 1) return mask;
  const wide = [1, shape[0] ?? 1];
  return callAt(graph, mask, "prim.reshape", [mask, wide], wide);
}

/** Matches attention scores: a matrix product, perhaps scaled and masked, all of one shape. */
function readScores(node: Node, graph: Graph, isShared: (node: Node) => boolean): Scores | null {
  if (isShared(node)) return null;
  const isLarger = (one: Node): boolean => !sameShape(shapeOf(one), shapeOf(node));
  const [a, b] = node.args;
  if (isCall(node, "prim.Add") && isNode(a) && isNode(b)) {
    for (const [scores, mask] of [
      [a, b],
      [b, a],
    ] as const) {
      if (isLarger(scores) || !leavesSomething(mask, graph)) continue;
      const inner = readScores(scores, graph, isShared);
      if (inner?.mask === null) return { ...inner, mask: asMatrix(mask, graph) };
    }
    return null;
  }
  if (isCall(node, "prim.Multiply") || isCall(node, "prim.RealDiv")) {
    const isProduct = isCall(node, "prim.Multiply");
    const [x, by] = isNode(a) ? [a, numberOf(b, graph)] : [b as Node, isProduct ? numberOf(a, graph) : null]; // prettier-ignore
    const inner = by === null || isLarger(x) ? null : readScores(x, graph, isShared);
    if (inner?.mask !== null || by === null) return null;
    return { ...inner, scale: isProduct ? inner.scale * by : inner.scale / by };
  }
  if (!isCall(node, "prim.matmul")) return null;
  const [query, right, transposeA, transposeB] = node.args as [Node, Node, boolean, boolean];
  if (transposeA || shapeOf(query).length < 3) return null;
  const key = transposeB ? right : transpose(right, graph);
  return { query, key, scale: 1, mask: null };
}

/**
 * Replaces `softmax(q kᵀ · scale + mask) v` by one `scaled_dot_product_attention`: as written by
 * hand, or as `nn.MultiheadAttention` computes it when it returns weights that nobody reads.
 */
export function fuseAttention(graph: Graph): Graph {
  return rewriteKnowing(graph, (node, next, renew, { isShared }) => {
    const made = renew.copy(node);
    const options = attend(made, next, isShared);
    if (options === null) return made;
    const attention = callAt(next, node, "scaled_dot_product_attention", options);
    attention.meta = { ...node.meta, isPlainSoftmax: true };
    return attention;
  });
}

function attend(
  node: Node,
  graph: Graph,
  isShared: (node: Node) => boolean,
): readonly Argument[] | null {
  if (!isCall(node, "prim.matmul")) return null;
  const [weights, value, transposeA, transposeB] = node.args as [Node, Node, boolean, boolean];
  if (transposeA || transposeB || !isCall(weights, "softmax") || isShared(weights)) return null;
  const { dim } = (weights.args[1] ?? {}) as { dim?: number };
  if (dim !== -1 && dim !== shapeOf(weights).length - 1) return null;
  const scores = readScores(weights.args[0] as Node, graph, isShared);
  if (scores === null) return null;
  return [scores.query, scores.key, value, { attnMask: scores.mask, scale: scores.scale }];
}
