import type * as tf from "@tensorflow/tfjs-core";
import type { Heap, WeightType } from "../../kernels/cpu/index.js";
import type { Attributes, Graph, Node } from "../../graph/index.js";
import { Versions } from "../versions.js";
import { signature, Statics } from "./statics.js";
import { Block } from "./value.js";

/** Numbers that were made of parameters for a kernel, or what a plan takes for granted of a weight's. */
interface Known {
  kept: Block | { values: tf.TypedArray } | null;
  /** What it was made of. */
  sources: Set<tf.Variable>;
  /** Makes it anew; whether it still holds. */
  renew: () => boolean;
}

/** The packed weights of one model, shared by all its plans, each once. */
export class Weights {
  private readonly known = new Map<string, Known>();
  private readonly versions: Versions;
  private readonly statics = new Map<Graph, Statics>();
  /** The keys of what was asked for since the last plan. */
  private used = new Set<string>();
  private isValid = true;

  constructor(
    readonly heap: Heap,
    private readonly attributes: Attributes,
    /** How the weights of products are kept, where their numbers fit. */
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

  /** What is computed of parameters, while a plan is built. */
  staticsOf(graph: Graph): Statics {
    let statics = this.statics.get(graph);
    if (!statics) {
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
    const make = (): Block => {
      const block = new Block(bytes, true);
      block.address = this.heap.alloc(bytes);
      return block;
    };
    return this.keep(kind, graph, nodes, make, (block) =>
      fill(block.address, this.staticsOf(graph)),
    );
  }

  /** The numbers of something static where they lie: not in the heap, and always as they are now. */
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
    renew(); // first: memory may run out on the way, and what is known is taken as it is
    this.known.set(key, { kept, sources: this.sourcesOf(nodes, graph), renew });
    return kept;
  }

  /**
   * Whether something holds of a weight's numbers. If it does and no longer will, `refresh` says that
   * plans must be made anew.
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
   * Makes anew what was made of parameters that have other values now.
   *
   * @returns whether the plans can still be run.
   */
  refresh(): boolean {
    const changed = this.versions.changed();
    if (changed.size > 0) {
      this.isValid = false; // should memory run out on the way
      this.settle();
      this.isValid = [...this.known.values()].every(
        ({ sources, renew }) => ![...sources].some((state) => changed.has(state)) || renew(),
      );
      this.settle();
    }
    return this.isValid;
  }

  /** Notes whatever parameters a graph reads, packed or not. */
  watch(graph: Graph): void {
    this.versions.watch(graph);
  }

  /** The keys of what a plan needs, now that it is made. */
  takeUsed(): ReadonlySet<string> {
    const { used } = this;
    this.used = new Set();
    return used;
  }

  /** Forgets what none of these need: each shape may have masks and positions of its own. */
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
