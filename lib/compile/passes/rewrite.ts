import type { Argument, Graph, Node, Renew } from "../../graph/index.js";
import { findStatic, tensorMeta } from "./facts.js";

/** Whether numbers that depend on no input are float32's below 2⁶³; once they are not, plans are made anew. */
export type IsModest = (graph: Graph, node: Node) => boolean;

/** What a rewrite knows of the nodes of the new graph. */
export interface Known {
  /** Whether several nodes read what it stands for; of a node that stands for no old one: yes. */
  isShared: (node: Node) => boolean;
  /** Those that depend on no input; of the old graph, too. */
  statics: Set<Node>;
}

/** A rewrite that knows of each new node what held of the old one that it stands for. */
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

/** Adds a call that has the place of another node; its shape, too, unless one is said. */
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
