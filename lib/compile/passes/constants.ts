import type * as tf from "@tensorflow/tfjs-core";
import { tidied } from "../../functional/tidied.js";
import {
  callNode,
  type Constant,
  constantTensor,
  type Graph,
  mapNodes,
  type Node,
} from "../../graph/index.js";
import { draws, sizeOf, tensorMeta } from "./facts.js";

/** Larger results are computed once per plan instead of being stored in the graph. */
const MOST_ELEMENTS = 1 << 20;

/** Computes calls whose arguments are all constants, and replaces them by constants. */
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
    next.constants.set(target, { ...(tensorMeta(node) as Omit<Constant, "values">), values });
    return next.add("get_attr", target, [], {}, { meta: node.meta });
  });
}
