/** Compiled models on tfjs backends without kernels of our own: the optimised graph by fused ops. */
import * as tf from "@tensorflow/tfjs-core";
import type { Graph } from "../../graph/index.js";
import { attributesOf } from "../guard.js";
import type { CompileEngine } from "../target.js";
import { Versions } from "../versions.js";
import { TfjsPlan } from "./plan.js";

/** The rearranged weights of one model, on the backend on which it was compiled. */
export class TfjsEngine implements CompileEngine {
  private readonly attributes: (key: string) => tf.Tensor;
  private readonly packed = new Map<string, tf.Tensor>();
  private readonly versions: Versions;

  constructor(model: unknown) {
    this.attributes = attributesOf(model);
    this.versions = new Versions(this.attributes);
  }

  plan(graph: Graph): TfjsPlan {
    this.versions.watch(graph);
    const keep = (key: string, make: () => tf.Tensor): tf.Tensor => {
      let tensor = this.packed.get(key);
      // Kept: the call that needs it first runs in a scope.
      if (tensor === undefined) this.packed.set(key, (tensor = tf.keep(tf.tidy(make))));
      return tensor;
    };
    const bytes = (): number => [...this.packed.values()].reduce((sum, { size }) => sum + 4 * size, 0); // prettier-ignore
    return new TfjsPlan(graph, this.attributes, keep, bytes);
  }

  release(): void {
    // The weights are all that it has, and they are those of all plans.
  }

  refresh(): boolean {
    if (this.versions.changed().size > 0) this.dispose();
    return true;
  }

  dispose(): void {
    for (const tensor of this.packed.values()) tensor.dispose();
    this.packed.clear();
  }
}

export const createTfjsEngine = (model: unknown): TfjsEngine => new TfjsEngine(model);
