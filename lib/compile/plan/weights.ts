import type * as tf from "@tensorflow/tfjs-core";
import type { Heap, WeightType } from "../../kernels/cpu/index.js";
import type { Attributes, Graph, Node } from "../../graph/index.js";
import { Versions } from "../versions.js";
import { signature, Statics } from "./statics.js";
import { Block } from "./value.js";

/** Numbers that were made of parameters for a kernel, and what they were made of. */
interface Packed {
  kept: Block | { values: tf.TypedArray };
  sources: Set<tf.Variable>;
  fill: () => void;
}

/** What a plan takes for granted of a weight's numbers. */
interface Assumed {
  sources: Set<tf.Variable>;
  holds: () => boolean;
}

/** The packed weights of one model, shared by all its plans, each once. */
export class Weights {
  private readonly packed = new Map<string, Packed>();
  private readonly assumed = new Map<string, Assumed>();
  private readonly versions: Versions;
  private readonly statics = new Map<Graph, Statics>();

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
    return this.blocks.reduce((sum, { bytes }) => sum + bytes, 0);
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

  private keep<T extends Packed["kept"]>(
    kind: string,
    graph: Graph,
    nodes: readonly Node[],
    make: () => T,
    refill: (kept: T) => void,
  ): T {
    const key = `${kind} ${nodes.map((node) => signature(node, graph)).join(" ")}`;
    const known = this.packed.get(key);
    if (known !== undefined) return known.kept as T;
    const kept = make();
    const sources = this.sourcesOf(nodes, graph);
    const fill = (): void => refill(kept);
    this.packed.set(key, { kept, sources, fill });
    fill();
    return kept;
  }

  /**
   * Whether something holds of a weight's numbers. If it does and no longer will, `refresh` says that
   * plans must be made anew.
   */
  assume(what: string, graph: Graph, node: Node, test: (statics: Statics) => boolean): boolean {
    const key = `${what} ${signature(node, graph)}`;
    const holds = (): boolean => test(this.staticsOf(graph));
    const isSo = this.assumed.has(key) || holds();
    if (isSo) this.assumed.set(key, { sources: this.sourcesOf([node], graph), holds });
    return isSo;
  }

  /**
   * Makes anew what was made of parameters that have other values now.
   *
   * @returns whether the plans can still be run.
   */
  refresh(): boolean {
    const changed = this.versions.changed();
    if (changed.size === 0) return true;
    const isOld = ({ sources }: { sources: Set<tf.Variable> }): boolean =>
      [...sources].some((state) => changed.has(state));
    this.settle();
    const isValid = [...this.assumed.values()].every((one) => !isOld(one) || one.holds());
    if (isValid) for (const one of this.packed.values()) if (isOld(one)) one.fill();
    this.settle();
    return isValid;
  }

  /** Notes whatever parameters a graph reads, packed or not. */
  watch(graph: Graph): void {
    this.versions.watch(graph);
  }

  dispose(): void {
    for (const { address } of this.blocks) this.heap.free(address);
    this.packed.clear();
    this.assumed.clear();
  }

  private get blocks(): Block[] {
    return [...this.packed.values()].map(({ kept }) => kept).filter((kept) => kept instanceof Block); // prettier-ignore
  }

  private sourcesOf(nodes: readonly Node[], graph: Graph): Set<tf.Variable> {
    const sources = new Set<tf.Variable>();
    for (const node of nodes) this.versions.collect(node, graph, sources);
    return sources;
  }
}
