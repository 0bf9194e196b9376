import { type Argument, type Graph, Node } from "../../graph/index.js";
import { draws } from "./facts.js";

/** Drops the calls and attributes whose results nobody reads; placeholders stay. */
export function dropDead(graph: Graph): Graph {
  const used = new Set<Node>();
  for (const node of [...graph.nodes].reverse()) {
    if (node.kind === "output" || node.kind === "placeholder") used.add(node);
    if (used.has(node)) for (const input of node.inputs()) used.add(input);
  }
  const attributes = new Set<string>();
  for (const { kind, target } of used) if (kind === "get_attr") attributes.add(target);
  const isClean = [...graph.constants.keys()].every((target) => attributes.has(target));
  if (isClean && graph.nodes.every((node) => used.has(node))) return graph;
  const next = graph.rewrite((node, _, renew) => (used.has(node) ? renew.copy(node) : node));
  for (const target of next.constants.keys()) {
    if (!attributes.has(target)) next.constants.delete(target);
  }
  return next;
}

/** Calls the same op with the same arguments only once, and reads an attribute only once. */
export function shareCommon(graph: Graph): Graph {
  const seen = new Map<string, Node>();
  const ids = new Map<Node, number>();
  const id = (node: Node): number => {
    if (!ids.has(node)) ids.set(node, ids.size);
    return ids.get(node)!;
  };
  return graph.rewrite((node, _, renew) => {
    const isPure = node.kind === "get_attr" || (node.kind === "call_function" && !draws(node)); // prettier-ignore
    if (!isPure) return renew.copy(node);
    const text = write([renew.argument(node.args), renew.argument(node.kwargs)], id);
    const key = `${node.kind} ${node.target} ${text}`;
    const earlier = seen.get(key);
    if (earlier !== undefined) return earlier;
    const copy = renew.copy(node);
    seen.set(key, copy);
    return copy;
  });
}

/** Arguments as text, equal for equal ones. */
function write(argument: Argument, id: (node: Node) => number): string {
  if (argument instanceof Node) return `%${id(argument)}`;
  if (argument === null || typeof argument !== "object") {
    return typeof argument === "string" ? JSON.stringify(argument) : Object.is(argument, -0) ? "-0" : String(argument); // prettier-ignore
  }
  if (Array.isArray(argument)) return `[${argument.map((one: Argument) => write(one, id)).join()}]`;
  const entries = Object.entries(argument as Record<string, Argument>);
  return `{${entries.map(([name, one]) => `${name}:${write(one, id)}`).join()}}`;
}
