import {
  type ConvSpec,
  copy,
  type Heap,
  type Kernel,
  narrowing,
  type WeightType,
} from "../../kernels/cpu/index.js";
import { type Argument, type Graph, Node } from "../../graph/index.js";
import { findStatic, isAbsorbed, tensorMeta } from "../passes/facts.js";
import type { Statics } from "./statics.js";
import type { Kept } from "../target.js";
import { Block, count, isContiguous, type Place, stridesOf, type Value } from "./value.js";
import type { Weights } from "./weights.js";

/**
 * A kernel call with all addresses settled: all of the work, or the share of one of several
 * threads.
 */
export interface Runner {
  (part?: number, parts?: number): void;
  /** The same work in stages, between which threads wait for each other. */
  stages?: () => ((part: number, parts: number) => void)[];
}

/** One kernel call of a plan. */
export interface Step {
  /** The node that it belongs to. */
  node: Node;
  /** The kernel, as a profile shows it. */
  kernel: string;
  reads: readonly Block[];
  writes: readonly Block[];
  /** Blocks whose memory the output may reuse if nothing reads them afterwards. */
  over?: readonly Block[];
  /** Scratch memory in bytes. */
  workspace?: number;
  flops?: number;
  /** Whether it runs JavaScript, which other threads cannot share. */
  onOneThread?: boolean;
  /** Makes the call, once addresses are settled; `workspace` is an address. */
  bind: (workspace: number) => Runner;
  /** What a depthwise convolution after this step needs to know in order to compute it as well. */
  convolution?: Convolution | undefined;
}

type OnePlace = Place | null | undefined;

/**
 * The values that a kernel reads or writes, by the names of its pointers; optional ones may be
 * absent.
 */
type Places<Pointers> = {
  readonly [Name in keyof Pointers]?: Pointers[Name] extends readonly number[]
    ? readonly Place[]
    : OnePlace;
};

interface Convolution {
  spec: ConvSpec;
  x: Value;
  weight: Block;
  bias: Value | null;
}

/** Why a node runs as a tfjs op. */
export class Decline {
  constructor(readonly reason: string) {}
}

export type Lowered = Value | readonly Value[] | Decline;

/** Collects the steps of a plan: lowerings read values of it and add steps. */
export class Builder {
  readonly steps: Step[] = [];
  readonly blocks = new Set<Block>();
  readonly values = new Map<Node, Value | readonly Value[]>();
  readonly users: Map<Node, Set<Node>>;
  /**
   * Whether some kernel spreads a NaN or an infinity of the input further, or less far, than the
   * eager model does.
   */
  spreadsNaN = false;
  /** Whether nodes give finite numbers for finite inputs, for those that have been asked about. */
  readonly finite = new Map<Node, boolean>();
  /** Weights that stay float32 although `precision` asks for less. */
  readonly kept: Kept[] = [];
  private readonly fixed: Set<Node>;
  private current: Node;

  constructor(
    readonly graph: Graph,
    readonly heap: Heap,
    readonly weights: Weights,
  ) {
    this.fixed = findStatic(graph);
    this.users = graph.users();
    this.current = graph.nodes[0]!;
  }

  at(node: Node): void {
    this.current = node;
  }

  /** Whether a node is a border of zeros that the convolutions reading it treat as padding. */
  isAbsorbed(node: Node): boolean {
    return !this.fixed.has(node) && isAbsorbed(node, this.users.get(node)!);
  }

  isStatic(argument: Argument): argument is Node {
    return argument instanceof Node && this.fixed.has(argument);
  }

  /** A new tensor in memory of its own. */
  make(shape: readonly number[], dtype = "float32"): Value {
    const block = new Block(count(shape) * 4);
    this.blocks.add(block);
    return { block, offset: 0, shape, strides: stridesOf(shape), dtype };
  }

  /** Scratch memory that lives for the steps that name it. */
  scratch(bytes: number): Block {
    const block = new Block(bytes);
    this.blocks.add(block);
    return block;
  }

  /** The tensor that a node gives. That of a static node is copied into the heap, unpacked. */
  read(node: Node): Value {
    const known = this.values.get(node);
    if (known !== undefined) return known as Value;
    const { shape, dtype } = tensorMeta(node) as { shape: readonly number[]; dtype: string };
    const length = count(shape);
    // Kernels may read vectors past the end: they shall find zeros there, not stale data.
    const bytes = (length + 8) * 4;
    const block = this.weights.block("plain", this.graph, [node], bytes, (address, statics) => {
      const { values } = statics.of(node);
      const view = dtype === "int32" ? this.heap.i32 : this.heap.f32;
      view.fill(0, address >>> 2, (address >>> 2) + length + 8);
      view.set(values, address >>> 2);
    });
    const value: Value = { block, offset: 0, shape, strides: stridesOf(shape), dtype };
    this.values.set(node, value);
    return value;
  }

  /** Weights packed for a kernel. */
  pack(
    kind: string,
    nodes: readonly Node[],
    bytes: number,
    fill: (address: number, statics: Statics) => void,
  ): Block {
    return this.weights.block(kind, this.graph, nodes, bytes, fill);
  }

  /**
   * The type in which a kernel's weights are packed: the requested one, or f32 if their numbers do
   * not fit.
   */
  weightType(...weights: readonly Node[]): WeightType {
    const { type } = this.weights;
    if (type === "f32") return type;
    const misfits = weights.flatMap((weight): Kept[] => {
      let reason: string | null = null;
      this.weights.assume(type, this.graph, weight, (statics) => {
        reason = narrowing().misfitOf(type, statics.of(weight).values);
        return reason === null;
      });
      return reason === null ? [] : [{ node: weight, reason }];
    });
    this.kept.push(...misfits);
    return misfits.length > 0 ? "f32" : type;
  }

  /** Notes that a weight stays float32 because its kernel reads no other type. */
  keepsWeight(weight: Node, reason: string): void {
    if (this.weights.type !== "f32" && this.isStatic(weight)) this.kept.push({ node: weight, reason }); // prettier-ignore
  }

  add(step: Omit<Step, "node">): void {
    this.steps.push({ ...step, node: this.current });
  }

  /**
   * Adds a kernel call; its pointers become the addresses of what it reads and writes.
   *
   * @param kernel its name in profiles.
   * @param over values whose memory the output may take.
   */
  call<Pointers>(
    kernel: string,
    { onOneThread, workspaceBytes, run, stages }: Kernel<Pointers>,
    reads: Places<Pointers>,
    writes: Places<Pointers>,
    { over = [], ...more }: Pick<Step, "flops" | "convolution"> & { over?: (Value | null)[] } = {},
  ): void {
    const blocks = (places: Places<Pointers>): Block[] =>
      blocksOf(Object.values<OnePlace | readonly Place[]>(places).flat());
    this.add({
      ...more,
      ...{ kernel, onOneThread, workspace: workspaceBytes },
      reads: blocks(reads),
      writes: blocks(writes),
      over: blocksOf(over.filter((value) => value && fills(value))),
      bind: (workspace) => {
        const named: Record<string, unknown> = { workspace };
        for (const places of [reads, writes]) {
          for (const name in places) {
            const place = places[name];
            named[name] = Array.isArray(place) ? place.map(addressOf) : addressOf(place as OnePlace); // prettier-ignore
          }
        }
        const pointers = named as Pointers;
        const all: Runner = (part, parts) => run(pointers, part, parts);
        if (stages) all.stages = () => stages(pointers);
        return all;
      },
    });
  }

  /** The same tensor with contiguous, row-major elements; copied if they are not. */
  contiguous(value: Value): Value {
    if (isContiguous(value)) return value;
    const copy = this.make(value.shape, value.dtype);
    this.copy(value, copy);
    return copy;
  }

  /** Copies a tensor to another of the same shape, or to a view of one. */
  copy(from: Value, to: Value): void {
    const { shape, strides } = from;
    const kernel = copy(this.heap, { shape, strides, outStrides: to.strides });
    this.call("copy", kernel, { x: from }, { out: to });
  }
}

/** An address in the heap; 0 for an absent value. */
export const addressOf = (place: OnePlace): number =>
  place ? place.block.address + place.offset * 4 : 0;

const blocksOf = (places: OnePlace[]): Block[] => places.flatMap((place) => place?.block ?? []);

/** Whether a tensor occupies its whole block, so that another tensor may take over the memory. */
export const fills = (value: Value): boolean =>
  value.offset === 0 && isContiguous(value) && value.block.bytes === count(value.shape) * 4;
