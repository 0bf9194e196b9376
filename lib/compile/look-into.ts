import type { Graph, Node } from "../graph/index.js";
import { expand } from "./expand.js";
import { optimise } from "./passes/index.js";
import type { IsModest } from "./passes/rewrite.js";

/** How deep an op is looked into. */
const MOST_ROUNDS = 6;

/** What a graph becomes on a backend, and the nodes that must run as tfjs ops there. */
interface Attempt<T> {
  result: T;
  without: readonly Node[];
}

/**
 * What a graph becomes when ops of functional without a kernel become what they are made of, which
 * mostly has kernels. An op of which two parts must run in tfjs had better run there whole.
 *
 * @param kept the names of nodes that stay whole. Default: none.
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
