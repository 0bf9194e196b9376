import type { Graph, Node } from "../../graph/index.js";
import { expand } from "../expand.js";
import { findStatic } from "../passes/facts.js";
import { optimise } from "../passes/index.js";
import { LOWERINGS } from "./lower.js";

/** How deep an op is looked into. */
const MOST_ROUNDS = 3;

/** The calls of a run for which there is no kernel. */
function without(graph: Graph): Node[] {
  const statics = findStatic(graph);
  return graph.nodes.filter(
    (node) =>
      node.kind === "call_function" && !statics.has(node) && !Object.hasOwn(LOWERINGS, node.target),
  );
}

/**
 * Ops of functional without a kernel become what they are made of, which mostly has kernels. An op of
 * which two parts must run in tfjs had better run there whole.
 */
export function lookInto(graph: Graph, kept: ReadonlySet<string> = new Set()): Graph {
  let now = graph;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const open = without(now).filter(
      ({ name, target }) => !target.startsWith("tfjs.") && !kept.has(name),
    );
    const next = open.length > 0 ? expand(now, new Set(open)) : null;
    if (next === null) break;
    now = optimise(next);
  }
  const origins = without(now).flatMap(({ meta }) => meta.origin ?? []);
  const torn = origins.filter((name, i) => origins.indexOf(name) !== i && !kept.has(name));
  return torn.length > 0 ? lookInto(graph, new Set([...kept, ...torn])) : now;
}
