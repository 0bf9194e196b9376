import * as tf from "@tensorflow/tfjs-core";
import { readOptions } from "../arguments.js";
import { type Graph, mapNodes } from "../graph/index.js";
import type { Module } from "../module/index.js";
import { isDispatched } from "../functional/op.js";
import { DECLINED } from "./declined.js";
import { Guard } from "./guard.js";
import { DECOMPOSED, optimising } from "./passes/index.js";
import { onCpu } from "./on-cpu.js";
import { atOnce, inTurns, type Parts } from "./parts.js";
import { type Explanation, explain } from "./report.js";
import { type Profile, profileOf } from "./profile.js";
import type { CompiledPlan, CompileEngine, CreateEngine, Results } from "./target.js";
import { Pattern, type Structure, takeApart, TraceError } from "./structure.js";
import { checkOthers, refuseInputs } from "./check.js";
import { checkTypes, COMPLEX } from "./types.js";
import { checkPrecision, checkTarget, type Precision } from "./precision.js";
import { checkCount, threadCount } from "./threads.js";
import { SHAPES_ONLY } from "./shapes.js";
import { record, type Traceable } from "./trace.js";

export interface CompileOptions {
  /** How many threads to compute with. Default: what `nn.setThreads` said, else 1. */
  threads?: number | null;
  /**
   * How the weights of linear, convolutional and recurrent layers are stored: `"float16"` and
   * `"bfloat16"` take half the memory, `"int8"` (with one scale per output) a quarter. They are
   * widened to float32 where they are multiplied, so activations and sums stay float32; the only
   * error is the rounding of the weights. A weight with numbers out of range stays float32:
   * `explain().kept` names it. All of them on `cpu` and `wasm`; on `webgl` only `"float16"`, which
   * there holds for all weights. Default: `"float32"`.
   */
  precision?: Precision;
  /**
   * For how many input shapes a plan is kept; the one unused for longest is dropped first. Default:
   * 32, and 8 on `webgl`, where each plan holds textures.
   */
  plans?: number;
  /** Called with the number of GPU programs compiled so far, and of all. Only on `webgl`. */
  onProgress?: ((done: number, total: number) => void) | null;
}

const OPTIONS: Required<CompileOptions> = {
  threads: null,
  precision: "float32",
  plans: 32,
  onProgress: null,
};

type Forward<M> = M extends Module ? M["forward"] : M extends (...args: never[]) => unknown ? M : never; // prettier-ignore

/**
 * A compiled model: takes the arguments that the model takes, and returns what the model returns.
 */
export interface Compiled<M extends Traceable = Traceable> {
  (...args: Parameters<Forward<M>>): ReturnType<Forward<M>>;
  /** The optimised graph for the shapes of the last call; `null` while the model runs eagerly. */
  readonly graph: Graph | null;
  /** Which parts run eagerly or as tfjs ops, and why. */
  explain(): Explanation;
  /** Runs once on these arguments and reports the time of each kernel call and module. */
  profile(...args: Parameters<Forward<M>>): Profile;
  /**
   * Calls the model without blocking the page: on webgl it waits for the GPU asynchronously, and
   * several calls may overlap; on other backends it is a plain call.
   *
   * @throws WebGLContextLostError if the GPU is taken away meanwhile; a later call works again.
   */
  run(...args: Parameters<Forward<M>>): Promise<Awaited<ReturnType<Forward<M>>>>;
  /** Frees all memory of the compiled model; the model itself is untouched. */
  dispose(): void;
}

/** A plan for one pattern of arguments, or the reason why there is none. */
type Entry = { plan: CompiledPlan } | { reason: string };

/** A pattern of arguments that has occurred, and its plan. */
interface Known {
  readonly pattern: Pattern;
  entry: Entry;
}

/** The type of `nn.compile`. */
export type Compile = <M extends Traceable>(
  model: M,
  example: unknown,
  options?: CompileOptions,
) => Promise<Compiled<M>>;

/** `nn.compile` with the engine of the current backend, which must be ready. */
export async function compileWith<M extends Traceable>(
  createEngine: CreateEngine,
  model: M,
  example: unknown,
  options?: CompileOptions,
): Promise<Compiled<M>> {
  refuseInputs(options);
  const backend = tf.getBackend();
  const read = readOptions(
    "compile",
    { ...OPTIONS, ...(backend === "webgl" && { plans: 8 }) },
    options,
  );
  const threads = read.threads ?? threadCount();
  checkCount("compile: threads", threads);
  checkPrecision(read.precision);
  checkOthers(model, example, read);
  checkTarget(read.precision, backend);
  const compiler = new Compiler(model, backend, createEngine, { ...read, threads });
  await compiler.prepare(Array.isArray(example) ? (example as unknown[]) : [example]);
  const fast = (...args: unknown[]): unknown => compiler.call(args);
  Object.defineProperty(fast, "graph", { get: () => compiler.graph, enumerable: true });
  return Object.assign(fast, {
    explain: () => compiler.explain(),
    run: (...args: unknown[]) => compiler.run(args),
    profile: (...args: unknown[]) => compiler.profile(args),
    dispose: () => compiler.dispose(),
  }) as unknown as Compiled<M>;
}

/**
 * A model whose `forward` changes its own properties in this many traces in a row is not traced
 * again.
 */
const MOST_RESTLESS = 3;
const RESTLESS = "forward changes its own properties in every call";

const LOST = "WebGLContextLostError";

class Compiler {
  private engine: CompileEngine | null = null;
  private guard: Guard;
  /** Most recently used first. */
  private readonly known: Known[] = [];
  private last: Entry = { reason: "nothing has run yet" };
  private busy = false;
  private isDisposed = false;
  /** How many traces in a row found that `forward` changed properties of the model. */
  private restless = 0;

  constructor(
    private readonly model: Traceable,
    private readonly backend: string,
    private readonly createEngine: CreateEngine,
    private readonly options: Required<CompileOptions> & { threads: number },
  ) {
    this.guard = new Guard(model);
  }

  get graph(): Graph | null {
    return "plan" in this.last ? this.last.plan.graph : null;
  }

  async prepare(args: readonly unknown[]): Promise<void> {
    const structure = this.structureOf(args);
    if ("reason" in structure) this.last = structure;
    else this.last = this.keep(structure, await inTurns(this.building(args), onCpu));
    try {
      await this.engine?.ready?.(this.options.onProgress ?? undefined);
    } catch (error) {
      if (this.declines(error, this.last)) return;
      this.forget(); // no caller gets this compiled model, so nobody could dispose it
      throw error;
    }
  }

  call(args: readonly unknown[]): unknown {
    const tensors: tf.Tensor[] = [];
    const plan = this.planFor(args, tensors);
    if (plan === null) return this.eager(args);
    this.busy = true;
    try {
      return assemble(plan, plan.execute(tensors));
    } catch (error) {
      this.check(error, { plan });
    } finally {
      this.busy = false;
    }
    return this.eager(args);
  }

  /**
   * Rethrows only a lost context, which eager code cannot report. Any other error is left to the
   * eager call that follows: it either succeeds or throws the model's own error.
   */
  private check(error: unknown, failed: Entry): void {
    if (!this.declines(error, failed) && (error as Error).name === LOST) throw error;
  }

  /**
   * Whether the error only means that this call must run eagerly. If it means that no call of this
   * pattern can be compiled on this GPU, the plan is replaced by the reason.
   */
  private declines(error: unknown, failed: Entry): boolean {
    if (error === DECLINED) return true;
    const { name, message } = error as Error;
    if (name !== "WebGLUnsupportedError") return false;
    if (!("plan" in failed)) return true;
    for (const one of this.known) {
      const { entry } = one;
      if (!("plan" in entry) || entry.plan !== failed.plan) continue;
      one.entry = { reason: message };
      if (this.last === entry) this.last = one.entry;
      this.engine?.release(entry.plan);
    }
    return true;
  }

  async run(args: readonly unknown[]): Promise<unknown> {
    const tensors: tf.Tensor[] = [];
    const plan = this.planFor(args, tensors);
    if (!plan?.executeLater) return this.call(args);
    const { pattern } = this.known[0]!;
    let held: tf.Tensor[] | null = null;
    let output: unknown = null;
    try {
      held = plan.hold!(tensors);
      output = assemble(plan, await plan.executeLater(held ?? tensors));
    } catch (error) {
      this.check(error, { plan });
      output = this.eager(held ? pattern.fill(held) : args);
    } finally {
      if (held) disposeAll(held, output);
    }
    return output;
  }

  /**
   * The plan for these arguments, packed with the current weights; their tensors are appended to
   * `tensors`. `null`: run eagerly.
   */
  private planFor(args: readonly unknown[], tensors: tf.Tensor[]): CompiledPlan | null {
    if (this.isDisposed) throw new Error("compile: this compiled model is disposed");
    // The model calls its own compiled form while it is traced or run: then it runs as itself.
    if (this.busy) return null;
    const entry = this.find(args, tensors);
    this.last = entry;
    if (!("plan" in entry)) return null;
    if (this.engine!.refresh()) return entry.plan;
    this.forget();
    tensors.length = 0;
    return this.planFor(args, tensors);
  }

  explain(): Explanation {
    return explain(this.last);
  }

  profile(args: readonly unknown[]): Profile {
    const tensors: tf.Tensor[] = [];
    const plan = this.planFor(args, tensors);
    if (plan === null) throw new Error(`profile: nothing is compiled: ${this.explain().reason}`);
    try {
      return profileOf(plan, tensors);
    } catch (error) {
      if (error !== DECLINED) throw error;
      throw new Error("profile: these values run eagerly", {
        cause: error,
      });
    }
  }

  dispose(): void {
    this.forget();
    this.isDisposed = true;
    this.last = { reason: "it is disposed" }; // a plan would hold on to the memory
  }

  private eager(args: readonly unknown[]): unknown {
    return (this.model as (...args: unknown[]) => unknown)(...args);
  }

  /** The plan for these arguments, or the reason to run this call eagerly. */
  private find(args: readonly unknown[], tensors: tf.Tensor[]): Entry {
    const reason = this.objection();
    if (reason !== null) return { reason };
    const { known } = this;
    for (let i = 0; i < known.length; i += 1) {
      const one = known[i]!;
      if (!one.pattern.match(args, tensors)) continue;
      if (i > 0) known.unshift(...known.splice(i, 1));
      return one.entry;
    }
    const structure = this.structureOf(args);
    if ("reason" in structure) return structure;
    tensors.push(...structure.tensors);
    return this.keep(
      structure,
      onCpu(() => atOnce(this.building(args))),
    );
  }

  /** The structure of the arguments, or the reason to run this call eagerly. */
  private structureOf(args: readonly unknown[]): Structure | { reason: string } {
    const reason = this.objection();
    if (reason !== null) return { reason };
    try {
      const structure = takeApart(args);
      // tfjs cannot move complex tensors between backends.
      if (structure.tensors.some(({ dtype }) => dtype === "complex64")) return { reason: COMPLEX };
      return structure;
    } catch (error) {
      return { reason: (error as Error).message };
    }
  }

  private objection(): string | null {
    if (tf.getBackend() !== this.backend) {
      return `it was compiled for ${this.backend}, and the backend is ${tf.getBackend()}`;
    }
    if (isTaped()) return "gradients are computed";
    // While a model around it is traced, its ops must be recorded.
    if (isDispatched()) return "it is traced";
    if (this.restless >= MOST_RESTLESS) return RESTLESS;
    if (!this.guard.holds()) {
      this.forget();
      this.guard = new Guard(this.model);
    }
    return this.guard.objection;
  }

  /**
   * Remembers an entry as the most recently used one, and drops the oldest if there are too many.
   */
  private keep(structure: Structure, entry: Entry): Entry {
    this.known.unshift({ pattern: new Pattern(structure), entry });
    if (this.known.length > this.options.plans) {
      const { entry: oldest } = this.known.pop()!;
      if ("plan" in oldest) this.engine?.release(oldest.plan);
    }
    return entry;
  }

  private *building(args: readonly unknown[]): Parts<Entry> {
    this.busy = true;
    try {
      const graph = this.trace(args);
      yield;
      const { threads, precision } = this.options;
      const engine = (this.engine ??= this.createEngine(this.model, threads, precision));
      yield;
      return { plan: engine.plan(yield* optimising(graph, engine.isModest)) };
    } catch (error) {
      // If the model itself threw, the eager call will throw the same error.
      const { name, message } = error as Error;
      const isPlain = error instanceof TraceError || name === "WebGLUnsupportedError";
      return { reason: isPlain ? message : `tracing failed: ${message}` };
    } finally {
      this.busy = false;
    }
  }

  /** Traces a call with such arguments, and undoes what `forward` did to the model's properties. */
  private trace(args: readonly unknown[]): Graph {
    const { guard } = this;
    let changed: string[];
    let graph: Graph;
    try {
      const traced = record(this.model, args, DECOMPOSED, SHAPES_ONLY, (module) =>
        guard.add(module),
      );
      traced.dispose();
      graph = traced.graph;
    } finally {
      changed = guard.restore();
      this.restless = changed.length > 0 ? this.restless + 1 : 0;
    }
    if (changed.length > 0) {
      throw new TraceError(`forward assigns ${changed.join(", ")}: a plan would do that only once`);
    }
    if (guard.objection !== null) throw new TraceError(guard.objection);
    checkTypes(graph);
    return graph;
  }

  private forget(): void {
    this.known.length = 0;
    this.engine?.dispose();
    this.engine = null;
  }
}

/** The results, nested as the model returns them. */
function assemble(plan: CompiledPlan, results: Results): unknown {
  return mapNodes(plan.graph.output!.args[0], results);
}

/** Disposes tensors, except those that are among the results. */
function disposeAll(tensors: readonly tf.Tensor[], output: unknown): void {
  const results = new Set(tf.tensor_util.getTensorsInContainer(output as tf.TensorContainer));
  for (const tensor of tensors) if (!results.has(tensor)) tensor.dispose();
}

/** Whether tfjs records ops for a gradient. */
function isTaped(): boolean {
  const { state } = tf.engine() as unknown as { state: { gradientDepth: number } };
  return state.gradientDepth > 0;
}
