/** What a backend's compiler gives: plans in, numbers out. `plan/` has that of the CPU, `webgl/` its own. */
import type * as tf from "@tensorflow/tfjs-core";
import type { Graph, Node } from "../graph/index.js";
import type { IsModest } from "./passes/rewrite.js";
import type { Precision } from "./precision.js";

/** A node that runs as a tfjs op inside the plan, and why. */
export interface Fallback {
  node: Node;
  reason: string;
}

/** A weight that stays float32 though `precision` asks for less, and why. */
export interface Kept {
  node: Node;
  reason: string;
}

/** One kernel call, or draw, of a run. */
export interface StepInfo {
  node: Node;
  kernel: string;
  /** Floating point operations; 0 where they are not counted. */
  flops: number;
  /** What it reads and writes. */
  bytes: number;
}

/** The tensor of each output node of a run. */
export type Results = (node: Node) => tf.Tensor;

/** A graph as a fixed list of kernel calls. */
export interface CompiledPlan {
  readonly graph: Graph;
  readonly fallbacks: readonly Fallback[];
  /** The memory for activations, in bytes. */
  readonly arenaBytes: number;
  /** The memory for packed weights, those of other plans of the model included, in bytes. */
  readonly weightBytes?: number;
  readonly kept?: readonly Kept[];
  describe(): StepInfo[];
  /** Runs on inputs in the order of the placeholders. */
  execute(inputs: readonly tf.Tensor[]): Results;
  /**
   * The same while the page goes on; absent where there is nothing to wait for. Of inputs that are at
   * hand it takes the numbers before it returns, and throws at once if it declines them.
   */
  executeLater?(inputs: readonly tf.Tensor[]): Promise<Results>;
  /**
   * Other handles of the inputs, for `executeLater` to read after it has returned, when the caller may
   * have disposed them; `null` if it will be done with them. Comes along with it.
   */
  hold?(inputs: readonly tf.Tensor[]): tf.Tensor[] | null;
  /** Runs once and gives the milliseconds of each step. */
  profile(inputs: readonly tf.Tensor[]): { times: number[] };
}

/** The memory of one compiled model on one backend. */
export interface CompileEngine {
  /** Takes over new values of parameters; `false` if plans must be made anew for them. */
  refresh(): boolean;
  readonly isModest: IsModest;
  plan(graph: Graph): CompiledPlan;
  /** Gives back what only this plan needs. */
  release(plan: CompiledPlan): void;
  /** Resolves when nothing is left to be compiled. */
  ready?(onProgress?: (done: number, total: number) => void): Promise<void>;
  dispose(): void;
}

/** `threads`: how many to compute with, where that can be chosen. */
export type CreateEngine = (
  model: unknown,
  threads: number,
  precision?: Precision,
) => CompileEngine;
