import {
  canShareMemory,
  createHeap,
  type Heap,
  linear,
  type Threads,
  warmUp,
} from "../../kernels/cpu/index.js";
import type { Graph } from "../../graph/index.js";
import { attributesOf } from "../guard.js";
import { lookInto } from "../look-into.js";
import { findStatic } from "../passes/facts.js";
import type { IsModest } from "../passes/rewrite.js";
import type { Precision } from "../precision.js";
import type { CompileEngine } from "../target.js";
import { Arena } from "./arena.js";
import { adaptiveWindows, slidingWindows } from "../../functional/windows.js";
import { isLowered, TABLES } from "./lower.js";
import { packWeight } from "./lower-linear.js";
import { runReduction } from "./lower-norm.js";
import { runLayer } from "./lower-recurrent.js";
import { sizes } from "./lower-basic.js";
import { Plan } from "./plan.js";
import { Weights } from "./weights.js";

/** What the plans of one compiled model share: packed weights, and the arena they work in. */
export class Engine implements CompileEngine {
  private readonly heap: Heap;
  private readonly weights: Weights;
  private readonly arena: Arena;
  /** Each plan with the keys of the weights that it needs. */
  private readonly plans = new Map<Plan, ReadonlySet<string>>();
  private isDisposed = false;
  private threads: Threads | null = null;
  private starting: Promise<unknown> | null = null;
  private completing: Promise<void> | null = null;

  /** Uses that many threads if memory can be shared, else one. */
  constructor(
    model: unknown,
    private readonly count: number,
    precision: Precision = "float32",
  ) {
    this.heap = createHeap({ shared: count > 1 && canShareMemory() });
    warmUp(this.heap);
    this.weights = new Weights(this.heap, attributesOf(model), WEIGHT_TYPES[precision]);
    this.arena = new Arena(this.heap);
  }

  /**
   * Resolves when threads and rarely needed kernels are loaded, or have failed to load; until then
   * plans do without.
   */
  async ready(): Promise<void> {
    await (this.starting ??= this.start());
    await this.completing;
  }

  /** Thread support is loaded only if more than one thread is wanted. */
  private async start(): Promise<void> {
    if (!this.heap.shared) return;
    const { Threads } = await import("../../kernels/cpu/threads.js");
    if (this.isDisposed) return;
    const threads = await Threads.start(this.heap, this.count);
    if (this.isDisposed) threads?.dispose();
    else this.threads = threads;
  }

  refresh(): boolean {
    return this.weights.refresh();
  }

  readonly isModest: IsModest = (graph, node) =>
    this.weights.assume("modest", graph, node, (statics) => statics.areModest(node));

  plan(graph: Graph): Plan {
    const plan = this.make(graph);
    this.plans.set(plan, this.weights.takeUsed());
    if (!TABLES[1] && plan.fallbacks.length > 0) {
      this.completing = this.complete(plan, graph).catch(() => {}); // the plan keeps running tfjs ops
    }
    void this.ready();
    return plan;
  }

  /** Makes a plan again, with the kernels that few models need. */
  private async complete(plan: Plan, graph: Graph): Promise<void> {
    // prettier-ignore
    const shared = { linear, packWeight, runReduction, runLayer, sizes, slidingWindows, adaptiveWindows };
    TABLES[1] ??= await import("./lower-rarely.js").then(
      ({ rarely }) => rarely(shared),
      () => ({}), // ops without a kernel are at least replaced by their bodies
    );
    if (!this.plans.has(plan) || this.isDisposed) return;
    plan.become(this.make(graph));
    this.plans.set(plan, this.weights.takeUsed());
    this.weights.retain(this.plans.values());
  }

  /**
   * Ops are only replaced by their bodies once all kernels are loaded, since the missing ones may
   * cover them.
   */
  private make(graph: Graph): Plan {
    const open = !TABLES[1]
      ? graph
      : lookInto(graph, this.isModest, (result) => {
          const statics = findStatic(result);
          const without = result.nodes.filter(
            (one) => one.kind === "call_function" && !statics.has(one) && !isLowered(one.target),
          );
          return { result, without };
        });
    return new Plan(open, this.heap, this.weights, this.arena, () => this.threads);
  }

  release(plan: Plan): void {
    plan.release();
    this.plans.delete(plan);
    this.weights.retain(this.plans.values());
  }

  dispose(): void {
    this.isDisposed = true;
    for (const plan of this.plans.keys()) plan.release();
    this.threads?.dispose();
    this.heap.dispose();
  }
}

const WEIGHT_TYPES = { float32: "f32", float16: "f16", bfloat16: "bf16", int8: "int8" } as const;

export const createEngine = (model: unknown, threads: number, precision?: Precision): Engine =>
  new Engine(model, threads, precision);
