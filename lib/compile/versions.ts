import * as tf from "@tensorflow/tfjs-core";
import type { Graph, Node } from "../graph/index.js";
import type { State } from "../module/parameter.js";

const NOTHING: ReadonlySet<tf.Variable> = new Set();

/**
 * A value that changes with every assignment. tfjs' own variables have no version, but take over
 * the data that is assigned.
 */
function markOf(state: tf.Variable): unknown {
  return state.isDisposed ? null : ((state as Partial<State>).version ?? state.dataId);
}

/** Which values of the parameters the plans were made from. */
export class Versions {
  /** A list, because it is walked by index before every call, without an iterator. */
  private readonly states: tf.Variable[] = [];
  private readonly marks: unknown[] = [];

  constructor(private readonly attributes: (key: string) => tf.Tensor) {}

  /** Registers the parameter that a node reads, and returns it; `null` if it reads none. */
  note(node: Node, graph: Graph): tf.Variable | null {
    if (node.kind !== "get_attr" || graph.constants.has(node.target)) return null;
    const found = this.attributes(node.target);
    if (!(found instanceof tf.Variable)) return null;
    const state = found as tf.Variable;
    if (!this.states.includes(state)) {
      this.states.push(state);
      this.marks.push(markOf(state));
    }
    return state;
  }

  /** Registers the parameters that a node depends on, and adds them to a set. */
  collect(node: Node, graph: Graph, into: Set<tf.Variable>): void {
    const all = new Set([node]); // grows during the loop
    for (const one of all) {
      const state = this.note(one, graph);
      if (state) into.add(state);
      for (const input of one.inputs()) all.add(input);
    }
  }

  /** Registers all parameters that a graph reads. */
  watch(graph: Graph): void {
    for (const node of graph.nodes) this.note(node, graph);
  }

  /**
   * The parameters that have got new values since they were registered, or since the last call. It
   * runs before every call, so it allocates nothing if nothing changed.
   *
   * @throws Error if a parameter is disposed.
   */
  changed(): ReadonlySet<tf.Variable> {
    let changed: Set<tf.Variable> | null = null;
    for (let i = 0; i < this.states.length; i += 1) {
      const state = this.states[i]!;
      const mark = markOf(state);
      if (mark === this.marks[i]) continue;
      if (mark === null) throw new Error(`compile: the parameter '${state.name}' is disposed`);
      (changed ??= new Set()).add(state);
      this.marks[i] = mark;
    }
    return changed ?? NOTHING;
  }
}
