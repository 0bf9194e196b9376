import type * as tf from "@tensorflow/tfjs-core";
import type { Graph, Node } from "../graph/index.js";
import { State } from "../module/parameter.js";

const NOTHING: ReadonlySet<State> = new Set();

/** Which values of a model's parameters its plans were made of. */
export class Versions {
  private readonly seen = new Map<State, number>();
  /** The same as a list, which is walked without an iterator. */
  private readonly states: State[] = [];

  constructor(private readonly attributes: (key: string) => tf.Tensor) {}

  /** Notes the parameter that a node reads, and gives it; `null` if it reads none. */
  note(node: Node, graph: Graph): State | null {
    if (node.kind !== "get_attr" || graph.constants.has(node.target)) return null;
    const state = this.attributes(node.target);
    if (!(state instanceof State)) return null;
    if (!this.seen.has(state)) {
      this.seen.set(state, state.version);
      this.states.push(state);
    }
    return state;
  }

  /** Notes the parameters that a node depends on, and adds them to a set. */
  collect(node: Node, graph: Graph, into: Set<State>): void {
    const state = this.note(node, graph);
    if (state) into.add(state);
    for (const input of node.inputs()) this.collect(input, graph, into);
  }

  /** Notes whatever parameters a graph reads. */
  watch(graph: Graph): void {
    for (const node of graph.nodes) this.note(node, graph);
  }

  /**
   * The parameters that were given other values since they were noted, or since the last time.
   * Asked before every call: nothing is made where nothing changed.
   */
  changed(): ReadonlySet<State> {
    let changed: Set<State> | null = null;
    for (const state of this.states) {
      if (state.version === this.seen.get(state)) continue;
      (changed ??= new Set()).add(state);
      this.seen.set(state, state.version);
    }
    return changed ?? NOTHING;
  }
}
