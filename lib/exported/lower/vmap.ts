/** Blocks of `torch.vmap`, whose beginning and end are marked by nodes. */
import { type Argument, Graph, mapNodes, type Node } from "../../graph/index.js";
import { copy } from "./inline.js";

const MARK = "torch._functorch.predispatch.";

const isMark = ({ target }: Node, name: string): boolean => target === MARK + name;

/**
 * Turns each block into a graph of its own, which `sconce.vmap` calls for one row after another.
 * Blocks in it are handled when that graph is lowered.
 */
export function gatherVmaps(program: Graph): Graph {
  if (!program.nodes.some(({ target }) => target.startsWith(MARK))) return program;
  const graph = new Graph();
  const made = new Map<Node, Node>();
  const { nodes } = program;
  for (let i = 0; i < nodes.length; i += 1) {
    const node = nodes[i]!;
    if (isMark(node, "lazy_load_decompositions")) continue;
    if (!isMark(node, "_vmap_increment_nesting")) {
      made.set(node, copy(graph, program, node, renewing(made)));
      continue;
    }
    const end = endOf(nodes, i);
    addBlock(graph, program, nodes.slice(i + 1, end), node.args[0], made);
    i = end;
  }
  return graph;
}

const renewing =
  (made: ReadonlyMap<Node, Node>) =>
  (argument: Argument): Argument =>
    mapNodes(argument, (node) => made.get(node)!) as Argument;

/** The end of the block that begins at a node. */
function endOf(nodes: readonly Node[], start: number): number {
  let depth = 0;
  for (let i = start; i < nodes.length; i += 1) {
    if (isMark(nodes[i]!, "_vmap_increment_nesting")) depth += 1;
    if (isMark(nodes[i]!, "_vmap_decrement_nesting")) depth -= 1;
    if (depth === 0) return i;
  }
  throw new Error("a block of torch.vmap does not end");
}

function addBlock(
  graph: Graph,
  program: Graph,
  block: readonly Node[],
  size: Argument,
  made: Map<Node, Node>,
): void {
  const body = new Graph();
  const inside = new Map<Node, Node>();
  const isOwn = new Set(block);
  // The marks of inner blocks have another level.
  const level = block.find((node) => isMark(node, "_add_batch_dim"))?.args[2];
  const isAtLevel = (node: Node, name: string, at: number): boolean =>
    isMark(node, name) && node.args[at] === level;
  const taken = block.filter((node) => isAtLevel(node, "_add_batch_dim", 2));
  const given = block.filter((node) => isAtLevel(node, "_remove_batch_dim", 1));
  const input = ({ name, meta }: Node): Node => body.add("placeholder", name, [], {}, { meta });
  for (const node of taken) inside.set(node, input(node));
  const captured = new Set(block.flatMap((node) => (taken.includes(node) ? [] : node.inputs())));
  const others = [...captured].filter((node) => !isOwn.has(node));
  for (const node of others) inside.set(node, input(node));
  for (const node of block) {
    if (taken.includes(node) || given.includes(node)) continue;
    inside.set(node, copy(body, program, node, renewing(inside)));
  }
  const results = given.map(({ args }) => inside.get(args[0] as Node)!);
  body.add("output", "output", [results]);

  const attribute = graph.add("get_attr", "vmap");
  attribute.target = attribute.name;
  graph.subgraphs.set(attribute.name, body);
  const outer = renewing(made);
  const args: Argument[] = [
    ...[attribute, outer(size), outer(taken.map((node) => node.args[0]))],
    ...[taken.map((node) => node.args[1]), outer(others), given.map((node) => node.args[3])],
  ];
  const call = graph.add("call_function", "sconce.vmap", args, {}, { meta: given[0]?.meta ?? {} });
  given.forEach((node, i) => {
    const { name, meta } = node;
    made.set(node, graph.add("call_function", "operator.getitem", [call, i], {}, { name, meta }));
  });
}
