import type * as tf from "@tensorflow/tfjs-core";
import type { Graph, Node } from "../../graph/index.js";
import { setTakePicture } from "../../image/gpu.js";
import { Device, WebGLContextLostError } from "../../kernels/webgl/device.js";
import { ProgramCache } from "../../kernels/webgl/program.js";
import { attributesOf } from "../guard.js";
import { findStatic } from "../passes/facts.js";
import type { IsModest } from "../passes/rewrite.js";
import { signature, Statics } from "../plan/statics.js";
import type { Constant, Constants } from "./builder.js";
import { lookInto } from "../look-into.js";
import { onCpu } from "../on-cpu.js";
import { inTurns, turn } from "../parts.js";
import type { Precision } from "../precision.js";
import type { CompileEngine } from "../target.js";
import { Versions } from "../versions.js";
import { GpuMemory } from "./gpu.js";
import { Pictures } from "./pictures.js";
import { WebglPlan } from "./plan.js";

/** How many bytes may be on their way to the GPU before the page gets a turn. */
const MOST_UNDERWAY = 1 << 22;

/** What the plans of one compiled model share on the GPU. */
export class WebglEngine implements CompileEngine {
  readonly memory: GpuMemory;
  private readonly attributes: (key: string) => tf.Tensor;
  private readonly plans = new Set<WebglPlan>();
  private readonly pictures: Pictures;
  private statics: { graph: Graph; numbers: Statics } | null = null;
  private isDisposed = false;
  private isPlanning = false;
  /** Parameters whose values determine how a plan is made, such as the indices of a `gather`. */
  private readonly decisive = new Set<tf.Variable>();
  /** Assumptions that plans make about weights, with the parameters behind them. */
  private readonly assumed = new Map<string, { sources: Set<tf.Variable>; holds: () => boolean }>();
  private readonly versions: Versions;

  constructor(model: unknown, precision: Precision) {
    const { device, programs, pictures } = shared();
    this.pictures = pictures;
    this.memory = new GpuMemory(device, programs, precision);
    engines += 1;
    setTakePicture(pictures.take);
    this.attributes = attributesOf(model);
    this.versions = new Versions(this.attributes);
  }

  readonly isModest: IsModest = (graph, node) =>
    this.assume("modest", graph, node, (statics) => statics.areModest(node));

  plan(graph: Graph): WebglPlan {
    this.isPlanning = true;
    let plan: WebglPlan;
    try {
      plan = onCpu(() =>
        lookInto(graph, this.isModest, (one) => {
          const result = new WebglPlan(one, this.memory, this.pictures, this.constantsOf(one));
          return { result, without: result.fallbacks.map(({ node }) => node) };
        }),
      );
    } finally {
      this.isPlanning = false;
    }
    plan.checkTextures();
    this.plans.add(plan);
    return plan;
  }

  /** Resolves when all programs are compiled; the weights are packed and uploaded meanwhile. */
  async ready(onProgress?: (done: number, total: number) => void): Promise<void> {
    for (const plan of this.plans) await inTurns(plan.starting());
    let hasFailed = false;
    const compiled = this.memory.programs.ready(onProgress).catch((error: unknown) => {
      hasFailed = true;
      throw error;
    });
    const pause = this.pauses();
    const uploads = async (): Promise<void> => {
      for (const plan of this.plans) {
        // If a program fails to compile, the plan will not run, and needs no weights.
        await inTurns(plan.preparing(), onCpu, () => (hasFailed ? compiled : pause()));
      }
    };
    // Waits for both, so that nothing goes on in the background after a failure.
    const outcomes = await Promise.allSettled([compiled, uploads()]);
    this.statics = null; // values computed from the weights are on the GPU now
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") continue;
      // After a lost context the next call prepares everything again.
      if (!(outcome.reason instanceof WebGLContextLostError)) throw outcome.reason;
    }
  }

  /**
   * Pauses in which the page gets a turn and the GPU takes in what was uploaded; else an upload
   * would block.
   */
  private pauses(): () => Promise<void> {
    const { memory } = this;
    let before = memory.uploadedBytes;
    return async () => {
      if (memory.uploadedBytes - before < MOST_UNDERWAY) return turn();
      before = memory.uploadedBytes;
      await memory.device.finished();
    };
  }

  /**
   * Runs under way are started first. If a disposed engine releases its last plan, everything is
   * freed.
   */
  release(plan: WebglPlan): void {
    plan.idle(() => {
      plan.release();
      this.plans.delete(plan);
      this.memory.dropWeights(new Set([...this.plans].flatMap(({ weights }) => weights.map(({ key }) => key)))); // prettier-ignore
      if (this.isDisposed && this.plans.size === 0) this.memory.dispose();
    });
  }

  /** Uploads parameters that have new values; `false` if a plan was made from old ones. */
  refresh(): boolean {
    this.statics = null;
    const changed = this.versions.changed();
    if (changed.size === 0) return true;
    for (const state of changed) if (this.decisive.has(state)) return false;
    for (const { sources, holds } of this.assumed.values()) {
      if ([...sources].some((state) => changed.has(state)) && !holds()) return false;
    }
    for (const plan of this.plans) plan.hurry();
    this.memory.dropWeights();
    for (const plan of this.plans) plan.invalidate();
    return true;
  }

  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    engines -= 1;
    if (engines === 0) {
      setTakePicture(null);
      this.pictures.clear();
    }
    if (this.plans.size === 0) this.memory.dispose();
    for (const plan of [...this.plans]) this.release(plan);
  }

  private constantsOf(graph: Graph): Constants {
    const statics = findStatic(graph);
    this.versions.watch(graph);
    const numbersOf = (node: Node): { values: ArrayLike<number> } => {
      if (this.isPlanning) this.versions.collect(node, graph, this.decisive);
      return onCpu(() => this.numbersOf(graph).of(node));
    };
    return {
      of: (node: Node) =>
        filled(node) ?? (statics.has(node) ? lazily(node, () => numbersOf(node)) : null),
      areFinite: (node) => this.assume("finite", graph, node, (statics) => statics.areFinite(node)),
      keyOf: (node) => signature(node, graph),
    };
  }

  /**
   * Whether a condition holds for a node's numbers. If new weights break it, plans are made again.
   */
  private assume(
    what: string,
    graph: Graph,
    node: Node,
    test: (statics: Statics) => boolean,
  ): boolean {
    const holds = (): boolean => onCpu(() => test(this.numbersOf(graph)));
    const sources = new Set<tf.Variable>();
    this.versions.collect(node, graph, sources);
    const isSo = holds();
    // Constants never change, so they need no entry, which would stay for ever.
    if (isSo && sources.size > 0) this.assumed.set(`${what} ${signature(node, graph)}`, { sources, holds }); // prettier-ignore
    return isSo;
  }

  private numbersOf(graph: Graph): Statics {
    if (this.statics?.graph !== graph) {
      this.statics = { graph, numbers: new Statics(graph, this.attributes) };
    }
    return this.statics.numbers;
  }
}

/**
 * A static node whose numbers are all equal and depend on the shape of an input only, as of
 * `zerosLike`; `null` for others.
 */
function filled(node: Node): Constant | null {
  if (node.target !== "tfjs.ZerosLike" && node.target !== "tfjs.OnesLike") return null;
  const { shape } = node.meta.value as { shape: readonly number[] };
  const size = shape.reduce((n, one) => n * one, 1);
  return { shape, values: new Float32Array(size).fill(node.target === "tfjs.OnesLike" ? 1 : 0) };
}

/** A constant whose numbers are computed when something reads them. */
function lazily(node: Node, compute: () => { values: ArrayLike<number> }): Constant {
  const { shape } = node.meta.value as { shape: readonly number[] };
  return {
    shape,
    get values() {
      return compute().values;
    },
  };
}

interface Gpu {
  device: Device;
  programs: ProgramCache;
  pictures: Pictures;
}

let gpu: Gpu | null = null;
let engines = 0;

/** One WebGL context for all compiled models of a page, because browsers allow only a few. */
function shared(): Gpu {
  if (gpu === null) {
    const device = new Device();
    const programs = new ProgramCache(device);
    gpu = { device, programs, pictures: new Pictures(device, programs) };
  }
  return gpu;
}

/** `precision`: the type in which weights are stored, `"float32"` or `"float16"`. */
export const createWebglEngine = (
  model: unknown,
  _threads = 1,
  precision: Precision = "float32",
): WebglEngine => new WebglEngine(model, precision);
