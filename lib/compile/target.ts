/**
 * The interface between `nn.compile` and the backends' planners: `plan/` for the CPU, `webgl/` and
 * `tfjs/`.
 */
import type * as tf from "@tensorflow/tfjs-core";
import type { Graph, Node } from "../graph/index.js";
import type { IsModest } from "./passes/rewrite.js";
import type { Precision } from "./precision.js";

/** A node that runs as a tfjs op inside the plan, with the reason. */
export interface Fallback {
  node: Node;
  reason: string;
}

/** A weight that stays float32 although `precision` asks for less, with the reason. */
export interface Kept {
  node: Node;
  reason: string;
}

/** One kernel call, or draw call, of a run. */
export interface StepInfo {
  node: Node;
  kernel: string;
  /** Floating point operations; 0 where they are not counted. */
  flops: number;
  /** The bytes that it reads and writes. */
  bytes: number;
}

/** Gives the tensor of an output node. */
export type Results = (node: Node) => tf.Tensor;

/** A graph as a fixed list of kernel calls. */
export interface CompiledPlan {
  readonly graph: Graph;
  readonly fallbacks: readonly Fallback[];
  /** The memory for activations, in bytes. */
  readonly arenaBytes: number;
  /** The memory for packed weights in bytes, including those of the model's other plans. */
  readonly weightBytes?: number;
  readonly kept?: readonly Kept[];
  describe(): StepInfo[];
  /** Runs on inputs in the order of the placeholders. */
  execute(inputs: readonly tf.Tensor[]): Results;
  /**
   * Runs without blocking the page; absent where there is nothing to wait for. It reads inputs
   * whose numbers are in memory before it returns, and throws at once if it declines their values.
   */
  executeLater?(inputs: readonly tf.Tensor[]): Promise<Results>;
  /**
   * Second handles of the inputs that `executeLater` has to read after it has returned, when the
   * caller may have disposed the first ones; `null` if it needs none. Present if `executeLater` is.
   */
  hold?(inputs: readonly tf.Tensor[]): tf.Tensor[] | null;
  /** Runs once and gives the milliseconds of each step. */
  profile(inputs: readonly tf.Tensor[]): { times: number[] };
}

/** What the plans of one compiled model share on one backend. */
export interface CompileEngine {
  /**
   * Repacks parameters that have new values; `false` if plans must be made again because of them.
   */
  refresh(): boolean;
  readonly isModest: IsModest;
  plan(graph: Graph): CompiledPlan;
  /** Frees what only this plan needs. */
  release(plan: CompiledPlan): void;
  /** Resolves when nothing is left to be compiled or loaded. */
  ready?(onProgress?: (done: number, total: number) => void): Promise<void>;
  dispose(): void;
}

/** `threads`: how many to use, on backends where that can be chosen. */
export type CreateEngine = (
  model: unknown,
  threads: number,
  precision?: Precision,
) => CompileEngine;
