import type { Argument, Graph, Node, Renew } from "../../graph/index.js";
import { findStatic, tensorMeta } from "./facts.js";

/**
 * Whether a node that depends on no input is _modest_: float32 numbers below 2⁶³, whose products
 * with each other are finite. If new weights are not, the plans are made again.
 */
export type IsModest = (graph: Graph, node: Node) => boolean;

/** What a rewrite knows about nodes of the new graph. */
export interface Known {
  /** Whether several nodes read it; also true for new nodes that replace no old one. */
  isShared: (node: Node) => boolean;
  /** The nodes of both graphs that depend on no input. */
  statics: Set<Node>;
}

/**
 * A {@link Graph.rewrite} that carries over to each new node what was known of the old one that it
 * replaces.
 */
export function rewriteKnowing(
  graph: Graph,
  change: (node: Node, graph: Graph, renew: Renew, known: Known) => Node,
): Graph {
  const readers = graph.readers();
  const statics = findStatic(graph);
  const known: Known = { statics, isShared: (node) => (readers.get(node) ?? 2) > 1 };
  return graph.rewrite((node, next, renew) => {
    const made = change(node, next, renew, known);
    if (made === node) return made;
    readers.set(made, readers.get(node)!);
    if (statics.has(node)) statics.add(made);
    return made;
  });
}

/** Adds a call in the place of another node, with its shape unless one is given. */
export function callAt(
  graph: Graph,
  { meta }: Node,
  target: string,
  args: readonly Argument[],
  shape?: readonly number[],
): Node {
  const { dtype = "float32", ...value } = tensorMeta({ meta }) ?? {};
  return graph.add(
    "call_function",
    target,
    args,
    {},
    {
      name: target.replace("prim.", "").toLowerCase(),
      meta: shape ? { ...meta, value: { ...value, dtype, shape } } : meta,
    },
  );
}
