import type { Node } from "../../graph/index.js";
import { type Argument, type Graph } from "../../graph/index.js";
import { findStatic, isCall, isNode, shapeOf } from "./facts.js";
import { callAt } from "./rewrite.js";

/** The bias of a linear, if it has one. */
const biasOf = (node: Node): Argument => (node.args[2] as Record<string, Argument>)?.bias;
type Add = (target: string, args: readonly Argument[], shape: readonly number[]) => Node;

/**
 * Merges two to four linears that read the same input and have static weights into one; each
 * becomes a slice of its result.
 */
export function mergeProjections(graph: Graph): Graph {
  const statics = findStatic(graph);
  const groups = new Map<Node, Node[]>();
  for (const node of graph.nodes) {
    if (!isCall(node, "linear") || !statics.has(node.args[1] as Node)) continue;
    const bias = biasOf(node);
    if (isNode(bias) && !statics.has(bias)) continue;
    const x = node.args[0] as Node;
    if (statics.has(x)) continue; // computed once, before the first call
    groups.set(x, [...(groups.get(x) ?? []), node]);
  }
  const merged = new Map<Node, Node>(); // the first of each group → the wide linear
  const groupOf = (node: Node): Node[] => {
    const group = groups.get(node.args[0] as Node) ?? [];
    return group.length > 1 && isAlike(group) && group.includes(node) ? group : [];
  };
  // Static nodes first, so that the weights of all are there where the first of a group stands.
  const rest = graph.nodes.filter((node) => !statics.has(node));
  return graph.rewrite(
    (node, next, renew) => {
      const group = groupOf(node);
      if (group.length === 0) return renew.copy(node);
      const add: Add = (target, args, shape) => callAt(next, node, target, args, shape);
      const widths = group.map((one) => shapeOf(one).at(-1)!);
      const lead = shapeOf(node).slice(0, -1);
      const total = widths.reduce((a, b) => a + b, 0);
      let wide = merged.get(group[0]!);
      if (wide === undefined) {
        const join = (of: (one: Node) => Argument, ...rest: number[]): Node =>
          add("prim.concat", [group.map((one) => renew.argument(of(one))), 0], [total, ...rest]);
        const weight = join(({ args }) => args[1], shapeOf(node.args[0] as Node).at(-1)!);
        const bias = isNode(biasOf(node)) ? join(biasOf) : null;
        wide = add("linear", [renew.argument(node.args[0]), weight, { bias }], [...lead, total]);
        merged.set(group[0]!, wide);
      }
      const start = widths.slice(0, group.indexOf(node)).reduce((a, b) => a + b, 0);
      const size = shapeOf(node);
      return add("prim.slice", [wide, [...lead.map(() => 0), start], size], size);
    },
    [...statics, ...rest],
  );
}

/** Whether there are at most four, and all of them have a bias or none has. */
const isAlike = (group: readonly Node[]): boolean =>
  group.length <= 4 && new Set(group.map((one) => isNode(biasOf(one)))).size === 1;
