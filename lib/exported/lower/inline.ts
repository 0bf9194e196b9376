import { type Argument, Graph, type KeywordArguments, mapNodes, Node } from "../../graph/index.js";

/**
 * Ops that only run a graph in another mode, with the position of the graph among their arguments.
 */
const WRAPPERS: Readonly<Record<string, number>> = {
  "higher_order.wrap_with_set_grad_enabled": 1,
  "higher_order.wrap_with_autocast": 4,
};

function wrappedGraph({ target, args }: Node): Node | undefined {
  if (!Object.hasOwn(WRAPPERS, target)) return undefined;
  const graph = args[WRAPPERS[target]!];
  if (graph instanceof Node && graph.kind === "get_attr") return graph;
  throw new TypeError(`${target} takes a graph as argument ${WRAPPERS[target]! + 1}`);
}

/**
 * Replaces calls of `torch.no_grad()` and `torch.autocast` blocks by the nodes of their graphs,
 * which may write to their inputs.
 */
export function inlineGraphs(program: Graph): Graph {
  if (!program.nodes.some((node) => wrappedGraph(node) !== undefined)) return program;
  const graph = new Graph();
  const output = copyInto(graph, program, new Map());
  graph.add("output", "output", [output]);
  return graph;
}

/** Copies the nodes of a graph whose inputs have been made; returns its outputs. */
function copyInto(graph: Graph, from: Graph, made: Map<Node, Argument>): Argument {
  const renew = (argument: Argument): Argument =>
    mapNodes(argument, (node) => made.get(node)) as Argument;
  const inlined = new Set(from.nodes.map(wrappedGraph));
  for (const node of from.nodes) {
    if (node.kind === "output") return renew(node.args[0]);
    if (made.has(node) || inlined.has(node)) continue;
    const inner = wrappedGraph(node);
    if (inner !== undefined) made.set(node, inline(graph, from, node, inner, renew));
    else made.set(node, takeItem(node, made) ?? copy(graph, from, node, renew));
  }
  return [];
}

function inline(
  graph: Graph,
  from: Graph,
  node: Node,
  attribute: Node,
  renew: (argument: Argument) => Argument,
): Argument {
  const body = from.subgraphs.get(attribute.target);
  const operands = node.args.slice(WRAPPERS[node.target]! + 1);
  if (body?.placeholders.length !== operands.length) {
    throw new TypeError(`there is no graph '${attribute.target}' of ${operands.length} inputs`);
  }
  const bound = body.placeholders.map((input, i): [Node, Argument] => [input, renew(operands[i])]);
  return copyInto(graph, body, new Map(bound));
}

/** One of the outputs of a graph that has been inlined. */
function takeItem({ target, args }: Node, made: Map<Node, Argument>): Argument | undefined {
  if (target !== "operator.getitem" || !(args[0] instanceof Node)) return undefined;
  const list = made.get(args[0]);
  return Array.isArray(list) ? (list[args[1] as number] as Argument) : undefined;
}

/** Copies a node to another graph, together with the subgraph that it refers to, if any. */
export function copy(
  graph: Graph,
  from: Graph,
  node: Node,
  renew: (argument: Argument) => Argument,
): Node {
  const { kind, target, args, kwargs, name, meta } = node;
  const next = graph.add(
    kind,
    target,
    renew(args) as Argument[],
    renew(kwargs) as KeywordArguments,
    { name, meta },
  );
  const inner = from.subgraphs.get(target);
  if (kind === "get_attr" && inner !== undefined) {
    next.target = next.name;
    graph.subgraphs.set(next.name, inner);
  }
  return next;
}
