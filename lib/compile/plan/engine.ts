import { createHeap, type Heap } from "../../kernels/cpu/index.js";
import type { Graph } from "../../graph/index.js";
import type { CompileEngine } from "../target.js";
import { attributesOf } from "../guard.js";
import { Arena, Plan } from "./plan.js";
import { Weights } from "./weights.js";

/** The memory of one compiled model: its packed weights, and an arena for all its plans. */
export class Engine implements CompileEngine {
  readonly heap: Heap = createHeap();
  readonly weights: Weights;
  private readonly arena = new Arena(this.heap);

  constructor(model: unknown) {
    this.weights = new Weights(this.heap, attributesOf(model));
  }

  refresh(): void {
    this.weights.refresh();
  }

  plan(graph: Graph): Plan {
    return new Plan(graph, this.heap, this.weights, this.arena);
  }

  dispose(): void {
    this.weights.dispose();
    this.arena.dispose();
    this.heap.dispose();
  }
}

export const createEngine = (model: unknown): Engine => new Engine(model);
