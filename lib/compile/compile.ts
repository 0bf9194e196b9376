import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { type Graph, mapNodes } from "../graph/index.js";
import type { Module } from "../module/index.js";
import { Guard } from "./guard.js";
import { DECOMPOSED, optimise } from "./passes/index.js";
import type { Engine } from "./plan/engine.js";
import type { Plan } from "./plan/plan.js";
import { type Explanation, explain } from "./report.js";
import { type Profile, profileOf } from "./profile.js";
import { takeApart } from "./structure.js";
import { TraceError } from "./recorder.js";
import { record, type Traceable } from "./trace.js";

export interface CompileOptions {
  /** How many threads to compute with. Default: what `nn.setThreads` said, else 1. */
  threads?: number;
  /** How many input shapes keep a plan; the one not used for longest goes first. Default: 8. */
  plans?: number;
}

const OPTIONS: Required<CompileOptions> = { threads: 1, plans: 8 };

type Forward<M> = M extends Module ? M["forward"] : M extends (...args: never[]) => unknown ? M : never; // prettier-ignore

/** A compiled model: called as the model is, and gives what the model gives. */
export interface Compiled<M extends Traceable = Traceable> {
  (...args: Parameters<Forward<M>>): ReturnType<Forward<M>>;
  /** The optimised graph of the last call's shapes; `null` while everything runs eagerly. */
  readonly graph: Graph | null;
  /** What runs eagerly, and why. */
  explain(): Explanation;
  /** Runs once on these arguments and tells where the time goes. */
  profile(...args: Parameters<Forward<M>>): Profile;
  /** Gives back all memory; the model itself stays. */
  dispose(): void;
}

/** A plan for arguments of one kind, or why there is none. */
type Entry = { plan: Plan } | { reason: string };

/**
 * Compiles a model: traces it once, optimises the graph and runs it by kernels of our own, as one
 * list of calls on fixed memory. Results are those of `model(x)`; what cannot be compiled runs as
 * the model itself does, with its own errors.
 *
 * ```ts
 * const fast = await nn.compile(model, tf.zeros([1, 3, 224, 224]));
 * const y = fast(x);
 * ```
 *
 * Inputs of other shapes are planned when they come. New values of parameters (`loadStateDict`) are
 * noticed, and so are layers, modes and hooks that change.
 *
 * @param example a tensor, or the list of all arguments of a call.
 */
export async function compile<M extends Traceable>(
  model: M,
  example: unknown,
  options?: CompileOptions,
): Promise<Compiled<M>> {
  const read = readOptions<Required<CompileOptions>>("compile", OPTIONS, options);
  const { createEngine } = await import("./plan/engine.js");
  const compiler = new Compiler(model, createEngine, read);
  compiler.prepare(Array.isArray(example) ? (example as unknown[]) : [example]);
  const fast = (...args: unknown[]): unknown => compiler.call(args);
  Object.defineProperty(fast, "graph", { get: () => compiler.graph, enumerable: true });
  return Object.assign(fast, {
    explain: () => compiler.explain(),
    profile: (...args: unknown[]) => compiler.profile(args),
    dispose: () => compiler.dispose(),
  }) as unknown as Compiled<M>;
}

type CreateEngine = (model: Traceable) => Engine;

class Compiler {
  private engine: Engine | null = null;
  private guard: Guard;
  private readonly entries = new Map<string, Entry>();
  private last: Entry = { reason: "nothing has run yet" };
  private busy = false;
  private isDisposed = false;

  constructor(
    private readonly model: Traceable,
    private readonly createEngine: CreateEngine,
    private readonly options: Required<CompileOptions>,
  ) {
    this.guard = new Guard(model);
  }

  get graph(): Graph | null {
    return "plan" in this.last ? this.last.plan.graph : null;
  }

  prepare(args: readonly unknown[]): void {
    const entry = this.find(args);
    this.last = typeof entry === "string" ? { reason: entry } : entry;
  }

  call(args: readonly unknown[]): unknown {
    if (this.isDisposed) throw new Error("compile: this compiled model is disposed");
    const entry = this.find(args);
    if (typeof entry === "string") return this.eager(args);
    this.last = entry;
    if (!("plan" in entry)) return this.eager(args);
    const { DECLINED } = this.engine!;
    this.busy = true;
    try {
      const { tensors } = takeApart(args);
      this.engine!.weights.refresh();
      const read = entry.plan.execute(tensors);
      return mapNodes(entry.plan.graph.output!.args[0], read);
    } catch (error) {
      if (error === DECLINED) return this.eager(args);
      throw error;
    } finally {
      this.busy = false;
    }
  }

  explain(): Explanation {
    return explain(this.last);
  }

  profile(args: readonly unknown[]): Profile {
    const entry = this.find(args);
    if (typeof entry === "string" || !("plan" in entry)) {
      throw new Error(`profile: nothing is compiled: ${typeof entry === "string" ? entry : entry.reason}`); // prettier-ignore
    }
    this.engine!.weights.refresh();
    return profileOf(entry.plan, takeApart(args).tensors);
  }

  dispose(): void {
    this.forget();
    this.isDisposed = true;
  }

  private eager(args: readonly unknown[]): unknown {
    return (this.model as (...args: unknown[]) => unknown)(...args);
  }

  /** The plan for these arguments; a sentence where this call must run eagerly. */
  private find(args: readonly unknown[]): Entry | string {
    if (this.busy) return "the model is called while it runs";
    if (tf.getBackend() !== "cpu") return `the backend is ${tf.getBackend()}`;
    if (isTaped()) return "gradients are computed";
    if (!this.guard.holds()) {
      this.forget();
      this.guard = new Guard(this.model);
    }
    const { objection } = this.guard;
    if (objection !== null) return objection;
    let key: string;
    try {
      ({ key } = takeApart(args));
    } catch (error) {
      return (error as Error).message;
    }
    let entry = this.entries.get(key);
    if (entry === undefined) entry = this.build(args);
    else this.entries.delete(key);
    this.entries.set(key, entry); // the last one is the one used last
    if (this.entries.size > this.options.plans) {
      this.entries.delete(this.entries.keys().next().value!);
    }
    return entry;
  }

  private build(args: readonly unknown[]): Entry {
    this.busy = true;
    try {
      const { graph, dispose } = record(this.model, args, DECOMPOSED);
      dispose();
      this.engine ??= this.createEngine(this.model);
      return { plan: this.engine.plan(optimise(graph)) };
    } catch (error) {
      // Whatever the model itself throws, the eager call will throw again.
      const reason = (error as Error).message;
      return { reason: error instanceof TraceError ? reason : `tracing failed: ${reason}` };
    } finally {
      this.busy = false;
    }
  }

  private forget(): void {
    this.entries.clear();
    this.engine?.dispose();
    this.engine = null;
  }
}

/** Whether tfjs writes down what happens, to differentiate it. */
function isTaped(): boolean {
  const { state } = tf.engine() as unknown as { state: { gradientDepth: number } };
  return state.gradientDepth > 0;
}
