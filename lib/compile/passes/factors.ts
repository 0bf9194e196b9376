import type { Argument, Graph, Node } from "../../graph/index.js";
import { isCall, isNode } from "./facts.js";

/** A product written as a number times some nodes. */
export interface Product {
  scale: number;
  nodes: Node[];
}

/**
 * The number that an argument is: a plain one or a constant of one element; `null` for anything
 * else.
 */
export function numberOf(argument: Argument, graph: Graph): number | null {
  if (typeof argument === "number") return argument;
  if (!isNode(argument) || argument.kind !== "get_attr") return null;
  const constant = graph.constants.get(argument.target);
  if (constant?.values.length !== 1) return null;
  return constant.shape.every((size) => size === 1) ? constant.values[0]! : null;
}

/**
 * Collects the factors of products, quotients by numbers and negations, descending only into nodes
 * with no other reader.
 */
export function factorsOf(
  node: Node,
  graph: Graph,
  isShared: (node: Node) => boolean,
  isRoot = true,
): Product {
  const whole = { scale: 1, nodes: [node] };
  if (!isRoot && isShared(node)) return whole;
  const part = (argument: Argument): Product => {
    const number = numberOf(argument, graph);
    if (number !== null) return { scale: number, nodes: [] };
    return factorsOf(argument as Node, graph, isShared, false);
  };
  if (isCall(node, "prim.Multiply")) {
    const [a, b] = [part(node.args[0]), part(node.args[1])];
    return { scale: a.scale * b.scale, nodes: [...a.nodes, ...b.nodes] };
  }
  const by = isCall(node, "prim.Neg") ? -1 : isCall(node, "prim.RealDiv") && node.args[1];
  const divisor = numberOf(by, graph);
  if (divisor === null) return whole;
  const a = part(node.args[0]);
  return { scale: a.scale / divisor, nodes: a.nodes };
}

/** Matches `x + number` in either order; `null` for anything else. */
export function plusNumber(node: Node, graph: Graph): { x: Node; number: number } | null {
  if (!isCall(node, "prim.Add")) return null;
  const [a, b] = node.args;
  const [m, n] = [numberOf(a, graph), numberOf(b, graph)];
  if (n !== null && isNode(a)) return { x: a, number: n };
  return m !== null && isNode(b) ? { x: b, number: m } : null;
}
