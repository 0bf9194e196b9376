import type { Node } from "../graph/index.js";
import type { CompiledPlan } from "./target.js";

/** Which parts of a model run by our kernels, and which do not. */
export interface Explanation {
  /** Whether calls with the shapes of the last one run compiled. */
  compiled: boolean;
  /** Why not, if they do not. */
  reason: string | null;
  /** How many kernel calls a run makes. */
  steps: number;
  /** The memory for activations, in bytes. */
  arenaBytes: number;
  /** The memory for packed weights, in bytes. */
  weightBytes: number;
  /** The nodes that run as tfjs ops. */
  fallbacks: { node: string; op: string; module: string; reason: string }[];
  /** The weights that stay float32 though `precision` asks for less. */
  kept: { weight: string; reason: string }[];
  toString(): string;
}

export function explain(entry: { plan: CompiledPlan } | { reason: string }): Explanation {
  const plan = "plan" in entry ? entry.plan : null;
  const fallbacks = (plan?.fallbacks ?? []).map(({ node, reason }) => ({
    node: node.name,
    op: node.target,
    module: node.meta.module ?? "",
    reason,
  }));
  const kept = (plan?.kept ?? []).map(({ node, reason }) => ({ weight: keyOf(node), reason }));
  const reason = "reason" in entry ? entry.reason : null;
  const steps = plan?.describe().length ?? 0;
  return {
    ...{ compiled: plan !== null, reason, steps, fallbacks, kept },
    arenaBytes: plan?.arenaBytes ?? 0,
    weightBytes: plan?.weightBytes ?? 0,
    toString: () => {
      if (reason !== null) return `runs eagerly: ${reason}`;
      const head = `${steps} kernel calls, ${fallbacks.length} of them tfjs ops`;
      const lines = fallbacks.map(({ node, op, module, reason: why }) => {
        return `  ${node} (${op}${module ? ` in ${module}` : ""}): ${why}`;
      });
      const wide = kept.map(({ weight, reason: why }) => `  ${weight} stays float32: ${why}`);
      return [head, ...lines, ...wide].join("\n");
    },
  };
}

/** The key of the parameter that a weight is, or that it is made from. */
function keyOf(node: Node): string {
  for (let one = node; ; one = one.inputs()[0]!) {
    if (one.kind === "get_attr" || one.inputs().length === 0) return one.target;
  }
}
