import type * as tf from "@tensorflow/tfjs-core";
import type { Heap, WeightType } from "../../kernels/cpu/index.js";
import type { Attributes, Graph, Node } from "../../graph/index.js";
import { Versions } from "../versions.js";
import { signature, Statics } from "./statics.js";
import { Block } from "./value.js";

/** Packed numbers made from parameters, or an assumption about their values. */
interface Known {
  kept: Block | { values: tf.TypedArray } | null;
  /** The parameters that it was made from. */
  sources: Set<tf.Variable>;
  /** Makes or tests it again; whether it still holds. */
  renew: () => boolean;
}

/** The packed weights of one model: each is made once and shared by all plans. */
export class Weights {
  private readonly known = new Map<string, Known>();
  private readonly versions: Versions;
  private readonly statics = new Map<Graph, Statics>();
  /** The keys that were asked for since the last plan was finished. */
  private used = new Set<string>();
  private isValid = true;

  constructor(
    readonly heap: Heap,
    private readonly attributes: Attributes,
    /** The type of packed weights, where their numbers fit. */
    readonly type: WeightType = "f32",
  ) {
    this.versions = new Versions(attributes);
  }

  /** The bytes of all packed weights. */
  get bytes(): number {
    let sum = 0;
    for (const { kept } of this.known.values()) if (kept instanceof Block) sum += kept.bytes;
    return sum;
  }

  /** The values computed from parameters, cached while a plan is built. */
  staticsOf(graph: Graph): Statics {
    let statics = this.statics.get(graph);
    if (!statics) {
      statics = new Statics(graph, this.attributes);
      this.statics.set(graph, statics);
    }
    return statics;
  }

  /** Drops the values cached on the way to packed weights. */
  settle(): void {
    this.statics.clear();
  }

  /**
   * A block of this many bytes that `fill` writes, now and whenever a parameter behind `nodes` gets
   * new values. Made once for each `kind` and value.
   */
  block(
    kind: string,
    graph: Graph,
    nodes: readonly Node[],
    bytes: number,
    fill: (address: number, statics: Statics) => void,
  ): Block {
    const make = (): Block => {
      const block = new Block(bytes, true);
      block.address = this.heap.alloc(bytes);
      return block;
    };
    return this.keep(kind, graph, nodes, make, (block) =>
      fill(block.address, this.staticsOf(graph)),
    );
  }

  /** The numbers of a static node outside of the heap; `values` is replaced when they change. */
  numbers(graph: Graph, node: Node): { values: tf.TypedArray } {
    const make = (): { values: tf.TypedArray } => ({ values: new Float32Array(0) });
    return this.keep("numbers", graph, [node], make, (kept) => {
      kept.values = this.staticsOf(graph).of(node).values;
    });
  }

  private keep<T extends Known["kept"]>(
    kind: string,
    graph: Graph,
    nodes: readonly Node[],
    make: () => T,
    refill: (kept: T) => void,
  ): T {
    const key = `${kind} ${nodes.map((node) => signature(node, graph)).join(" ")}`;
    this.used.add(key);
    const known = this.known.get(key);
    if (known) return known.kept as T;
    const kept = make();
    const renew = (): boolean => {
      refill(kept);
      return true;
    };
    renew(); // before it is registered, in case memory runs out
    this.known.set(key, { kept, sources: this.sourcesOf(nodes, graph), renew });
    return kept;
  }

  /**
   * Whether a condition holds for a weight's numbers. If new values break one that held, `refresh`
   * returns `false`, and plans are made again.
   */
  assume(what: string, graph: Graph, node: Node, test: (statics: Statics) => boolean): boolean {
    const key = `${what} ${signature(node, graph)}`;
    this.used.add(key);
    const renew = (): boolean => test(this.staticsOf(graph));
    const isSo = this.known.has(key) || renew();
    if (isSo) this.known.set(key, { kept: null, sources: this.sourcesOf([node], graph), renew });
    return isSo;
  }

  /**
   * Makes everything again that depends on parameters with new values.
   *
   * @returns whether the plans are still valid.
   */
  refresh(): boolean {
    const changed = this.versions.changed();
    if (changed.size > 0) {
      this.isValid = false; // in case memory runs out
      this.settle();
      this.isValid = [...this.known.values()].every(
        ({ sources, renew }) => ![...sources].some((state) => changed.has(state)) || renew(),
      );
      this.settle();
    }
    return this.isValid;
  }

  /** Registers all parameters that a graph reads, packed or not. */
  watch(graph: Graph): void {
    this.versions.watch(graph);
  }

  /** The keys that the plan just made needs. */
  takeUsed(): ReadonlySet<string> {
    const { used } = this;
    this.used = new Set();
    return used;
  }

  /** Frees what no remaining plan needs: a shape may have had masks and positions of its own. */
  retain(uses: Iterable<ReadonlySet<string>>): void {
    const used = new Set([...uses].flatMap((keys) => [...keys]));
    for (const [key, { kept }] of this.known) {
      if (used.has(key)) continue;
      if (kept instanceof Block) this.heap.free(kept.address);
      this.known.delete(key);
    }
  }

  private sourcesOf(nodes: readonly Node[], graph: Graph): Set<tf.Variable> {
    const sources = new Set<tf.Variable>();
    for (const node of nodes) this.versions.collect(node, graph, sources);
    return sources;
  }
}
