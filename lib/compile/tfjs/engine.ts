/** Compiled models on tfjs backends without kernels of our own: the optimised graph by fused ops. */
import * as tf from "@tensorflow/tfjs-core";
import type { Graph } from "../../graph/index.js";
import { State } from "../../module/parameter.js";
import { attributesOf } from "../guard.js";
import type { CompileEngine } from "../target.js";
import { TfjsPlan } from "./plan.js";

/** The rearranged weights of one model, on the backend on which it was compiled. */
export class TfjsEngine implements CompileEngine {
  private readonly attributes: (key: string) => tf.Tensor;
  private readonly packed = new Map<string, tf.Tensor>();
  private readonly versions = new Map<State, number>();

  constructor(model: unknown) {
    this.attributes = attributesOf(model);
  }

  plan(graph: Graph): TfjsPlan {
    for (const node of graph.nodes) {
      if (node.kind !== "get_attr" || graph.constants.has(node.target)) continue;
      const state = this.attributes(node.target);
      if (state instanceof State) this.versions.set(state, state.version);
    }
    return new TfjsPlan(graph, this.attributes, (key, make) => {
      let tensor = this.packed.get(key);
      // Kept: the call that needs it first runs in a scope.
      if (tensor === undefined) this.packed.set(key, (tensor = tf.keep(tf.tidy(make))));
      return tensor;
    });
  }

  refresh(): void {
    let changed = false;
    for (const [state, version] of this.versions) {
      if (state.version === version) continue;
      changed = true;
      this.versions.set(state, state.version);
    }
    if (changed) this.dispose();
  }

  dispose(): void {
    for (const tensor of this.packed.values()) tensor.dispose();
    this.packed.clear();
  }
}

export const createTfjsEngine = (model: unknown): TfjsEngine => new TfjsEngine(model);
