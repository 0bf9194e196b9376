import type { Graph } from "../graph/index.js";
import { TraceError } from "./structure.js";

export const COMPLEX = "there are complex numbers";

/**
 * Checks that all values of a graph can be in a plan: real numbers or booleans, with whole sizes.
 *
 * @throws TraceError if a node of a graph reads anything else.
 */
export function checkTypes(graph: Graph): void {
  for (const node of graph.nodes) {
    for (const { target, meta } of node.inputs()) {
      for (const one of [meta.value].flat()) {
        if (!one) continue;
        if (one.dtype === "complex64") throw new TraceError(COMPLEX);
        if (one.dtype === "string") throw new TraceError("forward computes with strings");
        // tfjs' cumsum along a negative axis gives shapes with undefined sizes.
        if (one.shape.every(Number.isInteger)) continue;
        throw new TraceError(`${target} gives the shape [${one.shape.map(String).join(", ")}]`);
      }
    }
  }
}
