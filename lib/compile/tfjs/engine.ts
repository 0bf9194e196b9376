/**
 * Compiled models on tfjs backends for which we have no kernels: the optimised graph by tfjs' fused
 * ops.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Graph } from "../../graph/index.js";
import { attributesOf } from "../guard.js";
import type { IsModest } from "../passes/rewrite.js";
import { signature, Statics } from "../plan/statics.js";
import type { CompileEngine } from "../target.js";
import { Versions } from "../versions.js";
import { TfjsPlan } from "./plan.js";

/** The rearranged weights of one model, on the backend that it was compiled for. */
export class TfjsEngine implements CompileEngine {
  private readonly attributes: (key: string) => tf.Tensor;
  private readonly packed = new Map<string, tf.Tensor>();
  private readonly versions: Versions;
  /** Each plan with the keys of the weights that it needs. */
  private readonly plans = new Map<TfjsPlan, Set<string>>();
  /** Assumptions that plans make about weights. */
  private readonly assumed = new Map<string, () => boolean>();

  constructor(model: unknown) {
    this.attributes = attributesOf(model);
    this.versions = new Versions(this.attributes);
  }

  readonly isModest: IsModest = (graph, node) => {
    const holds = (): boolean => new Statics(graph, this.attributes).areModest(node);
    const isSo = holds();
    if (isSo) this.assumed.set(signature(node, graph), holds);
    return isSo;
  };

  plan(graph: Graph): TfjsPlan {
    this.versions.watch(graph);
    const used = new Set<string>();
    const keep = (key: string, make: () => tf.Tensor): tf.Tensor => {
      used.add(key);
      let tensor = this.packed.get(key);
      // Kept, because the first call that needs it runs inside a `tf.tidy`.
      if (tensor === undefined) this.packed.set(key, (tensor = tf.keep(tf.tidy(make))));
      return tensor;
    };
    const bytes = (): number => [...this.packed.values()].reduce((sum, { size }) => sum + 4 * size, 0); // prettier-ignore
    const plan = new TfjsPlan(graph, this.attributes, keep, bytes);
    this.plans.set(plan, used);
    return plan;
  }

  /** Frees masks and positions that only this plan's shape needed. */
  release(plan: TfjsPlan): void {
    this.plans.delete(plan);
    const used = new Set([...this.plans.values()].flatMap((keys) => [...keys]));
    for (const [key, tensor] of this.packed) {
      if (used.has(key)) continue;
      tensor.dispose();
      this.packed.delete(key);
    }
  }

  refresh(): boolean {
    if (this.versions.changed().size === 0) return true;
    this.dispose();
    return [...this.assumed.values()].every((holds) => holds());
  }

  dispose(): void {
    for (const tensor of this.packed.values()) tensor.dispose();
    this.packed.clear();
  }
}

export const createTfjsEngine = (model: unknown): TfjsEngine => new TfjsEngine(model);
