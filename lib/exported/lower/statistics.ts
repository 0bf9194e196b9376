/** Normalisations in training, which also write to their running statistics. */
import { type Argument, Node } from "../../graph/index.js";
import { packetOf } from "./views.js";

export interface StatisticsUpdate {
  /** An op that returns the new statistics too, and its arguments. */
  target: string;
  given: readonly Argument[];
  /** The statistics that are written. */
  mean: Node;
  variance: Node;
  /** Which result of the op replaces the node; null for a node with several results. */
  output: number | null;
  /** The index of the new mean among the results; the new variance follows it. */
  first: number;
}

/** The running statistics that a node writes to; null if there are none. */
export function statisticsOf(node: Node): StatisticsUpdate | null {
  const packet = packetOf(node.target);
  if (packet === null || node.target !== `aten.${packet}.default`) return null;
  const [mean, variance] = node.args.slice(3, 5);
  if (!(mean instanceof Node) || !(variance instanceof Node)) return null;
  const written = { mean, variance };
  if (packet === "_batch_norm_with_update") {
    const target = "aten._batch_norm_with_update_functional.default";
    return { target, given: node.args, ...written, output: null, first: 4 };
  }
  if (node.args[5] !== true) return null;
  switch (packet) {
    case "batch_norm":
    case "instance_norm": {
      const given = [...node.args.slice(0, 5), ...node.args.slice(6, 8)];
      return { target: `sconce.${packet}_train`, given, ...written, output: 0, first: 1 };
    }
    case "native_batch_norm":
    case "_native_batch_norm_legit": {
      const target = "aten._native_batch_norm_legit_functional.default";
      return { target, given: node.args, ...written, output: null, first: 3 };
    }
    default:
      return null;
  }
}
