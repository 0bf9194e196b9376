import type { CompiledPlan } from "./target.js";

/** What of a model runs by our kernels, and what does not. */
export interface Explanation {
  /** Whether calls with the last shapes run compiled at all. */
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
  const reason = "reason" in entry ? entry.reason : null;
  const steps = plan?.describe().length ?? 0;
  return {
    ...{ compiled: plan !== null, reason, steps, fallbacks },
    arenaBytes: plan?.arenaBytes ?? 0,
    weightBytes: plan?.weightBytes ?? 0,
    toString: () => {
      if (reason !== null) return `runs eagerly: ${reason}`;
      const head = `${steps} kernel calls, ${fallbacks.length} of them tfjs ops`;
      const lines = fallbacks.map(({ node, op, module, reason: why }) => {
        return `  ${node} (${op}${module ? ` in ${module}` : ""}): ${why}`;
      });
      return [head, ...lines].join("\n");
    },
  };
}
