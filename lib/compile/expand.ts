/**
 * Replaces ops that have no kernel by the ops that their bodies consist of, most of which have one.
 */
import * as tf from "@tensorflow/tfjs-core";
import { findOp } from "../functional/op.js";
import { type Argument, type Graph, mapNodes, type Node, type Renew } from "../graph/index.js";
import { draws, tensorMeta } from "./passes/facts.js";
import { DECOMPOSED } from "./passes/index.js";
import { SHAPES_ONLY } from "./shapes.js";
import { record } from "./trace.js";

/**
 * Ops of `functional` and their variants with an epilogue or a plain softmax. Not other primitives,
 * whose bodies call only themselves, nor ops that draw random numbers, which would be drawn once
 * for all runs.
 */
const canExpand = (node: Node): boolean => {
  const { target } = node;
  const isOther = /^prim\.(?!linear|conv|scaled)/.test(target);
  return findOp(target) !== undefined && !draws(node) && !isOther;
};

/**
 * Traces the body of an op: a graph whose placeholders are `inputs`, in order; `null` if it cannot
 * be traced.
 */
function bodyOf(node: Node, inputs: readonly Node[]): Graph | null {
  const metas = inputs.map(tensorMeta);
  if (!canExpand(node) || metas.includes(null)) return null;
  const engine = tf.engine();
  engine.startScope();
  try {
    const tensors = metas.map((meta) => tf.zeros(meta!.shape as number[], meta!.dtype as "float32")); // prettier-ignore
    const call = (...given: tf.Tensor[]): unknown => {
      const read = (argument: Argument): unknown =>
        mapNodes(argument, (one) => given[inputs.indexOf(one)]!);
      return findOp(node.target)!(...node.args.map(read));
    };
    return record(call, tensors, new Set([node.target, ...DECOMPOSED]), SHAPES_ONLY).graph;
  } catch {
    return null; // it reads values, or throws for zeros
  } finally {
    engine.endScope();
  }
}

/** Copies the nodes of a body into a graph, and returns what corresponds to its output. */
function inline(body: Graph, node: Node, next: Graph, inputs: readonly Node[]): Argument {
  const made = new Map(body.placeholders.map((placeholder, i) => [placeholder, inputs[i]!]));
  const renamed = new Map<string, string>();
  const { module, moduleType, origin = node.name } = node.meta;
  const isAlone = node.target.startsWith("prim.");
  for (const one of body.nodes) {
    if (one.kind === "placeholder" || one.kind === "output") continue;
    const args = mapNodes(one.args as Argument, (input) => made.get(input)!) as Argument[];
    let { target } = one;
    if (one.kind === "get_attr") {
      target = renamed.get(target) ?? `_${node.name}${target}`;
      renamed.set(one.target, target);
      next.constants.set(target, body.constants.get(one.target)!);
    }
    const meta = { value: one.meta.value, module, moduleType, origin, isAlone };
    made.set(one, next.add(one.kind, target, args, {}, { name: one.name, meta }));
  }
  return mapNodes(body.output!.args[0], (one) => made.get(one)!) as Argument;
}

/** The graph with those nodes replaced by their bodies; `null` if none of them can be. */
export function expand(graph: Graph, nodes: ReadonlySet<Node>): Graph | null {
  const lists = new Map<Node, readonly Node[]>();
  let found = false;
  const change = (node: Node, next: Graph, renew: Renew): Node => {
    if (node.target === "getitem" && lists.has(node.args[0] as Node)) {
      return lists.get(node.args[0] as Node)![node.args[1] as number]!;
    }
    if (!nodes.has(node)) return renew.copy(node);
    const inputs = [...new Set(node.inputs())];
    const body = bodyOf(node, inputs);
    if (body === null) return renew.copy(node);
    found = true;
    const result = inline(body, node, next, renew.argument<Node[]>(inputs));
    if (!Array.isArray(result)) return result as Node;
    lists.set(node, result as Node[]);
    return result[0] as Node; // only the items of this list are read
  };
  const next = graph.rewrite(change);
  return found ? next : null;
}
