import type { Graph, Node } from "../graph/index.js";
import { expand } from "./expand.js";
import { optimise } from "./passes/index.js";
import type { IsModest } from "./passes/rewrite.js";

/** How many times in a row ops are replaced by their bodies. */
const MOST_ROUNDS = 6;

/** A plan of a graph on some backend, and the nodes that have to run as tfjs ops in it. */
interface Attempt<T> {
  result: T;
  without: readonly Node[];
}

/**
 * Plans a graph, and replaces ops of `functional` that have no kernel by what their bodies consist of,
 * as long as that helps. An op of which two or more parts would still run in tfjs stays whole.
 *
 * @param kept names of nodes that stay whole. Default: none.
 */
export function lookInto<T>(
  graph: Graph,
  isModest: IsModest,
  attempt: (graph: Graph) => Attempt<T>,
  kept: ReadonlySet<string> = new Set(),
): T {
  let now = graph;
  let made = attempt(now);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const open = made.without.filter(({ name }) => !kept.has(name));
    const next = open.length > 0 ? expand(now, new Set(open)) : null;
    if (next === null) break;
    now = optimise(next, isModest);
    made = attempt(now);
  }
  const origins = made.without.flatMap(({ meta }) => meta.origin ?? []);
  const torn = origins.filter((name, i) => origins.indexOf(name) !== i && !kept.has(name));
  return torn.length > 0
    ? lookInto(graph, isModest, attempt, new Set([...kept, ...torn]))
    : made.result;
}
