import type * as tf from "@tensorflow/tfjs-core";
import { tidied } from "../../functional/tidied.js";
import { callNode, constantTensor, type Graph, mapNodes, type Node } from "../../graph/index.js";
import { draws, sizeOf, tensorMeta } from "./facts.js";

/** What is larger is left to be computed once a plan, rather than to lie in the graph. */
const MOST_ELEMENTS = 1 << 20;

/** Calls of nothing but constants are made now; their results are constants. */
export function foldConstants(graph: Graph): Graph {
  let count = 0;
  return graph.rewrite((node, next, renew) => {
    const made = renew.copy(node);
    if (node.kind !== "call_function" || draws(node) || tensorMeta(node) === null) return made;
    const inputs = made.inputs();
    const isConstant = (one: Node): boolean =>
      one.kind === "get_attr" && next.constants.has(one.target);
    if (!inputs.every(isConstant) || sizeOf(node) > MOST_ELEMENTS) return made;
    while (next.constants.has(`(folded ${count})`)) count += 1; // of an earlier pass
    const target = `(folded ${count})`; // which is no parameter's key
    const values = tidied(() => {
      const read = (one: Node): tf.Tensor => constantTensor(next.constants.get(one.target)!);
      return (callNode(made, (argument) => mapNodes(argument, read)) as tf.Tensor)
        .dataSync()
        .slice();
    });
    next.constants.set(target, { ...tensorMeta(node)!, shape: [...(tensorMeta(node)!.shape as number[])], values }); // prettier-ignore
    return next.add("get_attr", target, [], {}, { meta: node.meta });
  });
}
