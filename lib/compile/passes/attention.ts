import type { Argument, Graph, Node } from "../../graph/index.js";
import { factorsOf } from "./factors.js";
import { isCall, isFloat, isLastSoftmax, isNode, sameShape, shapeOf } from "./facts.js";
import { callAt, rewriteKnowing } from "./rewrite.js";
import { permute } from "./views.js";

/** How attention scores `q kᵀ · scale` are scaled and masked. */
interface Scores {
  query: Node;
  /** `(…, S, E)`, not transposed. */
  key: Node;
  scale: number;
  attnMask?: Node;
  /** Whether numbers other than 0 in the mask take the place of scores, instead of being added. */
  replaces?: boolean;
  isCausal?: boolean;
}

/**
 * The node with its last two dimensions swapped; if it is a permutation itself, the two become one.
 */
function transpose(node: Node, graph: Graph): Node {
  const perm = shapeOf(node).map((_, i) => i);
  perm.push(...perm.splice(-2).reverse());
  return permute((...call) => callAt(graph, node, ...call), node, perm);
}

/** The numbers of a constant; none for any other node. */
const numbersOf = (node: Argument, graph: Graph): number[] =>
  isNode(node) && node.kind === "get_attr"
    ? Array.from(graph.constants.get(node.target)?.values ?? [])
    : [];

/** Whether a constant condition is `kept` for the keys up to the place of the query, and no others. */
function isTriangle(condition: Node, keys: number, kept: boolean, graph: Graph): boolean {
  if (!sameShape(shapeOf(condition).slice(-2), [keys, keys])) return false;
  const numbers = numbersOf(condition, graph);
  return (
    numbers.length === keys * keys &&
    numbers.every((one, i) => i % keys <= i / keys === (Boolean(one) === kept))
  );
}

/** Matches attention scores: a matrix product, perhaps scaled and then masked, all of one shape. */
function readScores(node: Node, graph: Graph, isShared: (node: Node) => boolean): Scores | null {
  if (isShared(node)) return null;
  /** The scores that an operand is, if nothing masks them yet. */
  const inner = (one: Argument): Scores | null => {
    if (!isNode(one) || !sameShape(shapeOf(one), shapeOf(node))) return null;
    const scores = readScores(one, graph, isShared);
    return scores?.attnMask ? null : scores;
  };
  const [a, b, c] = node.args;
  const isWhere = isCall(node, "prim.where");
  if (isWhere || isCall(node, "prim.Add")) {
    const first = isWhere ? c : a;
    for (const [one, mask] of [
      [first, b],
      [b, first],
    ]) {
      const scores = inner(one);
      if (scores === null) continue;
      if (!isWhere) return isFloat(mask) ? { ...scores, attnMask: mask } : null;
      const [fill, ...rest] = numbersOf(mask, graph);
      if (!(fill! < 0) || rest.some((other) => other !== fill)) return null;
      const isKept = one === b;
      // Then kernels need no mask.
      const isCausal =
        fill === -Infinity && isTriangle(a as Node, shapeOf(node).at(-1)!, isKept, graph);
      const args = isKept ? [a, 0, fill] : [a, fill, 0];
      const attnMask = callAt(graph, node, "prim.where", args, shapeOf(a as Node));
      return { ...scores, attnMask, replaces: true, isCausal };
    }
  }
  if (!isCall(node, "prim.matmul")) {
    const { scale, nodes } = factorsOf(node, graph, isShared);
    const scores = nodes.length === 1 && nodes[0] !== node && inner(nodes[0]);
    return scores ? { ...scores, scale: scores.scale * scale } : null;
  }
  const [query, right, transposeA, transposeB] = node.args as [Node, Node, boolean, boolean];
  if (transposeA || shapeOf(query).length < 3) return null;
  return { query, key: transposeB ? right : transpose(right, graph), scale: 1 };
}

/**
 * Whether kernels take these shapes: products whose batches broadcast, and sums with any mask, have
 * kernels of their own.
 */
function hasKernel({ query, key, attnMask, isCausal }: Scores, value: Node): boolean {
  const [q, k, v] = [query, key, value].map((one) => shapeOf(one).slice(0, -2));
  return (
    sameShape(k!, v!) &&
    sameShape(q!.slice(0, -1), k!.slice(0, -1)) &&
    [1, q!.at(-1)].includes(k!.at(-1)) &&
    (isCausal || !attnMask || shapeOf(attnMask).length < 5)
  );
}

/**
 * Replaces `softmax(q kᵀ · scale + mask) v` by one op: as written by hand, also with `where` or
 * `masked_fill` for the mask, or as `nn.MultiheadAttention` computes it when it returns weights
 * that nobody reads.
 */
export function fuseAttention(graph: Graph): Graph {
  return rewriteKnowing(graph, (node, next, renew, { isShared }) => {
    const made = renew.copy(node);
    const [weights, value, ...transposed] = made.args as [Node, Node, boolean, boolean];
    const isProduct = isCall(made, "prim.matmul") && !transposed.includes(true);
    // What an op was expanded to had no kernel as a whole.
    if (!isProduct || node.meta.isAlone || !isLastSoftmax(weights) || isShared(weights)) return made; // prettier-ignore
    const scores = readScores(weights.args[0] as Node, next, isShared);
    if (scores === null || !hasKernel(scores, value)) return made;
    const { query, key, ...options } = scores;
    return callAt(next, node, "prim.scaled_dot_product_attention", [query, key, value, options]);
  });
}
