import { type Argument, type Graph, Node, nodesIn } from "../../graph/index.js";
import { draws } from "./facts.js";

/** Drops calls and attributes that nobody reads; placeholders stay. */
export function dropDead(graph: Graph): Graph {
  const { nodes, constants } = graph;
  const used = new Set<Node>();
  const attributes = new Set<string>();
  for (let i = nodes.length - 1; i >= 0; i -= 1) {
    const node = nodes[i]!;
    if (node.kind === "output" || node.kind === "placeholder") used.add(node);
    if (!used.has(node)) continue;
    for (const input of node.inputs()) used.add(input);
    if (node.kind === "get_attr") attributes.add(node.target);
  }
  const isClean = [...constants.keys()].every((target) => attributes.has(target));
  return isClean && used.size === nodes.length ? graph : graph.only(used, attributes);
}

/** Merges calls of the same op with the same arguments, and reads of the same attribute. */
export function shareCommon(graph: Graph): Graph {
  // Candidates by the first node that they read, which equal calls have in common.
  const seen = new Map<Node | string, Node[]>();
  return graph.rewrite((node, _, renew) => {
    const { kind, target } = node;
    const isPure = kind === "get_attr" || (kind === "call_function" && !draws(node));
    if (!isPure) return renew.copy(node);
    const { args, kwargs } = renew.call(node);
    const [first = target] = args === node.args ? node.inputs() : nodesIn(kwargs, nodesIn(args));
    const others = seen.get(first) ?? [];
    const earlier = others.find(
      (one) => one.kind === kind && one.target === target && isSame(one.args, args) && isSame(one.kwargs, kwargs),
    ); // prettier-ignore
    if (earlier !== undefined) return earlier;
    const copy = renew.copy(node);
    if (others.push(copy) === 1) seen.set(first, others);
    return copy;
  });
}

/** Whether two arguments consist of the same nodes and equal values, nested in the same way. */
function isSame(a: Argument, b: Argument): boolean {
  if (Object.is(a, b)) return true;
  const isPlain = (one: Argument): boolean => typeof one === "object" && one !== null && !(one instanceof Node); // prettier-ignore
  if (!isPlain(a) || !isPlain(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a, b] as Record<string, Argument>[];
  const names = Object.keys(left!);
  return (
    names.length === Object.keys(right!).length &&
    names.every((name) => Object.hasOwn(right!, name) && isSame(left![name], right![name]))
  );
}
