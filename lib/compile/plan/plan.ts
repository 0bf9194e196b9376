import * as tf from "@tensorflow/tfjs-core";
import type { Heap, ThreadProgram, Threads, ThreadStep } from "../../kernels/cpu/index.js";
import type { Node } from "../../graph/index.js";
import { type Argument, callNode, type Graph, mapNodes } from "../../graph/index.js";
import { tensorMeta } from "../passes/facts.js";
import { areFinite } from "../passes/finite.js";
import type { CompiledPlan, Fallback, Kept, StepInfo } from "../target.js";
import { DECLINED } from "../declined.js";
import { type Arena, layOut } from "./arena.js";
import { addressOf, Builder, Decline, type Lowered, type Runner, type Step } from "./builder.js";
import { TABLES } from "./lower.js";
import type { Block } from "./value.js";
import { count, type Value } from "./value.js";
import { Trial } from "./trial.js";
import type { Weights } from "./weights.js";

/** A graph as a fixed list of kernel calls on fixed addresses. */
export class Plan implements CompiledPlan {
  readonly fallbacks: Fallback[] = [];
  readonly steps: readonly Step[];
  readonly kept: readonly Kept[];
  private readonly blocks: readonly Block[];
  private readonly bytes: number;
  /** The address of each block, relative to the plan's memory. */
  private readonly places: readonly number[];
  private readonly workspace: number;
  private readonly inputs: (Value | null)[];
  private readonly outputs: Map<Node, Value>;
  private readonly needsFinite: boolean;
  private run: readonly Runner[] = [];
  /** The run on one thread, in which successive kernel calls may be joined. */
  private alone: readonly (() => void)[] = [];
  private runs = 0;
  private program: ThreadProgram | null = null;
  private trial: Trial | null = null;
  private version = -1;
  private bound: Threads | null = null;

  constructor(
    readonly graph: Graph,
    private readonly heap: Heap,
    private readonly weights: Weights,
    private readonly arena: Arena,
    private readonly threads: () => Threads | null,
  ) {
    const builder = new Builder(graph, heap, weights);
    const used = builder.users;
    this.inputs = graph.placeholders.map((node) => {
      if (used.get(node)!.size === 0) return null;
      const { shape, dtype } = tensorMeta(node)!;
      const value = builder.make(shape as number[], dtype);
      value.block.first = -1;
      builder.values.set(node, value);
      return value;
    });
    for (const node of graph.nodes) {
      if (node.kind !== "call_function" || builder.isStatic(node)) continue;
      if (builder.isAbsorbed(node)) continue;
      builder.at(node);
      this.lower(builder, node);
    }
    this.outputs = new Map();
    builder.at(graph.output!);
    for (const node of new Set(graph.output!.inputs())) {
      if (node.kind === "placeholder" || builder.isStatic(node)) continue;
      this.outputs.set(node, builder.contiguous(builder.read(node)));
    }
    this.steps = builder.steps;
    this.kept = builder.kept;
    this.needsFinite = builder.spreadsNaN;
    this.settleLifetimes();
    this.blocks = [...builder.blocks].filter(({ first }) => first < Infinity);
    this.bytes = layOut(this.blocks);
    this.places = this.blocks.map(({ address }) => address);
    this.workspace = this.steps.reduce((most, { workspace = 0 }) => Math.max(most, workspace), 0);
    weights.watch(graph);
    weights.settle();
    used.clear(); // some kernels hold on to the builder
  }

  /** The bytes of working memory, weights not included. */
  get arenaBytes(): number {
    return this.bytes + this.workspace;
  }

  get weightBytes(): number {
    return this.weights.bytes;
  }

  describe(): StepInfo[] {
    return this.steps.map(({ node, kernel, flops = 0, reads, writes }) => {
      const bytes = [...reads, ...writes].reduce((sum, block) => sum + block.bytes, 0);
      return { node, kernel, flops, bytes };
    });
  }

  private lower(builder: Builder, node: Node): void {
    const steps = builder.steps.length;
    let lowered: Lowered = new Decline("no kernel for this op");
    for (const table of TABLES) {
      lowered = table[node.target]?.(builder, node) ?? lowered;
      if (!(lowered instanceof Decline)) break;
      builder.steps.length = steps;
    }
    if (lowered instanceof Decline) {
      const { reason } = lowered;
      this.fallbacks.push({ node, reason });
      lowered = this.fallBack(builder, node);
    }
    builder.values.set(node, lowered);
  }

  /** Runs a node as a tfjs op: copies its inputs out of the heap, and its results back. */
  private fallBack(builder: Builder, node: Node): Value | readonly Value[] {
    const { heap } = this;
    const reads = new Map<Node, Value>();
    const lists = new Map<Node, readonly Value[]>();
    for (const input of node.inputs()) {
      if (!builder.values.has(input) && builder.isAbsorbed(input)) this.lower(builder, input);
      const known = builder.values.get(input);
      if (Array.isArray(known)) lists.set(input, known as Value[]);
      else reads.set(input, builder.contiguous(builder.read(input)));
    }
    const metas = Array.isArray(node.meta.value) ? node.meta.value : [node.meta.value];
    const outputs = (metas as ({ shape: number[]; dtype: string } | null)[]).map((meta) =>
      builder.make(meta?.shape ?? [0], meta?.dtype),
    );
    const toTensor = (value: Value): tf.Tensor => readTensor(heap, value);
    builder.add({
      kernel: "tfjs",
      onOneThread: true,
      reads: [...reads.values(), ...[...lists.values()].flat()].map(({ block }) => block),
      writes: outputs.map(({ block }) => block),
      bind: () => () => {
        tf.tidy(() => {
          const read = (argument: Argument): unknown =>
            mapNodes(argument, (one) => lists.get(one)?.map(toTensor) ?? toTensor(reads.get(one)!));
          const result = callNode(node, read) as tf.Tensor | tf.Tensor[];
          [result].flat().forEach((tensor, i) => {
            if (tensor instanceof tf.Tensor) writeTensor(heap, outputs[i]!, tensor);
          });
        });
      },
    });
    return Array.isArray(node.meta.value) ? outputs : outputs[0]!;
  }

  /**
   * Settles during which steps each block is needed, and which blocks take over the memory of
   * others.
   */
  private settleLifetimes(): void {
    this.steps.forEach(({ reads, writes }, i) => {
      for (const block of [...reads, ...writes]) {
        block.first = Math.min(block.first, i);
        block.last = Math.max(block.last, i);
      }
    });
    for (const { block } of this.outputs.values()) block.last = this.steps.length;
    this.steps.forEach(({ reads, writes, over = [] }, i) => {
      const [out] = writes;
      if (out === undefined || out.first !== i) return;
      const free = over.find(
        (one) => !one.isFixed && one.last === i && one.bytes >= out.bytes && isReadOnce(one, reads),
      );
      if (free !== undefined && free !== out) out.heir = free;
    });
  }

  private bind(): void {
    const threads = this.threads();
    const base = this.arena.reserve(this.bytes + this.workspace * (threads?.count ?? 1) + 256);
    if (this.version === this.arena.version && this.bound === threads) return;
    this.version = this.arena.version;
    this.bound = threads;
    this.blocks.forEach((block, i) => (block.address = base + this.places[i]!));
    this.run = this.steps.map(({ bind }) => bind(base + this.bytes));
    this.alone = this.run;
    this.runs = 0;
    if (threads === null) return;
    this.program?.dispose();
    this.program = threads.program(this.stages());
    this.trial = new Trial();
  }

  private stages(): ThreadStep[] {
    return this.steps.flatMap(({ onOneThread }, i): ThreadStep[] => {
      const run = this.run[i]!;
      const stages = onOneThread ? undefined : run.stages?.();
      return stages?.map((stage) => ({ run: stage })) ?? [{ run, onOneThread }];
    });
  }

  private compute(): void {
    const { program, trial } = this;
    if (program === null || trial === null) this.computeAlone();
    else trial.run(() => this.computeAlone(), program.run);
  }

  private computeAlone(): void {
    if (this.runs++ === SETTLED) this.join().catch(() => {}); // if that fails, runs stay as they are
    for (const step of this.alone) step();
  }

  /** Joins successive kernel calls; the code for that is loaded only for plans that run often. */
  private async join({ run } = this): Promise<void> {
    const { joined } = await import("../../kernels/cpu/program.js");
    if (run === this.run) this.alone = joined(this.heap, this.stages());
  }

  /** Takes over the contents of another plan of the same graph. */
  become(other: Plan): void {
    this.release();
    Object.assign(this, other);
  }

  /** Frees what the threads keep for this plan. */
  release(): void {
    this.run = [];
    this.alone = [];
    this.program?.dispose();
    this.program = null;
    this.version = -1;
  }

  /** Runs on inputs in the order of the placeholders; gives the tensor of each output node. */
  execute(inputs: readonly tf.Tensor[]): (node: Node) => tf.Tensor {
    this.start(inputs);
    this.compute();
    return this.finish(inputs);
  }

  /** As {@link execute}, with the milliseconds of each step. */
  profile(inputs: readonly tf.Tensor[]): { times: number[] } {
    this.start(inputs);
    const times = this.run.map((step) => {
      const began = performance.now();
      step();
      return performance.now() - began;
    });
    return { times };
  }

  private start(inputs: readonly tf.Tensor[]): void {
    this.bind();
    for (let i = 0; i < inputs.length; i += 1) {
      const value = this.inputs[i];
      if (!value) continue;
      writeTensor(this.heap, value, inputs[i]!);
      if (this.needsFinite && !areFinite(inputs[i]!.dataSync())) throw DECLINED; // eslint-disable-line @typescript-eslint/only-throw-error -- a signal, not an error
    }
  }

  private finish(inputs: readonly tf.Tensor[]): (node: Node) => tf.Tensor {
    const done = new Map<Node, tf.Tensor>();
    const { placeholders } = this.graph;
    return (node) => {
      const known = done.get(node);
      // The same tensor may be in the result twice; each place gets its own handle, to be disposed
      // by itself.
      if (known !== undefined) return tf.clone(known);
      const value = this.outputs.get(node);
      let tensor: tf.Tensor;
      if (value !== undefined) tensor = readTensor(this.heap, value);
      else if (node.kind === "placeholder") tensor = tf.clone(inputs[placeholders.indexOf(node)]!);
      else {
        const { values, shape, dtype } = this.weights.staticsOf(this.graph).of(node);
        tensor = tf.tensor(values.slice(), [...shape], dtype as tf.DataType);
        this.weights.settle();
      }
      done.set(node, tensor);
      return tensor;
    };
  }
}

/** After this many runs at the same addresses, kernel calls are joined. */
const SETTLED = 12;

/**
 * Whether a step reads a block once only. If it is also read in another order, or by another
 * thread, writing over it would destroy it.
 */
const isReadOnce = (block: Block, reads: readonly Block[]): boolean =>
  reads.indexOf(block) === reads.lastIndexOf(block);

function writeTensor(heap: Heap, value: Value, tensor: tf.Tensor): void {
  const values = tensor.dataSync();
  viewOf(heap, value).set(values, addressOf(value) >>> 2);
}

const viewOf = (heap: Heap, { dtype }: Value): Float32Array | Int32Array =>
  dtype === "int32" ? heap.i32 : heap.f32;

function readTensor(heap: Heap, value: Value): tf.Tensor {
  const start = addressOf(value) >>> 2;
  const { shape, dtype } = value;
  const numbers = viewOf(heap, value).slice(start, start + count(shape));
  const values = dtype === "bool" ? Uint8Array.from(numbers) : numbers;
  return tf.engine().makeTensor(values, shape as number[], dtype as tf.DataType);
}
