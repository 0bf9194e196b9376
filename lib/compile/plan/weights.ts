import type { Heap, WeightType } from "../../kernels/cpu/index.js";
import type { Attributes, Graph, Node } from "../../graph/index.js";
import type { State } from "../../module/parameter.js";
import { Versions } from "../versions.js";
import { signature, Statics } from "./statics.js";
import { Block } from "./value.js";

/** Numbers that were made of parameters for a kernel, and what they were made of. */
interface Packed {
  block: Block;
  sources: Set<State>;
  fill: () => void;
}

/** The packed weights of one model, shared by all its plans, each once. */
export class Weights {
  private readonly packed = new Map<string, Packed>();
  private readonly versions: Versions;
  private readonly statics = new Map<Graph, Statics>();

  constructor(
    readonly heap: Heap,
    private readonly attributes: Attributes,
    /** How the weights of linear layers are kept. */
    readonly type: WeightType = "f32",
  ) {
    this.versions = new Versions(attributes);
  }

  /** The bytes of all packed weights. */
  get bytes(): number {
    return [...this.packed.values()].reduce((sum, { block }) => sum + block.bytes, 0);
  }

  /** What is computed of parameters, while a plan is built. */
  staticsOf(graph: Graph): Statics {
    let statics = this.statics.get(graph);
    if (statics === undefined) {
      statics = new Statics(graph, this.attributes);
      this.statics.set(graph, statics);
    }
    return statics;
  }

  /** Forgets what was computed on the way to packed weights. */
  settle(): void {
    this.statics.clear();
  }

  /**
   * A block of so many bytes that `fill` writes, now and whenever a parameter behind `nodes` gets
   * new values. The same `kind` of the same values is made once.
   */
  block(
    kind: string,
    graph: Graph,
    nodes: readonly Node[],
    bytes: number,
    fill: (address: number, statics: Statics) => void,
  ): Block {
    const key = `${kind} ${nodes.map((node) => signature(node, graph)).join(" ")}`;
    const known = this.packed.get(key);
    if (known !== undefined) return known.block;
    const block = new Block(bytes, true);
    block.address = this.heap.alloc(bytes);
    const sources = new Set<State>();
    for (const node of nodes) this.collect(node, graph, sources);
    const refill = (): void => fill(block.address, this.staticsOf(graph));
    this.packed.set(key, { block, sources, fill: refill });
    refill();
    return block;
  }

  /** Makes anew what was made of parameters that have other values now. */
  refresh(): void {
    const changed = this.versions.changed();
    if (changed.size === 0) return;
    this.settle();
    for (const { sources, fill } of this.packed.values()) {
      if ([...sources].some((state) => changed.has(state))) fill();
    }
    this.settle();
  }

  /** Notes whatever parameters a graph reads, packed or not. */
  watch(graph: Graph): void {
    this.versions.watch(graph);
  }

  dispose(): void {
    for (const { block } of this.packed.values()) this.heap.free(block.address);
    this.packed.clear();
  }

  private collect(node: Node, graph: Graph, into: Set<State>): void {
    const state = this.versions.note(node, graph);
    if (state) into.add(state);
    for (const input of node.inputs()) this.collect(input, graph, into);
  }
}
